"""A count is true at its moment, whatever arrives before or after it."""

import asyncio
import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.core.db import Database, UnitOfWork
from server.identity.domain import Actor
from server.inventory import counts, queries, service
from server.inventory.domain import CountTold, FieldPiece, Location, Part, VanOf
from server.inventory.errors import CountIdTaken, CountNeedsSerials, NoPlaceForStock, NotYourVan, SerialNotTracked
from tests.factories.inventory import a_part, a_warehouse, goods_in

PHONE, TABLET = UUID(int=1), UUID(int=2)
STREAM = UUID(int=11)


def told(uow: UnitOfWork, actor: Actor, part: Part, found: float, minute: float, **more) -> CountTold:
    facts: dict[str, Any] = {
        "id": uow.new_id(),
        "location": VanOf(actor.person),
        "part": part.id,
        "quantity": Decimal(str(found)),
        "serials": None,
        "at": uow.now() + timedelta(minutes=minute),
    }
    return CountTold(**(facts | more))


def used(uow: UnitOfWork, part: Part, quantity: float, minute: float, **more) -> FieldPiece:
    facts: dict[str, Any] = {
        "id": uow.new_id(),
        "part": part.id,
        "quantity": Decimal(str(quantity)),
        "serial": None,
        "work_order_id": None,
        "visit_id": None,
        "at": uow.now() + timedelta(minutes=minute),
        "device": PHONE,
        "stream": STREAM,
    }
    return FieldPiece(**(facts | more))


async def open_counts(uow: UnitOfWork) -> list[tuple[Decimal, Decimal]]:
    rows = await uow.rows("select expected, found from discrepancy where kind = 'count' and state = 'open' order by id")
    return [(row["expected"], row["found"]) for row in rows]


async def is_sound(uow: UnitOfWork) -> bool:
    return await service.ledger_sum(uow) == 0 and await service.balances_match(uow)


@pytest.fixture
async def part(uow):
    return await a_part(uow)


@pytest.fixture
async def van(uow, engineer):
    return await service.give_van(uow, engineer.person, "Van 7")


async def test_a_count_books_the_difference_and_opens_a_task_that_names_both_numbers(uow, engineer, part, van):
    await goods_in(uow, engineer, part, van, 10)
    await counts.count(uow, engineer, told(uow, engineer, part, 7.5, 60))
    assert await queries.quantity_at(uow, van.id, part.id) == Decimal("7.5")
    assert await open_counts(uow) == [(Decimal(10), Decimal("7.5"))]
    assert await uow.value("select count(*) from event where name = 'stock.counted'") == 1
    assert await is_sound(uow)


async def test_a_count_that_agrees_books_nothing_and_asks_nobody(uow, engineer, part, van):
    await goods_in(uow, engineer, part, van, 4)
    await counts.count(uow, engineer, told(uow, engineer, part, 4, 60))
    assert await open_counts(uow) == []
    assert await uow.value("select count(*) from stock_movement where reason = 'counted'") == 0


async def test_a_usage_made_before_the_count_and_told_after_it_is_not_subtracted_again(uow, engineer, part, van):
    await goods_in(uow, engineer, part, van, 10)
    counted = told(uow, engineer, part, 7, 60)
    await counts.count(uow, engineer, counted)
    assert await open_counts(uow) == [(Decimal(10), Decimal(7))]
    await service.use_part(uow, engineer, used(uow, part, 3, 30))
    assert await queries.quantity_at(uow, van.id, part.id) == 7
    assert await open_counts(uow) == []
    resolution = await uow.row("select state, resolved_by, resolution from discrepancy")
    assert resolution == {
        "state": "resolved",
        "resolved_by": None,
        "resolution": "What was moved before the count arrived later and explains it.",
    }
    assert await is_sound(uow)


async def test_a_late_usage_that_the_count_knew_nothing_of_opens_the_task_it_needs(uow, engineer, part, van):
    await goods_in(uow, engineer, part, van, 3)
    await counts.count(uow, engineer, told(uow, engineer, part, 3, 60))
    late = used(uow, part, 1, 30)
    await service.use_part(uow, engineer, late)
    assert await queries.quantity_at(uow, van.id, part.id) == 3
    assert await open_counts(uow) == [(Decimal(2), Decimal(3))]
    answer = await uow.row("select quantity, reason, count_id from stock_movement where count_id is not null")
    assert answer is not None
    assert (answer["quantity"], answer["reason"]) == (Decimal(1), "counted")
    await service.reverse(uow, engineer, late.id, "typed twice")
    assert await queries.quantity_at(uow, van.id, part.id) == 3
    assert await open_counts(uow) == []
    assert await is_sound(uow)


async def test_a_task_a_person_resolved_stays_resolved(uow, engineer, administrator, part, van):
    from server.inventory import discrepancies

    await counts.count(uow, engineer, told(uow, engineer, part, 5, 60))
    task = await uow.value("select id from discrepancy")
    await discrepancies.resolve(uow, administrator, task, "Found in the other van.")
    await service.use_part(uow, engineer, used(uow, part, 1, 30))
    assert await uow.value("select resolution from discrepancy where id = %(id)s", id=task) == "Found in the other van."
    assert await open_counts(uow) == []


async def test_the_same_count_told_twice_counts_once_and_another_under_its_id_is_refused(uow, engineer, part, van):
    counted = told(uow, engineer, part, 5, 0)
    assert await counts.count(uow, engineer, counted)
    assert await counts.count(uow, engineer, counted) is None
    assert await queries.quantity_at(uow, van.id, part.id) == 5
    with pytest.raises(CountIdTaken):
        await counts.count(uow, engineer, told(uow, engineer, part, 6, 0, id=counted.id))


async def test_within_one_device_its_sequence_tells_what_came_first_when_estimates_are_close(uow, engineer, part, van):
    """The usage was made before the count, but its batch travelled slowly and its estimate came out later."""
    await goods_in(uow, engineer, part, van, 10)
    await service.use_part(uow, engineer, used(uow, part, 2, 60.1, seq=5))
    await counts.count(uow, engineer, told(uow, engineer, part, 8, 60, device=PHONE, stream=STREAM, seq=6))
    assert await queries.quantity_at(uow, van.id, part.id) == 8
    assert await open_counts(uow) == []
    await service.use_part(uow, engineer, used(uow, part, 1, 59.9, seq=7))
    assert await queries.quantity_at(uow, van.id, part.id) == 7
    assert await open_counts(uow) == []


async def test_sequences_of_two_streams_of_one_device_say_nothing_to_each_other(uow, engineer, part, van):
    """After a fork the new stream begins at one: what it tells first is not earlier than all that was told before."""
    await goods_in(uow, engineer, part, van, 10)
    await counts.count(uow, engineer, told(uow, engineer, part, 8, 60, device=PHONE, stream=STREAM, seq=40))
    after = used(uow, part, 1, 61, stream=UUID(int=12), seq=1)
    await service.use_part(uow, engineer, after)
    assert await queries.quantity_at(uow, van.id, part.id) == 7
    await counts.count(uow, engineer, told(uow, engineer, part, 7, 62, device=PHONE, stream=UUID(int=12), seq=2))
    await service.use_part(uow, engineer, used(uow, part, 1, 61.5, stream=STREAM, seq=41))
    assert await queries.quantity_at(uow, van.id, part.id) == 7
    await service.reverse(uow, engineer, after.id, "typed twice")
    assert await queries.quantity_at(uow, van.id, part.id) == 7
    assert await is_sound(uow)


async def test_within_one_stream_its_sequence_decides_while_estimates_are_close(uow, engineer, part, van):
    stream = {"device": PHONE, "stream": STREAM}
    await goods_in(uow, engineer, part, van, 10)
    await service.use_part(uow, engineer, used(uow, part, 2, 60.1, seq=5, **stream))
    await counts.count(uow, engineer, told(uow, engineer, part, 8, 60, seq=6, **stream))
    assert await queries.quantity_at(uow, van.id, part.id) == 8
    assert await open_counts(uow) == []


async def test_a_count_in_a_new_stream_does_not_correct_a_later_one_of_the_old(uow, engineer, part, van):
    await counts.count(uow, engineer, told(uow, engineer, part, 5, 60.1, device=PHONE, stream=STREAM, seq=6))
    await counts.count(uow, engineer, told(uow, engineer, part, 4, 60, device=PHONE, stream=UUID(int=12), seq=7))
    assert await queries.quantity_at(uow, van.id, part.id) == 5


async def test_a_device_that_corrects_its_count_at_once_is_believed_the_second_time(uow, engineer, part, van):
    await counts.count(uow, engineer, told(uow, engineer, part, 5, 60.1, device=PHONE, stream=STREAM, seq=6))
    await counts.count(uow, engineer, told(uow, engineer, part, 4, 60, device=PHONE, stream=STREAM, seq=7))
    assert await queries.quantity_at(uow, van.id, part.id) == 4


async def test_pieces_are_counted_by_name(uow, engineer, van):
    pump = await a_part(uow, "PUMP", serial_tracked=True)
    for serial in ("A", "B"):
        await goods_in(uow, engineer, pump, van, 1, serial=serial)
    counted = told(uow, engineer, pump, 2, 60, serials=("A", "C"))
    await counts.count(uow, engineer, counted)
    assert await queries.quantity_at(uow, van.id, pump.id) == 2
    places = {serial: await queries.places_of_serial(uow, pump.id, serial) for serial in "ABC"}
    assert [van.id in places[serial] for serial in "ABC"] == [True, False, True]
    assert await open_counts(uow) == [(Decimal(2), Decimal(2))]
    await service.use_part(uow, engineer, used(uow, pump, 1, 30, serial="B"))
    assert await queries.quantity_at(uow, van.id, pump.id) == 2
    assert van.id not in await queries.places_of_serial(uow, pump.id, "B")
    assert await is_sound(uow)


@pytest.mark.parametrize("serials", [None, ("A",), ("A", "A")])
async def test_a_count_of_pieces_names_each_once(uow, engineer, van, serials):
    pump = await a_part(uow, "PUMP", serial_tracked=True)
    with pytest.raises(CountNeedsSerials):
        await counts.count(uow, engineer, told(uow, engineer, pump, 2, 0, serials=serials))


async def test_nobody_counts_what_is_not_theirs_or_nowhere(uow, engineer, administrator, dispatcher, part, van):
    outside = await service.ensure_virtual_locations(uow)
    with pytest.raises(NotYourVan):
        await counts.count(uow, dispatcher, told(uow, dispatcher, part, 1, 0, location=van.id))
    with pytest.raises(NoPlaceForStock):
        await counts.count(
            uow, administrator, told(uow, administrator, part, 1, 0, location=next(iter(outside.values())).id)
        )
    with pytest.raises(SerialNotTracked):
        await counts.count(uow, engineer, told(uow, engineer, part, 1, 0, serials=("A",)))
    assert await counts.count(uow, administrator, told(uow, administrator, part, 1, 0, location=van.id))


DAY = (
    ("used", 3, 10),
    ("count", 6, 20),
    ("used", 1, 30),
    ("count", 9, 40),
    ("used", 2, 50),
)


async def test_every_order_of_arrival_ends_with_the_last_count_less_later_usages(uow, engineer, part, van):
    await goods_in(uow, engineer, part, van, 10)
    ids = [uow.new_id() for _ in DAY]
    for order in itertools.permutations(range(len(DAY))):
        async with uow.connection.transaction(force_rollback=True):
            for index in order:
                await _tell(uow, engineer, part, *DAY[index], ids[index])
            assert await queries.quantity_at(uow, van.id, part.id) == 9 - 2, order
            # 10 - 3 = 7, found 6; then 6 - 1 = 5, found 9.
            assert await _booked(uow, van) == {ids[1]: -1, ids[3]: 4}, order
            tasks = await uow.rows("select count_id, expected from discrepancy where kind = 'count' and state = 'open'")
            assert {row["count_id"]: row["expected"] for row in tasks} == {ids[1]: 7, ids[3]: 5}, order
            assert await is_sound(uow)


async def _tell(
    uow: UnitOfWork, actor: Actor, part: Part, kind: str, quantity: float, minute: float, key: UUID
) -> None:
    if kind == "count":
        await counts.count(uow, actor, told(uow, actor, part, quantity, minute, id=key))
    else:
        move = service.use_part if kind == "used" else service.return_part
        await move(uow, actor, used(uow, part, quantity, minute, id=key))


async def _booked(uow: UnitOfWork, van: Location) -> dict[UUID, Decimal]:
    rows = await uow.rows(
        """
        select count_id, sum(case when to_id = %(van)s then quantity else -quantity end) as change
        from stock_movement where count_id is not null group by count_id
        """,
        van=van.id,
    )
    return {row["count_id"]: row["change"] for row in rows}


acts = st.lists(
    st.tuples(
        st.sampled_from(["used", "returned", "count"]),
        st.integers(1, 6000).map(lambda thousandths: Decimal(thousandths) / 1000),
        st.integers(0, 12),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
async def test_whatever_happened_every_order_of_arrival_gives_the_same_stock(uow, engineer, part, van, acts):
    async with uow.connection.transaction(force_rollback=True):
        happened = [(kind, quantity, minute, uow.new_id()) for kind, quantity, minute, _ in acts]
        arriving = sorted(zip(happened, acts, strict=True), key=lambda pair: pair[1][3])
        for act, _ in arriving:
            await _tell(uow, engineer, part, *act)
        # Counts of one moment stand in the order of their ids; what was moved at that moment came before them.
        expected = Decimal(0)
        for kind, quantity, _, _ in sorted(happened, key=lambda act: (act[2], act[0] == "count", act[3])):
            expected = quantity if kind == "count" else expected + (quantity if kind == "returned" else -quantity)
        assert await queries.quantity_at(uow, van.id, part.id) == expected
        assert await is_sound(uow)


async def test_a_count_and_a_usage_at_the_same_time_agree_on_who_was_first(
    database: Database, company, administrator, engineer
):
    """Two real sessions: whoever gets the shelf second sees the other."""
    async with database.unit_of_work(company.id) as uow:
        part = await a_part(uow)
        van = await service.give_van(uow, engineer.person, "Van 7")
        await goods_in(uow, administrator, part, van, 10)

    async def act(what) -> None:
        async with database.unit_of_work(company.id) as uow:
            await what(uow)
            await asyncio.sleep(0.05)

    for round_ in range(1, 6):
        minute = round_ * 60
        await asyncio.gather(
            act(lambda uow, m=minute: service.use_part(uow, engineer, used(uow, part, 1, m - 5))),
            act(lambda uow, m=minute: counts.count(uow, engineer, told(uow, engineer, part, 20, m))),
            act(lambda uow, m=minute: service.use_part(uow, engineer, used(uow, part, 2, m + 5))),
        )
        async with database.unit_of_work(company.id) as uow:
            assert await queries.quantity_at(uow, van.id, part.id) == 20 - 2
            assert await is_sound(uow)


async def test_the_stock_desk_counts_a_warehouse(uow, administrator, part):
    central = await a_warehouse(uow)
    await goods_in(uow, administrator, part, central, 10)
    await counts.count(uow, administrator, told(uow, administrator, part, 8, 0, location=central.id))
    assert await queries.quantity_at(uow, central.id, part.id) == 8
