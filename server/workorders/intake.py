"""Faults that customers report themselves: recognised where possible, and never dropped for a missing detail."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.customers import service as customers
from server.customers.domain import Caller, Match, Site
from server.geo.domain import Point
from server.workorders import queries, service
from server.workorders.domain import Channel, OrderRequest, Priority
from server.workorders.errors import NoSuchPortal, PlaceUnknown

_TITLE_LENGTH = 120


@dataclass(frozen=True)
class FaultReport:
    """What a customer tells us through the portal."""

    caller: Caller
    problem_type: str
    description: str
    priority: Priority
    site_id: UUID | None = None
    address: str | None = None
    place: Point | None = None
    preferred_start: datetime | None = None
    preferred_end: datetime | None = None


@dataclass(frozen=True)
class Accepted:
    """What the customer keeps: `reference` can't be guessed, `number` can be said on the phone."""

    reference: str
    number: int


async def enter_portal(uow: UnitOfWork, slug: str) -> UUID:
    """Turn to the organisation whose portal this is. Raises NoSuchPortal."""
    org = await queries.organisation_of_slug(uow, slug)
    if org is None:
        raise NoSuchPortal
    await uow.enter(org)
    return org


async def report_fault(uow: UnitOfWork, report: FaultReport, *, language: str = "en") -> Accepted:
    """Open a work order for a customer without an account; whoever is new gets a file.

    Raises PlaceUnknown when neither what we know nor what was said tells where to go.
    """
    known = await customers.recognise(uow, report.caller)
    site = await _known_site(uow, known, report) if known else None
    if site is None and (report.place is None or not report.address):
        raise PlaceUnknown
    if site is None:
        site = await _new_site(uow, known, report, language)
    await customers.remember_contact(uow, report.caller, customer_id=site.customer_id, site_id=site.id)
    order = await service.open_work_order(
        uow,
        None,
        OrderRequest(
            site_id=site.id,
            asset_id=known.asset_id if known and known.site_id == site.id else None,
            title=title_of(report.description) or report.problem_type,
            problem_type=report.problem_type,
            description=report.description,
            priority=report.priority,
            channel=Channel.PORTAL,
            window_start=report.preferred_start if report.preferred_end else None,
            window_end=report.preferred_end if report.preferred_start else None,
            reported_by=report.caller.name,
        ),
    )
    return Accepted(str(order.id), order.number)


async def _known_site(uow: UnitOfWork, known: Match, report: FaultReport) -> Site | None:
    if known.asset_id is not None and known.site_id is not None:
        return await customers.site_of(uow, known.site_id)
    return await customers.site_meant(uow, known.customer_id, site_id=report.site_id, place=report.place)


async def _new_site(uow: UnitOfWork, known: Match | None, report: FaultReport, language: str) -> Site:
    assert report.place is not None
    assert report.address
    customer_id = known.customer_id if known else (await customers.welcome(uow, report.caller, language=language)).id
    return await customers.add_site(
        uow, customer_id=customer_id, name=report.address, address=report.address, place=report.place
    )


def title_of(description: str) -> str:
    """Answer the first line of what the customer wrote, short enough for a list."""
    first = next((line.strip() for line in description.splitlines() if line.strip()), "")
    return first if len(first) <= _TITLE_LENGTH else first[: _TITLE_LENGTH - 1].rstrip() + "…"
