"""What is rightfully erased is on record and sealed as such; what went without a record is still missed."""

import json
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from callout import auditing
from callout import database as provisioning
from callout.wiring import registry
from server.audit.checking import verify_chain
from server.audit.domain import SOURCES
from server.audit.erasing import NoOrderToErase, erase_order
from server.audit.sealing import seal_everything
from server.confirmation.reporting import make_report
from server.confirmation.sealing import Sealer
from server.confirmation.seals import SealKeys
from server.core.clock import SystemClock
from server.core.db import Database
from server.customers.queries import site as the_site
from server.dispatch.planning import queries as planning_queries
from server.dispatch.planning import service as planning
from server.dispatch.planning import solving, ways
from server.dispatch.planning.domain import Effort, Scope
from server.geo.estimate import EstimatedTravel
from server.inventory.queries import drifted_balances, ledger_sum
from server.media.queries import unreferred
from server.media.store import DiskStore
from server.sync import rescue
from server.workorders import service as workorders
from tests.factories.audit import as_superuser, kinds, sealed
from tests.factories.confirmation import a_full_order, a_signature
from tests.factories.identity import found_company
from tests.factories.media import a_photo
from tests.factories.sync import enrolled_phone
from tests.factories.workforce import a_shift, an_engineer
from tests.factories.workorders import a_visit, an_order

SECRET = "Madame Rossi is ill"


@pytest.fixture
def store(tmp_path) -> DiskStore:
    return DiskStore(tmp_path / "blobs")


@pytest.fixture
def photo():
    return a_photo()


@pytest.fixture
async def other(database, dispatcher, engineer, lived):
    """An order beside it that nobody asked to erase."""
    async with database.unit_of_work(dispatcher.org) as uow:
        order = await an_order(uow, dispatcher, title="The neighbour's")
        await a_visit(uow, dispatcher, engineer, order)
    return order


@pytest.fixture
async def phone(database, engineer):
    return await enrolled_phone(database, engineer, registry())


def told(phone, order, **changed):
    """A note on the order, as the phone records it."""
    args = {"id": str(uuid4()), "wo": str(order.id), "body": SECRET} | changed
    return phone.note("", name="note.add", args=args)


@pytest.fixture
async def lived(database, store, company, dispatcher, engineer, phone, photo, tmp_path):
    """An order that was worked on, told of by phone, signed, reported and argued about."""
    async with database.unit_of_work(company.id) as uow:
        order = await a_full_order(uow, dispatcher, engineer, photo)
        package = a_signature(uow, order, comment=SECRET)
    pushed = await phone.push(
        told(phone, order),
        phone.note("", name="signature.capture", v=2, args=package),
        told(phone, order, id="no id"),
    )
    assert [it["status"] for it in pushed.results] == ["applied", "applied", "quarantined"]
    async with database.unit_of_work(company.id) as uow:
        await uow.run(
            """
            insert into review (org_id, id, item_id, verdict, note, person_id, at)
            select org_id, gen_random_uuid(), id, 'comment', %(note)s, person_id, opened_at from review_item
            """,
            note=SECRET,
        )
    await make_report(
        database,
        store,
        company.id,
        order.id,
        sealer=Sealer(SealKeys(tmp_path / "seals"), SystemClock()),
        verify_base="https://x/",
        mint_code=lambda: order.id.bytes[8:] + uuid4().bytes[:8],
    )
    return order


@pytest.fixture
async def administrator_s(test_database, clock):
    """The database as an administrator sees it: past row-level security."""
    opened = Database(test_database.owner_url, clock, min_size=0, max_size=2)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def erase(administrator_s, company):
    async def erase(order, *, why="request 17", by=None):
        async with administrator_s.unit_of_work(company.id) as uow:
            return await erase_order(uow, order.number, why=why, by=by)

    return erase


async def rows_with(test_database, text):
    """Name every table in which some row still holds the text."""
    with psycopg.connect(test_database.owner_url) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace "
            "and relname <> 'spatial_ref_sys'"
        ).fetchall()
        return {
            table
            for (table,) in tables
            if connection.execute(
                f"select exists (select from {table} t where strpos(t::text, %s) > 0)", [text]
            ).fetchone()
            == (True,)
        }


async def test_an_order_that_was_erased_on_record_verifies(database, store, company, lived, erase):
    before = await sealed(database, store, company)
    gone = await erase(lived)
    finding = await sealed(database, store, company)
    assert finding.faults == ()
    assert len(finding.erased) == gone.records
    counted = {kind: sum(it.kind == kind for it in finding.erased) for kind in SOURCES}
    assert {kind: n for kind, n in counted.items() if n and kind != "timeline"} == {
        "mutation": 3,
        "signature": 1,
        "report": 2,
        "print": 2,
        "review": 1,
    }
    assert counted["timeline"] > 5
    # Each record is sealed, and so is what is left of each mutation.
    assert finding.checked == before.checked + gone.records + 3
    assert {(it.number, it.why, it.erased_by) for it in finding.erased} == {(lived.number, "request 17", "postgres")}


async def test_what_was_erased_before_it_was_sealed_verifies_too(database, store, company, lived, erase):
    gone = await erase(lived, by="the data protection officer")
    finding = await sealed(database, store, company)
    assert (finding.faults, len(finding.erased)) == ((), gone.records)
    assert {it.erased_by for it in finding.erased} == {"the data protection officer"}


async def test_the_same_rows_deleted_by_hand_are_missed(database, test_database, store, company, lived):
    await sealed(database, store, company)
    with psycopg.connect(test_database.owner_url) as connection:
        connection.execute("delete from review")
        connection.execute("delete from review_item")
        connection.execute("delete from mutation_log")
        connection.execute("delete from work_order")
    finding = await verify_chain(database, store, company.id)
    assert finding.erased == ()
    assert {kind for kind, _ in kinds(finding)} == {
        "mutation",
        "signature",
        "report",
        "print",
        "review",
        "timeline",
    }
    assert {what for _, what in kinds(finding)} == {"the row is missing"}


async def test_rows_of_another_order_that_go_beside_an_erasure_are_missed(
    database, test_database, store, company, lived, other, erase
):
    await sealed(database, store, company)
    await erase(lived)
    as_superuser(test_database.owner_url, f"delete from timeline_entry where work_order_id = '{other.id}'")
    finding = await sealed(database, store, company)
    assert set(kinds(finding)) == {("timeline", "the row is missing")}
    assert finding.erased


async def test_nothing_of_what_was_said_is_left_in_any_table(test_database, other, lived, erase):
    assert {"note", "mutation_log", "signature", "service_report", "review"} <= await rows_with(test_database, SECRET)
    await erase(lived)
    assert await rows_with(test_database, SECRET) == set()
    assert await rows_with(test_database, str(lived.id)) <= {
        "audit_erasure",
        "stock_movement",
        "sync_bucket",
        "sync_entry",
    }
    assert "work_order" in await rows_with(test_database, str(other.id))


FORGED = {
    "an insert": """
        insert into audit_erasure (org_id, id, kind, ref, work_order_id, number, why, erased_by, at)
        select org_id, gen_random_uuid(), 'timeline', id, work_order_id, 1, 'x', 'x', at from timeline_entry limit 1
    """,
    "an update": "update audit_erasure set why = 'x'",
    "a deletion": "delete from audit_erasure",
    "a mark": "insert into audit_pending (org_id, kind, ref) select org_id, 'erasure', id from work_order",
    "an emptied mutation": "update mutation_log set status = 'erased'",
    "an order gone": "delete from work_order",
}


async def test_plans_and_ways_forget_the_order_and_keep_the_others(
    database, services, company, dispatcher, engineer, erase
):
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer)
        await a_shift(uow, engineer)
        gone, stays = [await an_order(uow, dispatcher) for _ in range(2)]
        scope = Scope(uow.now(), uow.now() + timedelta(hours=12))
        plan = await planning.begin(uow, services.jobs, scope=scope, effort=Effort.QUICK, seed=1)
    await solving.begin_plan(database, services.jobs, company.id, plan.id)
    await solving.solve_part(database, services.jobs, EstimatedTravel(), company.id, plan.id, 0)
    await solving.join_parts(database, EstimatedTravel(), company.id, plan.id)
    async with database.unit_of_work(company.id) as uow:
        start = uow.now() + timedelta(hours=1)
        for order, begins in ((gone, start), (stays, start + timedelta(hours=2))):
            await workorders.schedule_visit(
                uow,
                dispatcher,
                work_order_id=order.id,
                engineer_id=engineer.person,
                planned_start=begins,
                planned_end=begins + timedelta(hours=1),
            )
        await ways.draw(uow, EstimatedTravel(), engineer.person)
    await erase(gone)
    async with database.unit_of_work(company.id) as uow:
        picture = await planning_queries.picture(uow, plan.id)
        assert [it.id for it in picture.orders] == [stays.id]
        tours = (await planning.tours_of(uow, plan.id))["tours"]
        assert len(tours[0]["stops"]) == 2
        (left,) = await uow.value("select stops from route")
        assert left["work_order_id"] == str(stays.id)
        assert [it.work_order_id for it in await planning.lines_of(uow, plan.id)] == [stays.id]


@pytest.mark.parametrize("how", FORGED)
async def test_the_product_itself_can_not_call_anything_erased(database, company, lived, how):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.unit_of_work(company.id) as uow:
            await uow.run(FORGED[how])


async def test_the_product_s_role_can_not_erase_an_order(database, store, company, lived):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.unit_of_work(company.id) as uow:
            await erase_order(uow, lived.number, why="to hide it")
    finding = await sealed(database, store, company)
    assert (finding.faults, finding.erased) == ((), ())


async def test_an_erasure_that_was_taken_away_is_missed_with_what_it_was_for(
    database, test_database, store, company, lived, erase
):
    await sealed(database, store, company)
    await erase(lived)
    await sealed(database, store, company)
    as_superuser(test_database.owner_url, "delete from audit_erasure where kind = 'signature'")
    finding = await verify_chain(database, store, company.id)
    assert sorted(kinds(finding)) == [("erasure", "the row is missing"), ("signature", "the row is missing")]


@pytest.mark.parametrize("change", ["why = 'other'", "erased_by = 'other'", "at = at - interval '1 day'"])
async def test_an_erasure_that_was_changed_is_named(database, test_database, store, company, lived, erase, change):
    await erase(lived)
    await sealed(database, store, company)
    as_superuser(test_database.owner_url, f"update audit_erasure set {change} where kind = 'signature'")
    assert kinds(await verify_chain(database, store, company.id)) == [("erasure", "the row is not what was sealed")]


async def test_an_erasure_that_was_turned_to_another_row_does_not_cover_it(
    database, test_database, store, company, lived, other, erase
):
    await sealed(database, store, company)
    await erase(lived)
    await sealed(database, store, company)
    as_superuser(
        test_database.owner_url,
        f"""
        update audit_erasure set (kind, ref) = (
            select 'timeline', id from timeline_entry where work_order_id = '{other.id}' limit 1)
        where kind = 'signature'
        """,
        f"delete from timeline_entry where work_order_id = '{other.id}'",
    )
    assert {("erasure", "the row is not what was sealed"), ("signature", "the row is missing")} <= {
        *kinds(await verify_chain(database, store, company.id))
    }


async def test_an_erasure_written_past_its_trigger_is_named(database, test_database, store, company, lived):
    await sealed(database, store, company)
    as_superuser(test_database.owner_url, FORGED["an insert"], "delete from timeline_entry where true")
    finding = await verify_chain(database, store, company.id)
    assert ("erasure", "it is in no entry and does not wait") in kinds(finding)


async def test_what_is_on_record_as_erased_and_still_there_is_named(database, test_database, store, company, lived):
    await sealed(database, store, company)
    with psycopg.connect(test_database.owner_url) as connection:
        connection.execute(FORGED["an insert"])
    assert kinds(await sealed(database, store, company)) == [("timeline", "on record as erased, and still there")]


async def test_what_is_left_of_a_mutation_is_sealed_as_it_is(database, test_database, store, company, lived, erase):
    await erase(lived)
    await sealed(database, store, company)
    as_superuser(test_database.owner_url, """update mutation_log set result = '{"status": "none"}' where seq = 1""")
    assert kinds(await verify_chain(database, store, company.id)) == [
        ("mutation_erased", "the row is not what was sealed")
    ]


async def test_a_mutation_emptied_by_hand_is_missed(database, test_database, store, company, lived):
    await sealed(database, store, company)
    with psycopg.connect(test_database.owner_url) as connection:
        connection.execute("update mutation_log set status = 'erased', envelope = '{}' where seq = 1")
    assert kinds(await sealed(database, store, company)) == [("mutation", "the row is missing")]


async def test_the_ledger_keeps_its_rows_and_its_sum(database, store, company, lived, erase):
    async with database.unit_of_work(company.id) as uow:
        moved = await uow.rows("select * from stock_movement order by id")
        stock = await uow.rows("select * from stock order by id")
    assert any(row["work_order_id"] == lived.id for row in moved)
    await erase(lived)
    async with database.unit_of_work(company.id) as uow:
        assert await uow.rows("select * from stock_movement order by id") == moved
        assert await uow.rows("select * from stock order by id") == stock
        assert (await ledger_sum(uow), await drifted_balances(uow)) == (0, [])
    assert (await sealed(database, store, company)).faults == ()


async def test_a_phone_that_resends_is_answered_as_before_and_nothing_comes_back(
    database, test_database, lived, phone, erase
):
    await erase(lived)
    again = await phone.push(*phone.sent)
    assert [(it["seq"], it["status"]) for it in again.results] == [
        (1, "applied"),
        (2, "applied"),
        (3, "quarantined"),
    ]
    assert await rows_with(test_database, SECRET) == set()


async def test_what_a_phone_hands_in_to_be_rescued_does_not_come_back_under_another_id(
    database, test_database, company, lived, phone, erase, administrator
):
    await erase(lived)
    bundle = rescue.Bundle(phone.actor.device, uuid4(), "1", "lost", phone.sent)
    async with database.unit_of_work(company.id) as uow:
        counts = await rescue.take_in(uow, {}, bundle, brought_by=administrator.person)
    assert (counts.accepted, counts.duplicates) == (0, 3)
    assert await rows_with(test_database, SECRET) == set()


async def test_a_phone_that_was_away_tells_more_of_it_and_that_is_erased_too(
    database, test_database, store, company, lived, phone, erase
):
    await erase(lived)
    late = await phone.push(told(phone, lived))
    assert [(it["status"], it["code"]) for it in late.results] == [("quarantined", "ENTITY_GONE")]
    assert await rows_with(test_database, SECRET) == {"mutation_log"}
    await seal_everything(database)
    assert (await erase(lived, why="request 17, once more")).records == 1
    assert await rows_with(test_database, SECRET) == set()
    assert (await sealed(database, store, company)).faults == ()


async def test_the_order_leaves_phones_and_the_history_of_its_site(database, dispatcher, engineer, lived, phone, erase):
    async with database.unit_of_work(dispatcher.org) as uow:
        site = await the_site(uow, lived.site_id)
        await a_visit(uow, dispatcher, engineer, await an_order(uow, dispatcher, site=site))
    await phone.pull(want=frozenset())
    await erase(lived)
    lines = await phone.pull(want=frozenset())
    assert [line["b"] for line in lines if line["k"] == "drop"] == [f"wo:{lived.id}"]
    assert {"k": "del", "t": "history", "id": str(lived.id)} in lines


async def test_its_files_are_nobody_s_any_more(database, services, company, lived, photo, erase):
    async with database.unit_of_work(company.id) as uow:
        printed = [row["pdf_sha256"] for row in await uow.rows("select pdf_sha256 from report_pdf")]
        files = [photo.sha256, *printed]
        assert await unreferred(uow, files, services.files.references) == []
    await erase(lived)
    async with database.unit_of_work(company.id) as uow:
        assert sorted(await unreferred(uow, files, services.files.references)) == sorted(files)


async def test_another_organisation_s_order_of_that_number_stays(database, company, lived, erase):
    rival = await found_company(database, "rival", roles=("dispatcher",))
    async with database.unit_of_work(rival.id) as uow:
        theirs = await an_order(uow, rival.actor("dispatcher"))
    assert theirs.number == lived.number
    await erase(lived)
    async with database.unit_of_work(rival.id) as uow:
        assert await uow.value("select count(*) from work_order") == 1


async def test_a_number_that_never_was_is_said_so(erase, lived, company):
    with pytest.raises(NoOrderToErase, match="There is no order 999"):
        await erase(type("Order", (), {"number": 999}))


async def test_an_administrator_erases_and_verifies(settings, database, lived, capsys, tmp_path):
    await seal_everything(database)
    await auditing.erase(settings, lived.number, None, why="request 17", by="A. Admin")
    erased = int(capsys.readouterr().out.split(": ")[1].split()[0])
    await seal_everything(database)
    assert await auditing.verify(settings, "acme", [], files=False)
    said = capsys.readouterr().out
    assert f"acme: {erased} records erased on record" in said
    assert f"acme: order {lived.number}: {erased} of them, " in said
    assert "by A. Admin: request 17" in said
    await auditing.export(settings, "acme", tmp_path / "kept.json", entries=True)
    [head] = json.loads((tmp_path / "kept.json").read_text())["heads"]
    assert {it["why"] for it in head["erasures"]} == {"request 17"}
    assert len(head["erasures"]) == erased


async def test_which_organisation_is_asked_where_there_are_several(settings, database, lived):
    await found_company(database, "rival", roles=("dispatcher",))
    with pytest.raises(SystemExit, match="say which by --org"):
        await auditing.erase(settings, lived.number, None, why="request 17", by=None)


async def test_the_migration_can_be_undone_and_done_again_with_orders_erased(test_database, database, lived, erase):
    await erase(lived)
    await database.close()
    provisioning.downgrade(test_database.owner_url, "0007")
    provisioning.migrate(test_database.owner_url)
    assert await rows_with(test_database, str(lived.id)) >= {"stock_movement"}
