"""Promised stock: never twice, used up once, and never in the way of what really happened."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from server.core.errors import NotFound
from server.core.events import Event
from server.inventory import queries, reservations, service
from server.inventory.domain import ReservationState
from server.inventory.errors import NoPlaceForStock, NotEnoughFree, ReservationEnded, UnknownReservation
from server.inventory.projections import _RESERVATION
from server.inventory.subscribers import release_promises
from server.sync.domain import Status
from server.workorders.domain import Action
from tests.factories.confirmation import from_phone
from tests.factories.inventory import a_part, a_warehouse, goods_in, transfer
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import a_visit, an_order, work_until


@pytest.fixture
async def order(uow, dispatcher, engineer):
    await an_engineer(uow, engineer)
    order = await an_order(uow, dispatcher)
    await a_visit(uow, dispatcher, engineer, order)
    return await work_until(uow, engineer, order, Action.START)


@pytest.fixture
async def part(uow):
    return await a_part(uow)


@pytest.fixture
async def van(uow, engineer, administrator, part):
    """Five pieces on the engineer's van."""
    van = await service.give_van(uow, engineer.person, "Van 7")
    await goods_in(uow, administrator, part, van, 5)
    return van


async def promise(uow, actor, order, part, place, quantity, **more):
    return await reservations.reserve(
        uow, actor, work_order_id=order.id, part_id=part.id, location_id=place.id, quantity=Decimal(quantity), **more
    )


async def use(uow, engineer, order, part, quantity, **more):
    said = {"id": uow.new_id(), "wo": order.id, "part": part.id, "quantity": quantity} | more
    return await from_phone(uow, engineer, "part.use", said), said["id"]


async def test_what_is_promised_is_no_longer_free_and_can_not_be_promised_again(uow, administrator, order, part, van):
    await promise(uow, administrator, order, part, van, 3)
    level = (await service.list_stock(uow, location_id=van.id, part_id=part.id, cursor=None, limit=5)).items[0]
    assert (level.quantity, level.reserved, level.free) == (5, 3, 2)
    with pytest.raises(NotEnoughFree, match=r"Van 7 has 2\.000 pc of CAP-35 that nobody was promised"):
        await promise(uow, administrator, order, part, van, 3)
    assert await uow.value("select count(*) from event where name = 'reservation.made'") == 1


async def test_promises_need_an_order_and_a_place(uow, administrator, order, part, van):
    outside = await service.ensure_virtual_locations(uow)
    with pytest.raises(NoPlaceForStock):
        await promise(uow, administrator, order, part, next(iter(outside.values())), 1)
    with pytest.raises(NotFound):
        await reservations.reserve(
            uow, administrator, work_order_id=part.id, part_id=part.id, location_id=van.id, quantity=Decimal(1)
        )
    with pytest.raises(UnknownReservation):
        await reservations.release(uow, administrator, uow.new_id(), "why not")


async def test_consumption_uses_up_the_promise_bit_by_bit_and_closes_it_once(
    uow, administrator, engineer, order, part, van
):
    made = await promise(uow, administrator, order, part, van, 3)
    await use(uow, engineer, order, part, 1)
    assert (await reservations.find(uow, made.id)).used == 1
    outcome, _ = await use(uow, engineer, order, part, 3, reservation=made.id)
    assert (outcome.status, outcome.flags) == (Status.APPLIED, ())
    closed = await reservations.find(uow, made.id)
    assert (closed.used, closed.state) == (3, ReservationState.CLOSED)
    drawn = await uow.rows("select quantity from reservation_use order by quantity")
    assert [row["quantity"] for row in drawn] == [1, 2]
    assert await queries.quantity_at(uow, van.id, part.id) == 1
    facts = await uow.value("select facts from timeline_entry where action = 'part_used' order by id desc limit 1")
    assert (facts["quantity"], facts["reserved"]) == ("3", "2")


async def test_several_promises_are_used_up_oldest_first(uow, administrator, engineer, order, part, van):
    central = await a_warehouse(uow)
    await goods_in(uow, administrator, part, central, 5)
    first = await promise(uow, administrator, order, part, van, 1)
    second = await promise(uow, administrator, order, part, central, 4)
    outcome, _ = await use(uow, engineer, order, part, 3)
    assert outcome.flags == ("RESERVATION_ELSEWHERE",)
    assert [(await reservations.find(uow, it.id)).used for it in (first, second)] == [1, 2]


@pytest.mark.parametrize("how", ["closed", "released", "expired", "reassigned", "unknown"])
async def test_a_promise_that_is_gone_leaves_the_usage_to_free_stock_and_is_flagged(
    uow, administrator, dispatcher, engineer, order, part, van, clock, how
):
    other = await an_order(uow, dispatcher) if how == "reassigned" else order
    soon = uow.now() + timedelta(hours=1)
    made = await promise(uow, administrator, other, part, van, 1, expires_at=soon if how == "expired" else None)
    match how:
        case "closed":
            await use(uow, engineer, order, part, 1)
        case "released":
            await reservations.release(uow, administrator, made.id, "not needed")
        case "expired":
            clock.forward(timedelta(hours=2))
    named = uow.new_id() if how == "unknown" else made.id
    before = await reservations.find(uow, made.id)
    outcome, _ = await use(uow, engineer, order, part, 2, reservation=named)
    assert (outcome.status, outcome.flags) == (Status.APPLIED, (f"RESERVATION_{how.upper()}",))
    assert await reservations.find(uow, made.id) == before
    assert await queries.quantity_at(uow, van.id, part.id) == (2 if how == "closed" else 3)


async def test_taking_a_usage_back_opens_the_promise_again(uow, administrator, engineer, order, part, van):
    made = await promise(uow, administrator, order, part, van, 2)
    _, usage = await use(uow, engineer, order, part, 2)
    await from_phone(uow, engineer, "part.reverse", {"id": uow.new_id(), "movement": usage, "why": "wrong order"})
    again = await reservations.find(uow, made.id)
    assert (again.used, again.state, again.ended_at) == (0, ReservationState.OPEN, None)
    await use(uow, engineer, order, part, 2)
    assert (await reservations.find(uow, made.id)).state is ReservationState.CLOSED
    assert await uow.value("select sum(quantity) from reservation_use") == 2


async def test_a_return_opens_the_promise_it_names(uow, administrator, engineer, order, part, van):
    made = await promise(uow, administrator, order, part, van, 2)
    await use(uow, engineer, order, part, 2)
    back = {"id": uow.new_id(), "wo": order.id, "part": part.id, "quantity": 1, "reservation": made.id}
    assert (await from_phone(uow, engineer, "part.return", back)).flags == ()
    again = await reservations.find(uow, made.id)
    assert (again.used, again.state) == (1, ReservationState.OPEN)


async def test_an_order_that_is_over_frees_what_it_was_promised(uow, administrator, order, part, van):
    made = await promise(uow, administrator, order, part, van, 2)
    over = Event(uow.new_id(), "work_order.cancelled", "work_order", order.id, {}, None, "", uow.now(), 1)
    for _ in range(2):
        await release_promises(uow, over)
    released = await reservations.find(uow, made.id)
    assert (released.state, released.why) == (ReservationState.RELEASED, "The order is over (cancelled).")
    assert await uow.value("select count(*) from event where name = 'reservation.released'") == 1


async def test_a_used_up_promise_can_not_be_released(uow, administrator, engineer, order, part, van):
    made = await promise(uow, administrator, order, part, van, 1)
    await use(uow, engineer, order, part, 1)
    with pytest.raises(ReservationEnded):
        await reservations.release(uow, administrator, made.id, "not needed")


async def test_the_phone_of_the_order_sees_the_promise(uow, administrator, order, part, van):
    made = await promise(uow, administrator, order, part, van, 2)
    told = await uow.rows(
        """
        select e.entity_id, b.key from sync_entry e join sync_bucket b on b.id = e.bucket_id and b.org_id = e.org_id
        where e.entity = 30
        """
    )
    assert [(row["entity_id"], row["key"]) for row in told] == [(made.id, f"wo:{order.id}")]
    projected = await uow.row(_RESERVATION, ids=[made.id])
    assert projected is not None
    assert (projected["d"]["quantity"], projected["d"]["used"], projected["d"]["state"]) == (2, 0, "open")


async def test_two_sessions_promise_the_last_pieces_and_one_is_told_what_is_free(
    database, company, administrator, dispatcher
):
    async with database.unit_of_work(company.id) as uow:
        part, central, order = await a_part(uow), await a_warehouse(uow), await an_order(uow, dispatcher)
        await goods_in(uow, administrator, part, central, 3)

    async def claim() -> bool:
        try:
            async with database.unit_of_work(company.id) as uow:
                await promise(uow, administrator, order, part, central, 2)
                await asyncio.sleep(0.05)
        except NotEnoughFree:
            return False
        return True

    assert sorted(await asyncio.gather(claim(), claim())) == [False, True]


async def test_two_vans_that_use_one_promise_at_once_close_it_once(
    database, company, administrator, dispatcher, engineer
):
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        bruno = await another_engineer(uow, company.id)
        part, order = await a_part(uow), await an_order(uow, dispatcher)
        central = await a_warehouse(uow)
        await goods_in(uow, administrator, part, central, 1)
        for person, name in ((engineer, "Van 7"), (bruno, "Van 8")):
            van = await service.give_van(uow, person.person, name)
            await a_visit(uow, dispatcher, person, order)
        await transfer(uow, administrator, part, central, van, 1)
        made = await promise(uow, administrator, order, part, van, 1)

    async def spend(person) -> tuple[str, ...]:
        async with database.unit_of_work(company.id) as uow:
            outcome, _ = await use(uow, person, order, part, 1, reservation=made.id)
            await asyncio.sleep(0.05)
            return tuple(outcome.flags)

    flags = await asyncio.gather(spend(engineer), spend(bruno))
    assert sum("RESERVATION_CLOSED" in flag for flag in flags) == 1
    async with database.unit_of_work(company.id) as uow:
        closed = await reservations.find(uow, made.id)
        assert (closed.used, closed.state) == (1, ReservationState.CLOSED)
        assert await uow.value("select count(*) from reservation_use") == 1
        assert await service.ledger_sum(uow) == 0
