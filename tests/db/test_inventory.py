"""The ledger on real Postgres: nothing appears, nothing vanishes, nobody waits for ever."""

import asyncio
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.core.db import Database, UnitOfWork
from server.identity.domain import Actor
from server.inventory import queries, service
from server.inventory.domain import FieldPiece, LocationKind, Reason
from server.inventory.errors import (
    AlreadyReversed,
    LocationNameTaken,
    LocationNeedsDriver,
    MovementIdTaken,
    NotEnoughStock,
    NoVan,
    ReasonDoesNotFit,
    ReversalStands,
    SerialAlreadyUsed,
    SerialElsewhere,
    SerialNeeded,
    VanAlreadyGiven,
)
from tests.factories.inventory import a_part, a_warehouse, goods_in, transfer
from tests.factories.workorders import an_order


async def on_hand(uow: UnitOfWork, place, part) -> int:
    return int(await queries.quantity_at(uow, place.id, part.id))


def piece(uow: UnitOfWork, part, quantity: int = 1, serial: str | None = None, **changed) -> FieldPiece:
    facts = {
        "id": uow.new_id(),
        "part": part.id,
        "quantity": Decimal(quantity),
        "serial": serial,
        "work_order_id": None,
        "visit_id": None,
        "at": uow.now(),
        "device": None,
    }
    return FieldPiece(**(facts | changed))


async def test_goods_in_then_transfer_then_usage_leaves_exactly_what_was_not_used(uow, administrator, engineer):
    part, central = await a_part(uow), await a_warehouse(uow)
    van = await service.give_van(uow, engineer.person, "Van 7")
    await goods_in(uow, administrator, part, central, 10)
    await transfer(uow, administrator, part, central, van, 4)
    await service.use_part(uow, engineer, piece(uow, part, 3))
    assert (await on_hand(uow, central, part), await on_hand(uow, van, part)) == (6, 1)
    assert await service.ledger_sum(uow) == 0
    assert await service.balances_match(uow)


async def test_warehouse_below_zero_is_refused_with_a_sentence_naming_what_is_there(uow, administrator, engineer):
    part, central = await a_part(uow), await a_warehouse(uow)
    van = await service.give_van(uow, engineer.person, "Van 7")
    await goods_in(uow, administrator, part, central, 2)
    with pytest.raises(NotEnoughStock, match=r"Central has 2\.000 pc of CAP-35, which is less than 3"):
        async with uow.savepoint():
            await transfer(uow, administrator, part, central, van, 3)
    assert (await on_hand(uow, central, part), await on_hand(uow, van, part)) == (2, 0)


async def test_van_below_zero_goes_through_and_says_so_once(uow, engineer):
    part = await a_part(uow)
    van = await service.give_van(uow, engineer.person, "Van 7")
    await service.use_part(uow, engineer, piece(uow, part, 1))
    await service.use_part(uow, engineer, piece(uow, part, 1))
    assert await on_hand(uow, van, part) == -2
    told = await uow.rows("select payload from event where name = 'stock.went_negative'")
    assert [row["payload"]["quantity"] for row in told] == ["-1.000"]


async def test_the_same_usage_sent_twice_charges_the_van_once(uow, engineer):
    part = await a_part(uow)
    van = await service.give_van(uow, engineer.person, "Van 7")
    used = piece(uow, part)
    assert await service.use_part(uow, engineer, used)
    assert not await service.use_part(uow, engineer, used)
    assert await on_hand(uow, van, part) == -1


async def test_another_movement_under_a_known_id_is_refused(uow, engineer):
    part = await a_part(uow)
    await service.give_van(uow, engineer.person, "Van 7")
    used = piece(uow, part)
    await service.use_part(uow, engineer, used)
    with pytest.raises(MovementIdTaken):
        await service.use_part(uow, engineer, piece(uow, part, 5, id=used.id))


async def test_usage_without_a_van_is_refused_so_that_the_engine_can_keep_it_for_review(uow, engineer):
    with pytest.raises(NoVan):
        await service.use_part(uow, engineer, piece(uow, await a_part(uow)))


async def test_serial_used_twice_is_refused_and_may_be_used_again_after_its_return(uow, administrator, engineer):
    part = await a_part(uow, "PUMP", serial_tracked=True)
    van = await service.give_van(uow, engineer.person, "Van 7")
    await goods_in(uow, administrator, part, van, 1, serial="SN1")
    await service.use_part(uow, engineer, piece(uow, part, serial="SN1"))
    with pytest.raises(SerialAlreadyUsed):
        await service.use_part(uow, engineer, piece(uow, part, serial="SN1"))
    await service.return_part(uow, engineer, piece(uow, part, serial="SN1"))
    assert await service.use_part(uow, engineer, piece(uow, part, serial="SN1"))


async def test_tracked_part_needs_one_piece_and_its_serial(uow, administrator, engineer):
    part = await a_part(uow, "PUMP", serial_tracked=True)
    van = await service.give_van(uow, engineer.person, "Van 7")
    with pytest.raises(SerialNeeded):
        await goods_in(uow, administrator, part, van, 2, serial="SN1")
    with pytest.raises(SerialNeeded):
        await goods_in(uow, administrator, part, van, 1)


async def test_office_cannot_move_a_piece_from_where_it_is_not(uow, administrator, engineer):
    part, central = await a_part(uow, "PUMP", serial_tracked=True), await a_warehouse(uow)
    van = await service.give_van(uow, engineer.person, "Van 7")
    await goods_in(uow, administrator, part, van, 1, serial="SN1")
    with pytest.raises(SerialElsewhere, match="the ledger has it at Van 7"):
        await goods_in(uow, administrator, part, central, 1, serial="SN1")


async def test_reversal_restores_both_ends_and_happens_once(uow, administrator, engineer):
    part, central = await a_part(uow), await a_warehouse(uow)
    van = await service.give_van(uow, engineer.person, "Van 7")
    await goods_in(uow, administrator, part, central, 5)
    moved = await transfer(uow, administrator, part, central, van, 2)
    undone = await service.reverse(uow, administrator, moved, "wrong van")
    assert (await on_hand(uow, central, part), await on_hand(uow, van, part)) == (5, 0)
    assert (undone.reverses_id, undone.why) == (moved, "wrong van")
    with pytest.raises(AlreadyReversed):
        await service.reverse(uow, administrator, moved, "again")
    with pytest.raises(ReversalStands):
        await service.reverse(uow, administrator, undone.id, "back again")


async def test_the_ledger_itself_cannot_be_rewritten_by_the_product(uow, administrator):
    import psycopg

    part, central = await a_part(uow), await a_warehouse(uow)
    await goods_in(uow, administrator, part, central, 5)
    for statement in ("update stock_movement set quantity = 1", "delete from stock_movement"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with uow.savepoint():
                await uow.run(statement)


@pytest.mark.parametrize(
    ("reason", "source", "target"),
    [(Reason.GOODS_IN, "central", "van"), (Reason.TRANSFER, "supplier", "van"), (Reason.USED, "van", "central")],
)
async def test_a_reason_names_its_ends(uow, administrator, engineer, reason, source, target):
    part = await a_part(uow)
    outside = await service.ensure_virtual_locations(uow)
    places = {
        "central": await a_warehouse(uow),
        "van": await service.give_van(uow, engineer.person, "Van 7"),
        "supplier": outside[LocationKind.SUPPLIER],
    }
    with pytest.raises(ReasonDoesNotFit):
        await service.move(
            uow,
            administrator,
            id=uow.new_id(),
            part=part.id,
            source=places[source].id,
            target=places[target].id,
            quantity=Decimal(1),
            reason=reason,
        )


async def test_virtual_locations_are_made_once_and_their_names_stay_theirs(uow):
    first, again = await service.ensure_virtual_locations(uow), await service.ensure_virtual_locations(uow)
    assert {place.id for place in first.values()} == {place.id for place in again.values()}
    with pytest.raises(LocationNameTaken):
        await a_warehouse(uow, "Supplier")


async def test_one_van_a_person_and_a_person_for_each_van(uow, engineer):
    van = await service.give_van(uow, engineer.person, "Van 7")
    assert (await service.give_van(uow, engineer.person, "Van 8")).id == van.id
    with pytest.raises(VanAlreadyGiven):
        await service.add_location(uow, kind=LocationKind.VAN, name="Van 8", person_id=engineer.person)
    with pytest.raises(LocationNeedsDriver):
        await service.add_location(uow, kind=LocationKind.VAN, name="Van 9")


async def test_parts_used_nets_returns_and_names_the_pieces(uow, dispatcher, engineer):
    capacitor, pump = await a_part(uow), await a_part(uow, "PUMP", serial_tracked=True)
    await service.give_van(uow, engineer.person, "Van 7")
    order = (await an_order(uow, dispatcher)).id
    for used in (piece(uow, capacitor, 3), piece(uow, pump, serial="SN1"), piece(uow, pump, serial="SN2")):
        await service.use_part(uow, engineer, FieldPiece(**(vars(used) | {"work_order_id": order})))
    for back in (piece(uow, capacitor, 2), piece(uow, pump, serial="SN1")):
        await service.return_part(uow, engineer, FieldPiece(**(vars(back) | {"work_order_id": order})))
    assert [(used.sku, int(used.quantity), used.serials) for used in await service.parts_used(uow, order)] == [
        ("CAP-35", 1, ()),
        ("PUMP", 1, ("SN2",)),
    ]


@pytest.fixture
async def depot(database: Database, company, administrator: Actor):
    """Committed stock: 1,000 pieces in each of two warehouses."""
    async with database.unit_of_work(company.id) as uow:
        part = await a_part(uow)
        north, south = await a_warehouse(uow, "North"), await a_warehouse(uow, "South")
        for place in (north, south):
            await goods_in(uow, administrator, part, place, 1000)
    return part, north, south


async def test_opposite_transfers_at_once_neither_deadlock_nor_lose_an_update(database, company, administrator, depot):
    part, north, south = depot

    async def shuttle(source, target, quantity: int) -> None:
        for _ in range(25):
            async with database.unit_of_work(company.id) as uow:
                await transfer(uow, administrator, part, source, target, quantity)

    await asyncio.gather(shuttle(north, south, 3), shuttle(south, north, 2), shuttle(north, south, 1))
    async with database.unit_of_work(company.id) as uow:
        assert await on_hand(uow, north, part) == 1000 - 25 * 2
        assert await on_hand(uow, south, part) == 1000 + 25 * 2
        assert await service.ledger_sum(uow) == 0
        assert await service.balances_match(uow)


async def test_the_last_pieces_are_promised_to_one_of_two_at_once(database, company, administrator, depot):
    part, north, south = depot

    async def take_all() -> bool:
        try:
            async with database.unit_of_work(company.id) as uow:
                await transfer(uow, administrator, part, north, south, 1000)
        except NotEnoughStock:
            return False
        return True

    assert sorted(await asyncio.gather(take_all(), take_all())) == [False, True]


async def test_two_devices_use_one_serial_at_once_and_one_of_them_hears_it(database, company, administrator, engineer):
    async with database.unit_of_work(company.id) as uow:
        part = await a_part(uow, "PUMP", serial_tracked=True)
        for person, name in ((engineer, "Van 7"), (administrator, "Van 8")):
            await service.give_van(uow, person.person, name)

    async def use(actor: Actor) -> bool:
        try:
            async with database.unit_of_work(company.id) as uow:
                await service.use_part(uow, actor, piece(uow, part, serial="SN1"))
                await asyncio.sleep(0.05)
        except SerialAlreadyUsed:
            return False
        return True

    assert sorted(await asyncio.gather(use(engineer), use(administrator))) == [False, True]


async def test_usages_of_one_part_on_two_vans_do_not_wait_for_each_other(database, company, administrator, engineer):
    async with database.unit_of_work(company.id) as uow:
        part = await a_part(uow)
        for person, name in ((engineer, "Van 7"), (administrator, "Van 8")):
            await service.give_van(uow, person.person, name)
    async with database.unit_of_work(company.id) as held:
        await service.use_part(held, engineer, piece(held, part))
        async with asyncio.timeout(1.5), database.unit_of_work(company.id) as other:
            await service.use_part(other, administrator, piece(other, part))


places = st.integers(0, 3)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("in"), places, st.integers(1, 20)),
        st.tuples(st.just("transfer"), places, places, st.integers(1, 20)),
        st.tuples(st.just("use"), st.integers(0, 1), st.integers(1, 20)),
        st.tuples(st.just("undo"), st.integers(0, 10)),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
async def test_any_sequence_of_movements_keeps_the_ledger_and_its_balances(
    uow, administrator, engineer, dispatcher, done
):
    from server.core.errors import Problem

    async with uow.connection.transaction(force_rollback=True):
        part = await a_part(uow, f"P-{uuid4().hex}")
        vans = [
            await service.give_van(uow, engineer.person, "Van 7"),
            await service.give_van(uow, dispatcher.person, "Van 8"),
        ]
        spots = [*vans, await a_warehouse(uow, "North"), await a_warehouse(uow, "South")]
        made, expected = [], dict.fromkeys(range(4), 0)
        for step in done:
            try:
                async with uow.savepoint():
                    match step:
                        case ("in", to, n):
                            await goods_in(uow, administrator, part, spots[to], n)
                            change = {to: n}
                        case ("transfer", source, to, n):
                            made.append(
                                (await transfer(uow, administrator, part, spots[source], spots[to], n), source, to, n)
                            )
                            change = {source: -n, to: n}
                        case ("use", who, n):
                            await service.use_part(uow, (engineer, dispatcher)[who], piece(uow, part, n))
                            change = {who: -n}
                        case ("undo", which):
                            if which >= len(made):
                                continue
                            movement, source, to, n = made[which]
                            await service.reverse(uow, administrator, movement, "mistake")
                            change = {source: n, to: -n}
            except Problem:
                continue
            for spot, n in change.items():
                expected[spot] += n
        assert {i: await on_hand(uow, spots[i], part) for i in range(4)} == expected
        assert expected[2] >= 0
        assert expected[3] >= 0
        assert await service.ledger_sum(uow) == 0
        assert await service.balances_match(uow)
