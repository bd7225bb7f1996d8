"""What a device may do at the end of a job: hand in how the customer answered. A signature closes the order."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, StringConstraints, model_validator

from server.confirmation import queries, service
from server.confirmation.domain import Ending
from server.confirmation.service import SignatureDraft
from server.core.db import UnitOfWork
from server.core.errors import Problem
from server.core.wire import Id, Instant, Line, Name, PlaceIn, Sha256, Text, WireIn
from server.identity.domain import Actor
from server.sync.domain import Disagreement, Mutation, Outcome
from server.sync.registry import Nature, Registry
from server.workorders import service as workorders
from server.workorders.access import Admission, admit
from server.workorders.domain import Action, Requirement, State
from server.workorders.recording import circumstances_of

_MAX_POINTS = 20_000

_NEEDED: Mapping[Ending, tuple[str, ...]] = {
    Ending.SIGNED: ("signer_name", "consent", "rating", "strokes"),
    Ending.DECLINED: ("reason",),
    Ending.ABSENT: ("reason",),
}

type Coordinate = Annotated[float, Field(ge=-100_000, le=100_000)]
type Milliseconds = Annotated[float, Field(ge=0, le=86_400_000)]
type Pressure = Annotated[float, Field(ge=0, le=1)]
type Point = tuple[Coordinate, Coordinate, Milliseconds] | tuple[Coordinate, Coordinate, Milliseconds, Pressure]
type StrokeIn = Annotated[tuple[Point, ...], Field(min_length=1, max_length=5_000)]


class ConsentIn(WireIn):
    text: Name  # which text was shown
    version: Name
    accepted: Literal[True]


class SpotIn(PlaceIn):
    accuracy_m: Annotated[float, Field(ge=0, le=1e6)] | None = None


class CapturedIn(WireIn):
    """When and where by the device alone, inside of what it attests. `mono` is milliseconds since `boot`."""

    at: Instant
    mono: Annotated[float, Field(ge=0)] | None = None
    boot: Annotated[str, StringConstraints(max_length=100)] | None = None
    geo: SpotIn | None = None


class AttestationIn(WireIn):
    alg: Literal["ES256"]
    signature: Annotated[str, StringConstraints(max_length=200)]


class SignatureArgs(WireIn):
    """The evidence package, and the device's signature over it: over the canonical JSON of everything else here."""

    id: Id
    wo: Id
    visit: Id | None = None
    ending: Ending
    signer_name: Line = ""
    signer_role: Line = ""
    signer_email: Line = ""
    signer_phone: Line = ""
    consent: ConsentIn | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    comment: Text = ""
    document_hash: Sha256
    render_hash: Sha256 | None = None
    strokes: Annotated[tuple[StrokeIn, ...], Field(max_length=500)] = ()
    strokes_hash: Sha256 | None = None
    picture: Sha256 | None = None  # of the strokes as PNG
    reason: Line = ""
    photo: Sha256 | None = None
    in_presence_of: Id | None = None
    captured: CapturedIn | None = None
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=35)] = "en"
    attestation: AttestationIn | None = None
    _sent: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_what_was_sent(cls, data: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        # A hash over what was parsed would not be the one the device made: parsing strips, orders and completes.
        made = read(data)
        if isinstance(data, Mapping):
            made._sent = dict(data)  # noqa: SLF001 - our own, on an instance just made
        return made

    @model_validator(mode="after")
    def _says_what_its_ending_needs(self) -> Self:
        if sum(len(stroke) for stroke in self.strokes) > _MAX_POINTS:
            message = f"strokes must not have more than {_MAX_POINTS} points"
            raise ValueError(message)
        if missing := [name for name in _NEEDED[self.ending] if not getattr(self, name)]:
            message = f"{' and '.join(missing)} must be given when the ending is {self.ending}"
            raise ValueError(message)
        return self

    @property
    def package(self) -> dict[str, Any]:
        """Everything the device sent but its own signature, verbatim."""
        return {name: value for name, value in self._sent.items() if name != "attestation"}

    def draft(self) -> SignatureDraft:
        return SignatureDraft(
            id=self.id,
            ending=self.ending,
            signer_name=self.signer_name,
            signer_role=self.signer_role,
            rating=self.rating,
            comment=self.comment,
            document_hash=self.document_hash,
            render_hash=self.render_hash,
            strokes=self.strokes,
            strokes_hash=self.strokes_hash,
            locale=self.locale,
            package=self.package,
            attestation=self.attestation.signature if self.attestation else None,
        )


def from_version_one(args: Mapping[str, Any]) -> Mapping[str, Any]:
    """Lift a package of the first version, which knew signatures only and one text to agree to."""
    return {**args, "ending": Ending.SIGNED.value, "consent": {"text": "report", **args["consent"]}}


async def capture_signature(uow: UnitOfWork, actor: Actor, mutation: Mutation, args: SignatureArgs) -> Outcome:
    """Keep the package; a signature then closes the order.

    An order that can't be closed now is a conflict; both are kept. Signing anew what had changed is none.
    """
    admission = await admit(uow, actor, work_order_id=args.wo, visit_id=args.visit)
    kept = await service.keep_signature(uow, actor, admission, args.draft(), mutation)
    if kept is None:
        return Outcome.merged("ALREADY_RECORDED")
    if args.ending is not Ending.SIGNED:
        await service.announce(uow, "signature.refused", actor, args.wo, args.id)
        return Outcome(flags=kept.flags)
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
        await service.announce(uow, "signature.kept", actor, args.wo, args.id)
        if admission.order.state is State.CLOSED and await queries.was_asked_again(uow, args.wo, args.id):
            return Outcome(flags=(*kept.flags, "SIGNED_ANEW"))
        return replace(Outcome.conflict(_disagreement(args, admission, problem)), flags=kept.flags)
    return Outcome(flags=kept.flags)


def _disagreement(args: SignatureArgs, admission: Admission, problem: Problem) -> Disagreement:
    return Disagreement(
        "SIGNED_BUT_NOT_CLOSED",
        "work_order",
        args.wo,
        mine={"signature_id": str(args.id), "signer_name": args.signer_name, "rating": args.rating},
        theirs={"state": admission.order.state, "code": problem.code, "why": str(problem)},
        work_order_id=args.wo,
    )


def register(registry: Registry) -> None:
    registry.mutator("signature.capture", SignatureArgs, capture_signature, nature=Nature.EVIDENCE, v=2)
    registry.upcaster("signature.capture", 1, from_version_one)
