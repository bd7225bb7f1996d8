"""Tasks for a person where ledger and world differ. They open by themselves; what arrives later may explain them."""

from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.core.paging import Page, decode_cursor, id_in, page_of
from server.identity.domain import Actor
from server.inventory import discrepancy_queries as queries
from server.inventory import queries as ledger
from server.inventory.domain import (
    Discrepancy,
    DiscrepancyKind,
    DiscrepancyState,
    Moved,
    PlaceAfter,
    Transfer,
    TransferState,
)
from server.inventory.errors import DiscrepancyResolved, UnknownDiscrepancy, UnknownLocation, UnknownPart

_COUNT_EXPLAINED = "What was moved before the count arrived later and explains it."
_TRANSFER_EXPLAINED = "Both sides were told and agree."


async def below_zero(uow: UnitOfWork, actor: Actor, moved: Moved, movement: UUID, place: PlaceAfter) -> None:
    """Open the task of a place that holds less than nothing, once while it is open."""
    opened = await queries.insert(
        uow,
        kind=DiscrepancyKind.NEGATIVE,
        part_id=moved.part.id,
        location_id=place.id,
        expected=Decimal(0),
        found=place.quantity,
        movement_id=movement,
        opened_by=actor.person,
    )
    if opened is None:
        return
    await _opened(uow, actor, opened, DiscrepancyKind.NEGATIVE)
    await events.append(
        uow,
        "stock.went_negative",
        subject=("stock_location", place.id),
        actor=actor.person,
        payload={"part_id": str(moved.part.id), "sku": moved.part.sku, "quantity": f"{place.quantity:f}"},
    )


async def serial_clash(
    uow: UnitOfWork, actor: Actor, *, mutation: UUID, part: UUID, serial: str | None, work_order_id: UUID
) -> None:
    """Open the task of a piece that was used twice; the mutation that told the second use is in quarantine."""
    opened = await queries.insert(
        uow,
        kind=DiscrepancyKind.SERIAL_CLASH,
        part_id=part,
        serial=serial,
        mutation_id=mutation,
        work_order_id=work_order_id,
        opened_by=actor.person,
    )
    if opened is not None:
        await _opened(uow, actor, opened, DiscrepancyKind.SERIAL_CLASH)


async def transfer_clash(
    uow: UnitOfWork,
    actor: Actor,
    *,
    mutation: UUID | None,
    known: Transfer,
    part: UUID,
    serial: str | None,
    told: Decimal,
) -> None:
    """Open the task of a transfer that somebody told differently; what they told is in quarantine."""
    opened = await queries.insert(
        uow,
        kind=DiscrepancyKind.TRANSFER,
        part_id=part,
        serial=serial,
        location_id=known.to_id,
        expected=known.sent,
        found=told,
        transfer_id=known.id,
        mutation_id=mutation,
        opened_by=actor.person,
    )
    if opened is not None:
        await _opened(uow, actor, opened, DiscrepancyKind.TRANSFER)


async def weigh_counts(uow: UnitOfWork, actor: Actor, count_ids: Collection[UUID]) -> None:
    """Open tasks for the counts that differ by what is known now, and resolve those that no longer do."""
    if not count_ids:
        return
    weighed = await queries.weighed_counts(uow, sorted(count_ids))
    for count in weighed:
        if count.differs and (opened := await queries.put_count(uow, count)) is not None:
            await _opened(uow, actor, opened, DiscrepancyKind.COUNT)
    agreeing = [count.id for count in weighed if not count.differs]
    for resolved in await queries.explain(uow, _COUNT_EXPLAINED, counts=agreeing) if agreeing else ():
        await _resolved(uow, actor, resolved)


async def weigh_transfer(uow: UnitOfWork, actor: Actor, transfer: Transfer) -> None:
    """Open or resolve the task of a transfer by what both sides told so far."""
    if transfer.state is TransferState.SENT:
        return
    if transfer.sent == transfer.received:
        for resolved in await queries.explain(uow, _TRANSFER_EXPLAINED, transfers=[transfer.id]):
            await _resolved(uow, actor, resolved)
        return
    opened = await queries.put_transfer(
        uow,
        transfer.id,
        part_id=transfer.part_id,
        location_id=transfer.into_id or transfer.to_id,
        expected=transfer.sent or Decimal(0),
        found=transfer.received or Decimal(0),
    )
    if opened is not None:
        await _opened(uow, actor, opened, DiscrepancyKind.TRANSFER)


async def open_by_hand(
    uow: UnitOfWork,
    actor: Actor,
    *,
    kind: DiscrepancyKind,
    part: UUID,
    location: UUID,
    note: str,
    expected: Decimal | None = None,
    found: Decimal | None = None,
    serial: str | None = None,
) -> Discrepancy:
    """Note a difference somebody saw; where a van has its one open task already, that is answered.

    Raises UnknownPart, UnknownLocation.
    """
    if await ledger.part(uow, part) is None:
        raise UnknownPart(part=part)
    if await ledger.location(uow, location) is None:
        raise UnknownLocation(location=location)
    opened = await queries.insert(
        uow,
        kind=kind,
        part_id=part,
        location_id=location,
        serial=serial,
        expected=expected,
        found=found,
        note=note,
        opened_by=actor.person,
    )
    if opened is None:
        known = await queries.discrepancies(
            uow,
            state=DiscrepancyState.OPEN,
            kind=kind,
            location_id=location,
            part_id=part,
            before=None,
            limit=1,
        )
        return known[0]
    await _opened(uow, actor, opened, kind)
    return await find(uow, opened)


async def resolve(uow: UnitOfWork, actor: Actor, discrepancy_id: UUID, why: str) -> Discrepancy:
    """Raises UnknownDiscrepancy, DiscrepancyResolved."""
    await find(uow, discrepancy_id)
    if not await queries.resolve(uow, discrepancy_id, by=actor.person, resolution=why):
        raise DiscrepancyResolved(discrepancy=discrepancy_id)
    await _resolved(uow, actor, discrepancy_id)
    return await find(uow, discrepancy_id)


async def find(uow: UnitOfWork, discrepancy_id: UUID) -> Discrepancy:
    found = await queries.discrepancy(uow, discrepancy_id)
    if found is None:
        raise UnknownDiscrepancy(discrepancy=discrepancy_id)
    return found


async def list_discrepancies(
    uow: UnitOfWork,
    *,
    state: DiscrepancyState | None,
    kind: DiscrepancyKind | None,
    location_id: UUID | None,
    part_id: UUID | None,
    cursor: str | None,
    limit: int,
) -> Page[Discrepancy]:
    """Answer the newest first."""
    key = decode_cursor(cursor, 1)
    rows = await queries.discrepancies(
        uow,
        state=state,
        kind=kind,
        location_id=location_id,
        part_id=part_id,
        before=id_in(key[0]) if key else None,
        limit=limit + 1,
    )
    return page_of(rows, limit, lambda row: (row.id,))


async def _opened(uow: UnitOfWork, actor: Actor, discrepancy_id: UUID, kind: DiscrepancyKind) -> None:
    await events.append(
        uow,
        "discrepancy.opened",
        subject=("discrepancy", discrepancy_id),
        actor=actor.person,
        payload={"kind": str(kind)},
    )


async def _resolved(uow: UnitOfWork, actor: Actor, discrepancy_id: UUID) -> None:
    await events.append(uow, "discrepancy.resolved", subject=("discrepancy", discrepancy_id), actor=actor.person)
