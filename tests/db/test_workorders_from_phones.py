"""What phones say about work orders, however late, twice, or after somebody else took over."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from server.core.errors import Forbidden, Problem
from server.sync.domain import Status
from server.sync.registry import Registry
from server.workorders import hour_queries, projections, queries, reading, record_queries, service
from server.workorders.domain import Action, Channel, State
from tests.factories.customers import a_site, an_asset
from tests.factories.geo import with_phone
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import (
    a_mutation,
    a_procedure,
    a_visit,
    an_occurrence,
    an_order,
    confirm,
    from_phone,
    work_until,
)

SHA = "ab" * 32


@pytest.fixture
async def phone(uow, engineer):
    """The engineer, acting through an enrolled device."""
    await an_engineer(uow, engineer)
    return await with_phone(uow, engineer)


@pytest.fixture
async def order(uow, dispatcher):
    return await an_order(uow, dispatcher)


@pytest.fixture
async def visit(uow, dispatcher, phone, order):
    return await a_visit(uow, dispatcher, phone, order)


@pytest.fixture
async def other(uow, company):
    return await another_engineer(uow, company.id)


async def move(uow, actor, order, visit, to, **more):
    return await from_phone(uow, actor, "wo.transition", {"wo": order.id, "visit": visit.id, "to": to, **more})


async def note(uow, actor, order, body="Seal is worn", note_id: UUID | None = None, **more):
    args = {"id": note_id or uow.new_id(), "wo": order.id, "body": body}
    return await from_phone(uow, actor, "note.add", args, **more)


async def last_entry(uow, order):
    return (await queries.timeline(uow, order.id))[-1]


async def test_a_day_on_the_phone_moves_the_order(uow, phone, order, visit):
    for to in ("accept", "travel", "arrive", "start"):
        assert (await move(uow, phone, order, visit, to)).status is Status.APPLIED
    assert (await move(uow, phone, order, visit, "resolve", note="New seal")).status is Status.APPLIED
    assert (await queries.order(uow, order.id)).state is State.RESOLVED
    assert [it.body for it in await record_queries.notes(uow, order.id)] == ["New seal"]


async def test_the_history_holds_both_clocks_the_place_and_the_mutation(uow, phone, order, visit, clock):
    happened = an_occurrence(clock.now(), ago=timedelta(hours=3), skew=timedelta(minutes=7))
    given = a_mutation(uow, phone.device, "wo.transition", happened)
    await from_phone(uow, phone, "wo.transition", {"wo": order.id, "visit": visit.id, "to": "accept"}, mutation=given)
    entries = await queries.timeline(uow, order.id)
    entry = next(it for it in entries if it.action == "accept")
    assert (entry.at, entry.at_device, entry.recorded_at) == (happened.at, happened.at_device, clock.now())
    assert (entry.device_id, entry.place.lon) == (phone.device, 7.42)
    assert entry.facts["mutation_id"] == str(given.id)


async def test_reaching_a_state_twice_is_merged_and_keeps_what_was_said(uow, phone, order, visit):
    await move(uow, phone, order, visit, "accept")
    again = await move(uow, phone, order, visit, "accept", note="On my way at nine")
    assert (again.status, again.code) == (Status.MERGED, "ALREADY_THERE")
    assert [it.body for it in await record_queries.notes(uow, order.id)] == ["On my way at nine"]
    assert (await queries.order(uow, order.id)).version == 4


async def test_an_impossible_step_becomes_a_conflict_with_both_sides(uow, dispatcher, phone, order, visit):
    await service.perform(uow, dispatcher, work_order_id=order.id, action=Action.CANCEL, reason="Sold")
    outcome = await move(uow, phone, order, visit, "resolve", note="Fixed it all the same")
    assert (outcome.status, outcome.code) == (Status.CONFLICT, "ILLEGAL_TRANSITION")
    assert outcome.disagreement is not None
    assert outcome.disagreement.mine["note"] == "Fixed it all the same"
    assert outcome.disagreement.theirs["state"] == "cancelled"
    assert (await queries.order(uow, order.id)).state is State.CANCELLED


async def test_steps_of_the_engineer_it_was_taken_from_are_for_the_dispatcher(
    uow, dispatcher, phone, other, order, visit
):
    theirs = await a_visit(uow, dispatcher, other, order)
    for step, sent in (("travel", visit), ("travel", theirs)):
        outcome = await move(uow, phone, order, sent, step)
        assert (outcome.status, outcome.code) == (Status.CONFLICT, "REASSIGNED")
        assert outcome.disagreement.theirs["engineer_id"] == str(other.person)
    assert (await queries.order(uow, order.id)).state is State.DISPATCHED


async def test_a_step_without_what_it_needs_is_refused_by_name(uow, phone, order, visit):
    await work_until(uow, phone, order, Action.START)
    with pytest.raises(Problem) as refused:
        await move(uow, phone, order, visit, "resolve")
    assert refused.value.code == "work_order.missing_requirement"


@pytest.mark.parametrize("to", ["cancel", "confirm", "close_by_exception", "dispatch", "fly"])
async def test_the_phone_has_only_the_actions_of_the_field(uow, phone, order, visit, to):
    with pytest.raises(ValidationError):
        await move(uow, phone, order, visit, to)


async def test_an_order_that_is_gone_says_so(uow, phone, order, visit):
    with pytest.raises(Problem) as gone:
        await from_phone(uow, phone, "note.add", {"id": uow.new_id(), "wo": uow.new_id(), "body": "x"})
    assert gone.value.code == "ENTITY_GONE"


async def test_an_order_of_somebody_else_is_forbidden(uow, phone, other, order, visit):
    for name, args in (
        ("note.add", {"id": uow.new_id(), "wo": order.id, "body": "x"}),
        ("photo.add", {"id": uow.new_id(), "wo": order.id, "sha256": SHA}),
        ("wo.transition", {"wo": order.id, "visit": visit.id, "to": "accept"}),
        ("wo.follow_up", {"id": uow.new_id(), "wo": order.id, "title": "x"}),
    ):
        with pytest.raises(Problem) as refused:
            await from_phone(uow, other, name, args)
        assert refused.value.code == "FORBIDDEN", name


async def test_evidence_is_kept_with_its_own_id_and_sending_it_again_changes_nothing(
    uow, dispatcher, phone, order, visit
):
    _, (isolated, _) = await a_procedure(uow)
    start = uow.now() - timedelta(hours=1)
    said: dict[str, dict[str, Any]] = {
        "note.add": {"body": "Seal is worn"},
        "answer.set": {"item": isolated.id, "value": True},
        "time.add": {"kind": "work", "started_at": start.isoformat(), "ended_at": uow.now().isoformat()},
        "cost.add": {"kind": "parking", "amount_minor": 350, "currency": "EUR", "description": "Garage"},
        "photo.add": {"sha256": SHA, "caption": "Old seal"},
    }
    for name, details in said.items():
        args = {"id": uow.new_id(), "wo": order.id, "visit": visit.id, **details}
        first = await from_phone(uow, phone, name, args)
        history = await queries.timeline(uow, order.id)
        again = await from_phone(uow, phone, name, args)
        assert (first.status, again.status, again.code) == (Status.APPLIED, Status.MERGED, "ALREADY_RECORDED"), name
        assert await queries.timeline(uow, order.id) == history
    detail = await reading.detail(uow, dispatcher, order.id)
    assert [it.body for it in detail.notes] == ["Seal is worn"]
    assert [(it.kind, it.started_at) for it in detail.time] == [("work", start)]
    assert [(it.amount_minor, it.currency) for it in detail.costs] == [(350, "EUR")]
    assert [(it.sha256, it.visit_id) for it in detail.photos] == [(SHA, visit.id)]
    assert [it.action for it in history[-5:]] == ["note", "answer", "time", "cost", "photo"]


async def test_evidence_after_a_reassignment_is_booked_and_flagged(uow, dispatcher, phone, other, order, visit):
    await a_visit(uow, dispatcher, other, order)
    outcome = await note(uow, phone, order)
    assert (outcome.status, outcome.facts) == (Status.APPLIED, {"late_after_reassign": True})
    assert (await last_entry(uow, order)).facts["late_after_reassign"] is True
    assert (await note(uow, other, order)).facts == {}


async def test_evidence_on_a_closed_order_is_kept(uow, phone, order, visit):
    await confirm(uow, phone, await work_until(uow, phone, order, Action.RESOLVE))
    assert (await note(uow, phone, order, "Left the key at the desk")).status is Status.APPLIED


async def test_the_newest_answer_stands_and_the_older_stays_as_history(uow, dispatcher, phone, order, visit):
    _, (_, heat) = await a_procedure(uow)
    ids = [uow.new_id(), uow.new_id()]
    for answer_id, value in zip(ids, (20, 200), strict=True):
        args = {"id": answer_id, "wo": order.id, "item": heat.id, "value": value}
        assert (await from_phone(uow, phone, "answer.set", args)).status is Status.APPLIED
    old, new = await record_queries.answers(uow, order.id)
    assert (old.id, old.value, old.superseded_by) == (ids[0], 20, ids[1])
    assert (new.id, new.value, new.superseded_by) == (ids[1], 200, None)


async def test_a_late_answer_does_not_displace_the_new_engineers(uow, dispatcher, phone, other, order, visit):
    _, (_, heat) = await a_procedure(uow)
    await a_visit(uow, dispatcher, other, order)
    theirs = {"id": uow.new_id(), "wo": order.id, "item": heat.id, "value": 200}
    late = {"id": uow.new_id(), "wo": order.id, "item": heat.id, "value": 20}
    await from_phone(uow, other, "answer.set", theirs)
    outcome = await from_phone(uow, phone, "answer.set", late)
    assert (outcome.status, outcome.code) == (Status.MERGED, "ANSWER_KEPT_BESIDE")
    standing = await record_queries.standing_answer(uow, order.id, heat.id)
    assert standing.value == 200
    assert {it.value for it in await record_queries.answers(uow, order.id)} == {20, 200}


async def test_an_answer_of_the_wrong_shape_is_refused_by_name(uow, phone, order, visit):
    _, (isolated, _) = await a_procedure(uow)
    with pytest.raises(Problem) as refused:
        await from_phone(
            uow, phone, "answer.set", {"id": uow.new_id(), "wo": order.id, "item": isolated.id, "value": "yes"}
        )
    assert refused.value.code == "checklist.answer_does_not_fit"


async def test_hours_are_kept_on_the_servers_clock_with_the_devices_beside(uow, dispatcher, phone, order, visit, clock):
    skew = timedelta(hours=2)
    start, end = clock.now() - timedelta(hours=20) + skew, clock.now() + skew
    args = {"id": uow.new_id(), "wo": order.id, "kind": "work", "started_at": start, "ended_at": end}
    await from_phone(uow, phone, "time.add", args, occurrence=an_occurrence(clock.now(), skew=skew))
    entry = (await hour_queries.time_entries(uow, order.id))[0]
    assert (entry.started_at, entry.ended_at) == (start - skew, end - skew)
    facts = (await last_entry(uow, order)).facts
    assert facts["device_started_at"] == start.isoformat()
    assert facts["look_at"] == ["TIME_OVER_16H"]


async def test_hours_that_overlap_on_two_orders_are_flagged_not_refused(uow, dispatcher, phone, order, visit, clock):
    second = await an_order(uow, dispatcher)
    await a_visit(uow, dispatcher, phone, second)
    for it in (order, second):
        args = {"id": uow.new_id(), "wo": it.id, "kind": "work", "started_at": clock.now() - timedelta(hours=1)}
        await from_phone(uow, phone, "time.add", {**args, "ended_at": clock.now()})
    assert (await last_entry(uow, order)).facts["look_at"] == []
    assert (await last_entry(uow, second)).facts["look_at"] == ["TIME_OVERLAP"]


async def test_a_follow_up_opens_an_order_at_the_same_machine(uow, dispatcher, phone):
    site = await a_site(uow)
    asset = await an_asset(uow, site)
    first = await an_order(uow, dispatcher, site=site, asset_id=asset.id)
    await a_visit(uow, dispatcher, phone, first)
    args = {"id": uow.new_id(), "wo": first.id, "title": "Replace the door", "priority": "high"}
    made = await from_phone(uow, phone, "wo.follow_up", args)
    again = await from_phone(uow, phone, "wo.follow_up", args)
    order = await queries.order(uow, args["id"])
    assert (order.site_id, order.asset_id, order.channel) == (site.id, asset.id, Channel.FIELD)
    assert made.facts == {"number": order.number}
    assert again.status is Status.MERGED


async def test_a_partner_engineer_opens_no_orders(uow, company, dispatcher, order):
    partner = await another_engineer(uow, company.id, "Pia", role="partner_engineer")
    await a_visit(uow, dispatcher, partner, order)
    with pytest.raises(Forbidden):
        await from_phone(uow, partner, "wo.follow_up", {"id": uow.new_id(), "wo": order.id, "title": "x"})


# What the phone is given


async def scope_of(uow, person):
    rows = await uow.rows("select key, rank from sync_scope(%(person)s, %(now)s)", person=person, now=uow.now())
    return {row["key"]: row["rank"] for row in rows}


async def test_a_visit_brings_its_order_customer_site_and_history(uow, phone, order, visit):
    scope = await scope_of(uow, phone.person)
    keys = {
        f"user:{phone.person}",
        f"wo:{order.id}",
        f"customer:{order.customer_id}",
        f"site:{order.site_id}",
        f"history:{order.site_id}",
        "catalog:procedures",
        "catalog:parts",
    }
    assert set(scope) == keys
    assert sorted(scope, key=scope.__getitem__)[:2] == [f"user:{phone.person}", f"wo:{order.id}"]


async def test_a_finished_visit_stays_for_two_days_and_a_withdrawn_one_goes_at_once(
    uow, dispatcher, phone, other, order, visit, clock
):
    withdrawn = await an_order(uow, dispatcher)
    await a_visit(uow, dispatcher, phone, withdrawn)
    await a_visit(uow, dispatcher, other, withdrawn)
    await work_until(uow, phone, order, Action.RESOLVE)
    assert f"wo:{withdrawn.id}" not in await scope_of(uow, phone.person)
    clock.forward(timedelta(hours=47))
    assert f"wo:{order.id}" in await scope_of(uow, phone.person)
    clock.forward(timedelta(hours=2))
    assert f"wo:{order.id}" not in await scope_of(uow, phone.person)


async def test_somebody_without_visits_has_only_themselves_and_the_catalogue(uow, dispatcher, order):
    assert set(await scope_of(uow, dispatcher.person)) == {
        f"user:{dispatcher.person}",
        "catalog:procedures",
        "catalog:parts",
    }


async def test_every_entity_of_an_order_is_projected_as_the_contract_says(uow, dispatcher, phone):
    procedure, (isolated, heat) = await a_procedure(uow)
    order = await an_order(uow, dispatcher, procedure_key=procedure.key)
    visit = await a_visit(uow, dispatcher, phone, order)
    for name, more in (
        ("note.add", {"body": "Worn"}),
        ("answer.set", {"item": isolated.id, "value": True}),
        ("time.add", {"kind": "work", "started_at": uow.now().isoformat(), "ended_at": uow.now().isoformat()}),
        ("cost.add", {"kind": "travel", "amount_minor": 1, "currency": "EUR"}),
        ("photo.add", {"sha256": SHA}),
    ):
        await from_phone(uow, phone, name, {"id": uow.new_id(), "wo": order.id, "visit": visit.id, **more})
    registry = Registry()
    projections.register(registry)
    entries = await uow.rows(
        "select e.entity, e.entity_id, b.key from sync_entry e join sync_bucket b on b.id = e.bucket_id where op = 'p'"
    )
    seen = {}
    for code, projection in registry.projections.items():
        mine = [row for row in entries if row["entity"] == code]
        rows = await uow.rows(projection.sql, ids=[row["entity_id"] for row in mine])
        assert {row["id"] for row in rows} == {row["entity_id"] for row in mine}, projection.name
        seen[projection.name] = rows[0]["d"]
    assert set(seen) == {
        "work_order",
        "visit",
        "note",
        "checklist_answer",
        "time_entry",
        "cost",
        "photo",
        "history",
        "procedure",
        "procedure_item",
    }
    assert seen["work_order"]["state"] == "dispatched"
    assert seen["work_order"]["respond_by"].endswith("+00:00")
    assert seen["visit"]["engineer_id"] == str(phone.person)
    assert seen["note"]["author_name"] == phone.name
    assert seen["checklist_answer"]["value"] is True
    assert seen["history"]["notes"][0]["body"] == "Worn"
    assert seen["history"]["rating"] is None
    assert seen["procedure"]["name"]["zh"] == "烤箱保养"
    assert seen["procedure_item"]["choices"] == []
    assert heat.unit == "°C"
