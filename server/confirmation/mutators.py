"""What a device may do at the end of a job: hand in the customer's signature, which closes the order."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from server.confirmation import service
from server.confirmation.service import SignatureDraft
from server.core.db import UnitOfWork
from server.core.errors import Problem
from server.core.wire import Id, Line, Name, Sha256, Text, WireIn
from server.identity.domain import Actor
from server.sync.domain import APPLIED, Disagreement, Mutation, Outcome
from server.sync.registry import Nature, Registry
from server.workorders import service as workorders
from server.workorders.access import Admission, admit
from server.workorders.domain import Action, Requirement
from server.workorders.mutators import circumstances_of

_MAX_POINTS = 20_000

type Coordinate = Annotated[float, Field(ge=-100_000, le=100_000)]
type Milliseconds = Annotated[float, Field(ge=0, le=86_400_000)]
type Point = tuple[Coordinate, Coordinate, Milliseconds]
type StrokeIn = Annotated[tuple[Point, ...], Field(min_length=1, max_length=5_000)]


class ConsentIn(WireIn):
    version: Name
    accepted: Literal[True]


class SignatureArgs(WireIn):
    id: Id
    wo: Id
    visit: Id | None = None
    signer_name: Name
    signer_role: Line = ""
    consent: ConsentIn
    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Text = ""
    document_hash: Sha256
    strokes: Annotated[tuple[StrokeIn, ...], Field(min_length=1, max_length=500)]
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=35)] = "en"

    @model_validator(mode="after")
    def _drawn_by_a_hand(self) -> "SignatureArgs":
        if sum(len(stroke) for stroke in self.strokes) > _MAX_POINTS:
            message = f"strokes must not have more than {_MAX_POINTS} points"
            raise ValueError(message)
        return self

    def draft(self) -> SignatureDraft:
        return SignatureDraft(
            id=self.id,
            signer_name=self.signer_name,
            signer_role=self.signer_role,
            consent_version=self.consent.version,
            rating=self.rating,
            comment=self.comment,
            document_hash=self.document_hash,
            strokes=self.strokes,
            locale=self.locale,
        )


async def capture_signature(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: SignatureArgs) -> Outcome:
    """Keep the signature, then close the order. An order that can't be closed now is a conflict; both are kept."""
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit)
    if not await service.keep_signature(uow, actor, admission, args.draft(), mutation):
        return Outcome.merged("ALREADY_RECORDED")
    try:
        await workorders.perform(
            uow,
            actor,
            work_order_id=args.wo,
            action=Action.CONFIRM,
            visit_id=args.visit,
            at_hand=frozenset({Requirement.SIGNATURE, Requirement.RATING}),
            **vars(circumstances_of(mutation)),
        )
    except Problem as problem:
        await service.announce_late_signature(uow, actor, args.wo, args.id)
        return Outcome.conflict(_disagreement(args, admission, problem))
    return APPLIED


def _disagreement(args: SignatureArgs, admission: Admission, problem: Problem) -> Disagreement:
    return Disagreement(
        "SIGNED_BUT_NOT_CLOSED",
        "work_order",
        args.wo,
        mine={"signature_id": str(args.id), "signer_name": args.signer_name, "rating": args.rating},
        theirs={"state": admission.order.state, "code": problem.code, "why": str(problem)},
    )


def register(registry: Registry) -> None:
    registry.mutator("signature.capture", SignatureArgs, capture_signature, nature=Nature.EVIDENCE)
