"""Goods that change hands: heard from both sides, in either order, lost by neither."""

import asyncio
import itertools
from contextlib import suppress
from decimal import Decimal

import pytest
from psycopg.errors import DeadlockDetected

from server.inventory import discrepancies, queries, service, transfer_queries, transfers
from server.inventory.domain import LocationKind, TransferState, TransferTold
from server.inventory.errors import NotYourVan, SameLocation, StandsByItself
from server.inventory.projections import _TRANSFER
from server.sync.domain import Status
from tests.factories.confirmation import from_phone
from tests.factories.inventory import a_part, a_warehouse, goods_in
from tests.factories.workforce import another_engineer


@pytest.fixture
async def part(uow):
    return await a_part(uow)


@pytest.fixture
async def bruno(uow, company):
    return await another_engineer(uow, company.id)


@pytest.fixture
async def vans(uow, engineer, administrator, bruno, part):
    """The engineer's van with five pieces, and Bruno's, which is empty."""
    mine, his = [await service.give_van(uow, who.person, name) for who, name in ((engineer, "Van 7"), (bruno, "Van 8"))]
    await goods_in(uow, administrator, part, mine, 5)
    return mine, his


def sending(uow, part, to, quantity=2, **more):
    return {"id": uow.new_id(), "part": part.id, "quantity": quantity, "to": to.id} | more


def receiving(uow, sent, quantity=2, **more):
    return {"id": uow.new_id(), "transfer": sent["id"], "part": sent["part"], "quantity": quantity} | more


async def holds(uow, part, *places):
    return tuple([int(await queries.quantity_at(uow, place.id, part.id)) for place in places])


async def is_sound(uow) -> bool:
    """The ledger adds up, and what it has in transit is what the transfers say is on the way."""
    transit = (await service.ensure_virtual_locations(uow))[LocationKind.TRANSIT]
    net = await uow.value(
        """
        select coalesce(sum(case when to_id = %(at)s then quantity when from_id = %(at)s then -quantity end), 0)
        from stock_movement
        """,
        at=transit.id,
    )
    return (
        await service.ledger_sum(uow) == 0
        and await service.balances_match(uow)
        and net == await transfer_queries.in_transit(uow)
    )


async def open_tasks(uow):
    return await uow.rows(
        "select kind, expected, found from discrepancy where state = 'open' order by kind, expected, found"
    )


async def test_what_is_sent_is_on_the_way_until_it_is_received(uow, engineer, bruno, part, vans):
    sent = sending(uow, part, vans[1])
    await from_phone(uow, engineer, "part.transfer", sent)
    assert await holds(uow, part, *vans) == (3, 0)
    listed = await transfers.list_transfers(
        uow, states=(TransferState.SENT,), location_id=vans[1].id, part_id=None, cursor=None, limit=5
    )
    assert [(it.id, it.sent, it.to_id) for it in listed.items] == [(sent["id"], 2, vans[1].id)]
    await from_phone(uow, bruno, "part.receive", receiving(uow, sent))
    assert await holds(uow, part, *vans) == (3, 2)
    assert (await transfers.find(uow, sent["id"])).state is TransferState.RECEIVED
    assert await open_tasks(uow) == []
    assert await is_sound(uow)


async def test_either_side_may_be_heard_first_and_any_of_them_twice(uow, engineer, bruno, part, vans):
    sent = sending(uow, part, vans[1])
    received = receiving(uow, sent)
    acts = [(engineer, "part.transfer", sent), (bruno, "part.receive", received)] * 2
    for order in set(itertools.permutations(range(4))):
        async with uow.connection.transaction(force_rollback=True):
            outcomes = [await from_phone(uow, *acts[index]) for index in order]
            assert sorted(outcome.status for outcome in outcomes) == ["applied", "applied", "merged", "merged"]
            assert await holds(uow, part, *vans) == (3, 2), order
            assert await open_tasks(uow) == [], order
            assert await is_sound(uow)


async def test_what_arrives_unannounced_is_in_the_van_and_a_task_until_the_sender_is_heard(
    uow, engineer, bruno, part, vans
):
    sent = sending(uow, part, vans[1])
    outcome = await from_phone(uow, bruno, "part.receive", receiving(uow, sent))
    assert (outcome.status, outcome.flags) == (Status.APPLIED, ("TRANSFER_UNANNOUNCED",))
    assert await holds(uow, part, *vans) == (5, 2)
    assert await open_tasks(uow) == [{"kind": "transfer", "expected": 0, "found": 2}]
    assert await is_sound(uow)
    await from_phone(uow, engineer, "part.transfer", sent)
    assert await holds(uow, part, *vans) == (3, 2)
    assert await open_tasks(uow) == []
    assert await is_sound(uow)


@pytest.mark.parametrize("first", ["sent", "received"])
async def test_less_than_was_sent_is_a_task_with_both_numbers_and_nothing_stays_on_the_way(
    uow, engineer, bruno, part, vans, first
):
    sent = sending(uow, part, vans[1], 3)
    acts = [(engineer, "part.transfer", sent), (bruno, "part.receive", receiving(uow, sent, 2))]
    for act in acts if first == "sent" else acts[::-1]:
        await from_phone(uow, *act)
    assert await holds(uow, part, *vans) == (2, 2)
    assert await open_tasks(uow) == [{"kind": "transfer", "expected": 3, "found": 2}]
    assert await is_sound(uow)


async def test_a_second_arrival_of_one_transfer_is_set_aside_with_a_task(uow, engineer, bruno, dispatcher, part, vans):
    sent = sending(uow, part, vans[1])
    await from_phone(uow, engineer, "part.transfer", sent)
    await from_phone(uow, bruno, "part.receive", receiving(uow, sent))
    claimed = await from_phone(uow, engineer, "part.receive", receiving(uow, sent))
    assert (claimed.status, claimed.code) == (Status.QUARANTINED, "TRANSFER_ALREADY_RECEIVED")
    other = await a_part(uow, "FAN-01")
    confused = await from_phone(uow, bruno, "part.receive", receiving(uow, sent) | {"part": other.id})
    assert (confused.status, confused.code) == (Status.QUARANTINED, "TRANSFER_DIFFERS")
    assert await holds(uow, part, *vans) == (3, 2)
    assert len(await open_tasks(uow)) == 2
    assert await is_sound(uow)


async def test_something_else_sent_under_the_id_of_what_arrived_is_set_aside(uow, engineer, bruno, part, vans):
    sent = sending(uow, part, vans[1])
    await from_phone(uow, bruno, "part.receive", receiving(uow, sent))
    other = await a_part(uow, "FAN-01")
    refused = await from_phone(uow, engineer, "part.transfer", sent | {"part": other.id})
    assert (refused.status, refused.code) == (Status.QUARANTINED, "TRANSFER_DIFFERS")
    assert await holds(uow, part, *vans) == (5, 2)
    assert await is_sound(uow)


async def test_the_sender_may_take_it_back(uow, engineer, part, vans):
    sent = sending(uow, part, vans[1])
    await from_phone(uow, engineer, "part.transfer", sent)
    await from_phone(uow, engineer, "part.receive", receiving(uow, sent))
    assert await holds(uow, part, *vans) == (5, 0)
    assert await is_sound(uow)


async def test_what_an_engineer_takes_from_a_warehouse_is_theirs_at_once_and_below_zero_is_a_task(
    uow, engineer, part, vans
):
    central = await a_warehouse(uow)
    taken = sending(uow, part, vans[0], source=central.id)
    assert (await from_phone(uow, engineer, "part.transfer", taken)).status is Status.APPLIED
    assert await holds(uow, part, central, vans[0]) == (-2, 7)
    assert (await transfers.find(uow, taken["id"])).state is TransferState.RECEIVED
    assert await open_tasks(uow) == [{"kind": "negative", "expected": 0, "found": -2}]
    assert (await from_phone(uow, engineer, "part.transfer", taken)).status is Status.MERGED
    assert await is_sound(uow)


async def test_a_piece_keeps_its_name_on_the_way(uow, engineer, administrator, bruno, vans):
    pump = await a_part(uow, "PUMP", serial_tracked=True)
    await goods_in(uow, administrator, pump, vans[0], 1, serial="A")
    sent = sending(uow, pump, vans[1], 1, serial="A")
    await from_phone(uow, engineer, "part.transfer", sent)
    assert list((await queries.places_of_serial(uow, pump.id, "A")).values()) == ["Transit"]
    await from_phone(uow, bruno, "part.receive", receiving(uow, sent, 1, serial="A"))
    assert list((await queries.places_of_serial(uow, pump.id, "A")).values()) == ["Van 8"]


async def test_nobody_empties_another_s_van_or_sends_to_where_it_is(uow, engineer, part, vans):
    with pytest.raises(NotYourVan):
        await from_phone(uow, engineer, "part.transfer", sending(uow, part, vans[0], source=vans[1].id))
    with pytest.raises(SameLocation):
        await from_phone(uow, engineer, "part.transfer", sending(uow, part, vans[0]))


async def test_half_of_a_transfer_is_not_reversed(uow, engineer, administrator, part, vans):
    sent = sending(uow, part, vans[1])
    await from_phone(uow, engineer, "part.transfer", sent)
    with pytest.raises(StandsByItself):
        await service.reverse(uow, administrator, sent["id"], "never mind")


async def test_the_phones_of_both_vans_see_it(uow, engineer, part, vans):
    sent = sending(uow, part, vans[1])
    await from_phone(uow, engineer, "part.transfer", sent)
    told = await uow.rows(
        """
        select e.entity, b.key from sync_entry e join sync_bucket b on b.id = e.bucket_id and b.org_id = e.org_id
        where e.entity_id = %(id)s order by e.entity, b.key
        """,
        id=sent["id"],
    )
    assert [(row["entity"], row["key"]) for row in told] == [(31, key) for key in sorted(f"van:{it.id}" for it in vans)]
    projected = await uow.row(_TRANSFER, ids=[sent["id"]])
    assert projected is not None
    assert (projected["d"]["sent"], projected["d"]["received"], projected["d"]["state"]) == (2, None, "sent")


async def test_sender_and_receiver_heard_at_the_same_time_meet(database, company, administrator, engineer):
    async with database.unit_of_work(company.id) as uow:
        bruno = await another_engineer(uow, company.id)
        part = await a_part(uow)
        vans = [await service.give_van(uow, who.person, who.name) for who in (engineer, bruno)]
        await goods_in(uow, administrator, part, vans[0], 10)
        ids = [uow.new_id() for _ in range(8)]

    async def hear(send: bool, transfer, back: bool) -> None:
        giver, taker, to = (bruno, engineer, vans[0]) if back else (engineer, bruno, vans[1])
        facts = {"part": part.id, "quantity": 1}
        while True:
            # Two vans' shelves and two vans' phones, touched from both ends: one of two may have to try again, as push
            # does by itself.
            with suppress(DeadlockDetected):
                async with database.unit_of_work(company.id) as uow:
                    if send:
                        await from_phone(uow, giver, "part.transfer", {"id": transfer, "to": to.id} | facts)
                    else:
                        await from_phone(uow, taker, "part.receive", {"id": uow.new_id(), "transfer": transfer} | facts)
                    await asyncio.sleep(0.01)
                return

    await asyncio.gather(*(hear(send, key, n % 4 == 0) for n, key in enumerate(ids) for send in (True, False)))
    async with database.unit_of_work(company.id) as uow:
        assert await holds(uow, part, *vans) == (10 - 6 + 2, 6 - 2)
        assert await open_tasks(uow) == [] or all(task["kind"] == "negative" for task in await open_tasks(uow))
        assert await is_sound(uow)


async def test_the_office_receives_at_the_warehouse(uow, engineer, administrator, part, vans):
    central = await a_warehouse(uow)
    sent = sending(uow, part, central)
    await from_phone(uow, engineer, "part.transfer", sent)
    told = TransferTold(uow.new_id(), sent["id"], part.id, Decimal(2), None, uow.now())
    assert await transfers.receive(uow, administrator, told, into=central.id)
    assert await holds(uow, part, central) == (2,)
    assert await transfers.receive(uow, administrator, told, into=central.id) is None


async def test_a_difference_noted_by_hand_is_resolved_with_a_reason(uow, administrator, part, vans):
    from server.inventory.domain import DiscrepancyKind, DiscrepancyState
    from server.inventory.errors import DiscrepancyResolved

    noted = await discrepancies.open_by_hand(
        uow, administrator, kind=DiscrepancyKind.NEGATIVE, part=part.id, location=vans[0].id, note="Box was open."
    )
    again = await discrepancies.open_by_hand(
        uow, administrator, kind=DiscrepancyKind.NEGATIVE, part=part.id, location=vans[0].id, note="Really."
    )
    assert again == noted
    done = await discrepancies.resolve(uow, administrator, noted.id, "Recounted.")
    assert (done.state, done.resolved_by, done.resolution) == (
        DiscrepancyState.RESOLVED,
        administrator.person,
        "Recounted.",
    )
    with pytest.raises(DiscrepancyResolved):
        await discrepancies.resolve(uow, administrator, noted.id, "Again.")
