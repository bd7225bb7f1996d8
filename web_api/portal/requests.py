"""Customers report faults here, without an account."""

import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path, status
from pydantic import StringConstraints, model_validator

from edge.idempotency import IdempotencyHeader
from edge.problems import PUBLIC_PROBLEMS
from edge.services import ServicesOf
from server.core import idempotency
from server.core.db import UnitOfWork
from server.core.wire import Id, Instant, Line, Name, PlaceIn, WireIn, WireOut
from server.customers.domain import Caller
from server.geo.domain import Point
from server.workorders import intake
from server.workorders.domain import Priority

router = APIRouter(prefix="/portal/v1", tags=["portal"], responses=PUBLIC_PROBLEMS)

_CALLER = "portal"

type Email = Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
type Phone = Annotated[str, StringConstraints(min_length=3, max_length=60, strip_whitespace=True)]
type Slug = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class FaultRequest(WireIn):
    """`address` and `place` tell where help is needed unless the customer, site or machine is known already."""

    name: Name
    phone: Phone | None = None
    email: Email | None = None
    customer_number: Name | None = None
    site_id: Id | None = None
    address: Annotated[Line, StringConstraints(min_length=1)] | None = None
    place: PlaceIn | None = None
    asset_serial: Name | None = None
    problem_type: Name
    description: Annotated[str, StringConstraints(min_length=1, max_length=5_000)]
    urgency: Priority = Priority.NORMAL
    preferred_start: Instant | None = None
    preferred_end: Instant | None = None

    @model_validator(mode="after")
    def _window_is_one(self) -> Self:
        if (self.preferred_start is None) != (self.preferred_end is None):
            message = "preferred_start and preferred_end come together"
            raise ValueError(message)
        if self.preferred_start and self.preferred_end and self.preferred_end <= self.preferred_start:
            message = "preferred_end must lie after preferred_start"
            raise ValueError(message)
        return self

    def report(self) -> intake.FaultReport:
        return intake.FaultReport(
            caller=Caller(self.name, self.customer_number, self.phone, self.email, self.asset_serial),
            problem_type=self.problem_type,
            description=self.description,
            priority=self.urgency,
            site_id=self.site_id,
            address=self.address,
            place=Point(self.place.lon, self.place.lat) if self.place else None,
            preferred_start=self.preferred_start,
            preferred_end=self.preferred_end,
        )


class AcceptedOut(WireOut):
    """`reference` identifies the request and can't be guessed; `number` is for the telephone."""

    reference: str
    number: int


async def _portal(slug: Slug, services: ServicesOf) -> AsyncIterator[UnitOfWork]:
    async with services.database.unit_of_work() as uow:
        await intake.enter_portal(uow, slug)
        yield uow


@router.post("/{slug}/requests", status_code=status.HTTP_201_CREATED)
async def submit_request(
    uow: Annotated[UnitOfWork, Depends(_portal, scope="function")], body: FaultRequest, key: IdempotencyHeader = None
) -> AcceptedOut:
    """Report a fault. Sent again with the same Idempotency-Key, the first answer comes back."""
    if key is None:
        return AcceptedOut.model_validate(await intake.report_fault(uow, body.report()))
    fingerprint = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    known = await idempotency.claim(uow, caller=_CALLER, key=key, request_hash=fingerprint)
    if known is not None:
        return AcceptedOut.model_validate(known)
    accepted = AcceptedOut.model_validate(await intake.report_fault(uow, body.report()))
    await idempotency.remember(uow, caller=_CALLER, key=key, answer=accepted.model_dump())
    return accepted
