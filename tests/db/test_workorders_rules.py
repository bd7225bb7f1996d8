"""Rules of evidence, hours, machines and photos, one sentence each; whole stories are in tests/scenarios."""

from datetime import timedelta
from uuid import uuid4

import pytest

from server.core.errors import Problem
from server.customers import duplicates
from server.customers import queries as customers
from server.customers.errors import SuggestionSettled
from server.sync.domain import Dispute, Side, Status
from server.workorders import checklists, hour_queries, hours, queries, reading, record_queries
from server.workorders.domain import Action, State
from server.workorders.procedures import ItemDraft, ItemKind
from tests.factories.customers import a_site, an_asset
from tests.factories.geo import with_phone
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import (
    FIELD,
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
    await an_engineer(uow, engineer)
    return await with_phone(uow, engineer)


@pytest.fixture
async def other(uow, company):
    return await with_phone(uow, await another_engineer(uow, company.id))


@pytest.fixture
async def order(uow, dispatcher, phone):
    await checklists.define_procedure(
        uow,
        key="lift",
        name={"en": "Lift", "zh": "电梯"},
        items=[ItemDraft(ItemKind.YES_NO, {"en": "Brake holds?", "zh": "制动?"}, safety_critical=True)],
    )
    made = await an_order(uow, dispatcher, procedure_key="lift")
    await a_visit(uow, dispatcher, phone, made)
    return made


@pytest.fixture
async def brake(uow, order):
    return (await checklists.of_order(uow, order))[1][0]


async def sends(uow, actor, order, name, **said):
    return await from_phone(uow, actor, name, {"id": uow.new_id(), "wo": order.id, **said})


class Counting:
    """Counts the statements a unit of work sends."""

    def __init__(self, uow):
        self.sent = 0
        execute = uow.connection.execute
        cursor = uow.connection.cursor

        async def counted(*args, **more):
            self.sent += 1
            return await execute(*args, **more)

        def counting_cursor(*args, **more):
            self.sent += 1  # each cursor here runs one statement
            return cursor(*args, **more)

        uow.connection.execute = counted
        uow.connection.cursor = counting_cursor


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("note.add", {"body": "Worn"}),
        ("cost.add", {"kind": "parking", "amount_minor": 350, "currency": "EUR"}),
        ("photo.add", {"sha256": SHA}),
        ("time.add", {"kind": "work", "started_at": "2026-11-23T07:00:00Z", "ended_at": "2026-11-23T07:10:00Z"}),
        ("time.start", {"kind": "work"}),
        ("answer.set", {"value": True}),
    ],
)
async def test_a_piece_of_evidence_takes_two_statements(uow, phone, order, brake, name, said):
    item = {"item": str(brake.id)} if name == "answer.set" else {}
    args = FIELD.mutators[name, 1].args.model_validate({"id": str(uuid4()), "wo": str(order.id), **said, **item})
    mutation = a_mutation(uow, phone.device, name)
    counting = Counting(uow)
    outcome = await FIELD.mutators[name, 1].handle(uow, phone, mutation, args)
    assert outcome.status is Status.APPLIED
    # `execute` opens a cursor of its own, which is the same statement.
    assert counting.sent == 2 * 2


async def test_two_who_answer_differently_about_safety_are_both_shown_until_somebody_decides(
    uow, dispatcher, phone, other, order, brake
):
    await sends(uow, phone, order, "answer.set", item=brake.id, value=True)
    await a_visit(uow, dispatcher, other, order)
    answered = await sends(uow, other, order, "answer.set", item=brake.id, value=False)
    assert (answered.status, answered.code) == (Status.CONFLICT, "SAFETY_ANSWER")
    said = answered.disagreement
    assert (said.mine["value"], said.theirs["value"]) == (False, True)
    (line,) = (await reading.detail(uow, dispatcher, order.id)).checklist
    assert {line.answer.value, line.against[0].value} == {True, False}
    assert all(it.disputed for it in await record_queries.answers(uow, order.id, standing_only=True))
    for side, value in ((Side.MINE, False), (Side.THEIRS, True)):
        await FIELD.settlements["SAFETY_ANSWER"](uow, dispatcher, a_dispute(uow, other, answered), side)
        standing = await record_queries.answers(uow, order.id, standing_only=True)
        assert [(it.value, it.disputed) for it in standing] == [(value, False)]


async def test_two_who_agree_about_safety_need_nobody(uow, dispatcher, phone, other, order, brake):
    await sends(uow, phone, order, "answer.set", item=brake.id, value=True)
    await a_visit(uow, dispatcher, other, order)
    assert (await sends(uow, other, order, "answer.set", item=brake.id, value=True)).status is Status.APPLIED


async def test_a_dispute_ends_by_itself_when_they_come_to_agree(uow, dispatcher, phone, other, order, brake):
    await sends(uow, phone, order, "answer.set", item=brake.id, value=True)
    await a_visit(uow, dispatcher, other, order)
    first = await sends(uow, other, order, "answer.set", item=brake.id, value=False)
    await sends(uow, other, order, "answer.set", item=brake.id, value=True)
    standing = await record_queries.answers(uow, order.id, standing_only=True)
    assert [(it.value, it.disputed) for it in standing] == [(True, False)]
    with pytest.raises(Problem) as late:
        await FIELD.settlements["SAFETY_ANSWER"](uow, dispatcher, a_dispute(uow, other, first), Side.MINE)
    assert late.value.code == "conflict.overtaken"


async def test_an_earlier_word_that_arrives_late_does_not_displace_a_later_one(uow, phone, order, brake):
    def said(seq, value):
        args = {"id": str(uuid4()), "wo": str(order.id), "item": str(brake.id), "value": value}
        mutation = a_mutation(uow, phone.device, "answer.set")
        return args, type(mutation)(**{**vars(mutation), "seq": seq})

    for seq, value in ((9, True), (4, False)):
        args, mutation = said(seq, value)
        await from_phone(uow, phone, "answer.set", args, mutation=mutation)
    standing = await record_queries.standing_answer(uow, order.id, brake.id)
    assert standing.value is True
    assert len(await record_queries.answers(uow, order.id)) == 2


async def test_an_answer_to_an_item_of_another_checklist_or_of_none_is_kept_as_extra(uow, dispatcher, phone, order):
    _, (isolated, _) = await a_procedure(uow)
    for item in (isolated.id, uow.new_id()):
        kept = await sends(uow, phone, order, "answer.set", item=item, value=True)
        assert (kept.status, kept.flags) == (Status.APPLIED, ("EXTRA_ANSWER",))
    extra = (await reading.detail(uow, dispatcher, order.id)).extra_answers
    assert [it.value for it in extra] == [True, True]


async def test_what_lands_on_an_order_the_customer_signed_is_told(uow, phone, order, brake):
    await sends(uow, phone, order, "answer.set", item=brake.id, value=True)
    await confirm(uow, phone, await work_until(uow, phone, order, Action.RESOLVE))
    await sends(uow, phone, order, "note.add", body="before anybody signed")
    changed = "select payload ->> 'what' as what from event where name = 'work_order.content_changed'"
    assert await uow.rows(changed) == []
    await uow.run(
        """
        insert into signature (org_id, id, work_order_id, signer_name, signer_role, rating, comment, document_hash,
                               strokes_hash, evidence, captured_by, at_device, at, received_at, ending, attested)
        values (%(org)s, %(id)s, %(order)s, 'C', '', 5, '', 'x', 'x', '{}', %(person)s, now(), now(), now(),
                'signed', 'missing')
        """,
        org=uow.org,
        id=uow.new_id(),
        order=order.id,
        person=phone.person,
    )
    await sends(uow, phone, order, "note.add", body="Left the key")
    assert await uow.rows(changed) == [{"what": "note"}]


# Hours


async def test_a_break_ends_the_timer_and_starts_one_of_its_own(uow, phone, order, clock):
    timer, pause = uow.new_id(), uow.new_id()
    await from_phone(uow, phone, "time.start", {"id": timer, "wo": order.id})
    clock.forward(timedelta(minutes=30))
    await from_phone(uow, phone, "time.break", {"id": pause, "wo": order.id, "timer": timer})
    work, rest = await hour_queries.time_entries(uow, order.id)
    assert (work.id, work.kind, work.ended_at) == (timer, "work", work.started_at + timedelta(minutes=30))
    assert (rest.id, rest.kind, rest.ended_at, rest.flags) == (pause, "break", None, ())


async def test_nobody_stops_or_corrects_somebody_elses_hours(uow, dispatcher, phone, other, order):
    await a_visit(uow, dispatcher, other, order)
    timer = uow.new_id()
    await from_phone(uow, phone, "time.start", {"id": timer, "wo": order.id})
    for name, said in (
        ("time.stop", {"id": timer}),
        ("time.edit", {"id": uow.new_id(), "entry": timer, "kind": "work", **a_stretch(uow, 2)}),
    ):
        with pytest.raises(Problem) as refused:
            await from_phone(uow, other, name, {"wo": order.id, **said})
        assert refused.value.code == "time.not_yours", name


def a_stretch(uow, hours_ago):
    started = uow.now() - timedelta(hours=hours_ago)
    return {"started_at": started.isoformat(), "ended_at": (started + timedelta(hours=1)).isoformat()}


async def test_a_correction_is_a_revision_and_after_approval_a_request(uow, dispatcher, phone, order):
    entry, better, asked = uow.new_id(), uow.new_id(), uow.new_id()
    await from_phone(uow, phone, "time.add", {"id": entry, "wo": order.id, "kind": "work", **a_stretch(uow, 3)})
    edit = {"wo": order.id, "kind": "work", "entry": entry}
    await from_phone(uow, phone, "time.edit", {**edit, "id": better, **a_stretch(uow, 4)})
    (stands,) = await hour_queries.time_entries(uow, order.id)
    assert (stands.id, stands.revision, stands.flags) == (better, 2, ())
    await hours.approve(uow, dispatcher, order.id, entry)
    request = await from_phone(uow, phone, "time.edit", {**edit, "id": asked, **a_stretch(uow, 5)})
    assert (request.status, request.code) == (Status.CONFLICT, "TIME_APPROVED")
    (stands,) = await hour_queries.time_entries(uow, order.id)
    assert stands.id == better
    for side, hours_ago, revision in ((Side.MINE, 5, 3), (Side.THEIRS, 4, 4)):
        await FIELD.settlements["TIME_APPROVED"](uow, dispatcher, a_dispute(uow, phone, request), side)
        (stands,) = await hour_queries.time_entries(uow, order.id)
        assert (stands.started_at, stands.revision) == (uow.now() - timedelta(hours=hours_ago), revision)
        assert stands.approved_at is not None


# Machines and sites


async def test_a_machine_recorded_twice_is_kept_twice_and_merged_only_by_a_person(uow, dispatcher, phone, order):
    site = await customers.site(uow, order.site_id)
    assert site is not None
    known = await an_asset(uow, site, serial="OV-1001")
    mine = uow.new_id()
    said = {"id": mine, "site": site.id, "product": "oven", "model": "Combi 10", "serial": "OV-1001"}
    made = await from_phone(uow, phone, "asset.create", said)
    assert (made.status, made.flags) == (Status.APPLIED, ("PROBABLE_DUPLICATE",))
    assert made.facts == {"probably": str(known.id)}
    assert (await from_phone(uow, phone, "asset.create", said)).code == "ALREADY_RECORDED"
    assert (await customers.asset(uow, mine)).twin_of == known.id
    (suggestion,) = await duplicates.open_suggestions(uow, dispatcher)
    job = await an_order(uow, dispatcher, site=site, asset_id=mine)
    await duplicates.merge(uow, dispatcher, suggestion.id)
    # Whoever still knows the old id is understood.
    assert (await customers.asset(uow, mine)).id == known.id
    assert (await queries.order(uow, job.id)).asset_id == known.id
    patched = await from_phone(
        uow, phone, "asset.patch", {"asset": mine, "base": {"notes": ""}, "set": {"notes": "Loud"}}
    )
    assert patched.status is Status.APPLIED
    assert (await customers.asset(uow, known.id)).notes == "Loud"
    with pytest.raises(SuggestionSettled):
        await duplicates.keep_apart(uow, dispatcher, suggestion.id)


async def test_a_plate_read_a_letter_differently_is_suggested_and_another_machine_is_not(uow, dispatcher, phone, order):
    site = await customers.site(uow, order.site_id)
    assert site is not None
    await an_asset(uow, site, serial="OV-1001")
    for serial, flags in (("OV-1OO1", ("PROBABLE_DUPLICATE",)), ("OV-7777", ())):
        said = {"id": uow.new_id(), "site": site.id, "product": "oven", "model": "Combi 10", "serial": serial}
        assert (await from_phone(uow, phone, "asset.create", said)).flags == flags
    assert [it.why for it in await duplicates.open_suggestions(uow, dispatcher)] == ["misread_serial"]


async def test_a_serial_number_that_is_taken_is_a_conflict_and_the_other_corrections_stand(
    uow, dispatcher, phone, order
):
    site = await customers.site(uow, order.site_id)
    assert site is not None
    await an_asset(uow, site, serial="A-1")
    asset = await an_asset(uow, site, serial="B-2")
    patch = {
        "asset": asset.id,
        "base": {"serial": "B-2", "notes": ""},
        "set": {"serial": "A-1", "notes": "Plate is scratched"},
    }
    taken = await from_phone(uow, phone, "asset.patch", patch)
    assert (taken.status, taken.code) == (Status.CONFLICT, "SERIAL_TAKEN")
    now = await customers.asset(uow, asset.id)
    assert (now.serial, now.notes) == ("B-2", "Plate is scratched")
    for side, serial in ((Side.MINE, "A-1"), (Side.THEIRS, "B-2")):
        await FIELD.settlements["SERIAL_TAKEN"](uow, dispatcher, a_dispute(uow, phone, taken), side)
        assert (await customers.asset(uow, asset.id)).serial == serial


async def test_what_people_see_on_site_they_know_best_and_the_address_is_the_offices(uow, phone, order):
    site = await customers.site(uow, order.site_id)
    patch = {
        "site": site.id,
        "base": {"access_notes": "Ring", "address": "Somewhere", "meter_location": ""},
        "set": {"access_notes": "Gate 4", "address": "Elsewhere", "meter_location": "Cellar"},
    }
    outcome = await from_phone(uow, phone, "site.patch", patch)
    assert (outcome.status, outcome.code) == (Status.MERGED, "PROPOSAL_KEPT")
    now = await customers.site(uow, site.id)
    assert (now.access_notes, now.meter_location, now.address) == ("Gate 4", "Cellar", site.address)
    kept = await uow.value("select payload from event where name = 'site.corrected'")
    assert kept["kept_out"] == {"address": "Elsewhere"}
    assert kept["overruled"] == {"access_notes": ""}


async def test_who_was_never_sent_to_a_site_corrects_nothing_there(uow, phone, other, order):
    elsewhere = await a_site(uow)
    for site in (elsewhere.id,):
        with pytest.raises(Problem) as refused:
            await from_phone(uow, other, "site.patch", {"site": site, "base": {}, "set": {"access_notes": "x"}})
        assert refused.value.code == "FORBIDDEN"


async def test_a_customer_met_in_the_field_is_recorded_and_a_known_number_suggested(uow, dispatcher, phone):
    def met(phone_number):
        place = {"lon": 7.42, "lat": 43.73}
        site = {"id": uow.new_id(), "name": "Bar", "address": "2 Rue Basse", "place": place}
        return {"id": uow.new_id(), "name": "Bar Azur", "phone": phone_number, "site": site}

    first = met("06 12 34 56 78")
    assert (await from_phone(uow, phone, "customer.create", first)).flags == ()
    assert (await from_phone(uow, phone, "customer.create", first)).code == "ALREADY_RECORDED"
    again = met("0612345678")
    assert (await from_phone(uow, phone, "customer.create", again)).flags == ("PROBABLE_DUPLICATE",)
    (suggestion,) = await duplicates.open_suggestions(uow, dispatcher)
    await duplicates.merge(uow, dispatcher, suggestion.id)
    assert (await customers.customer(uow, again["id"])).id == first["id"]
    assert (await customers.site(uow, again["site"]["id"])).customer_id == first["id"]


# Photos and wishes


async def test_a_photo_is_hidden_with_a_reason_shown_again_and_every_caption_is_kept(uow, dispatcher, phone, order):
    photo = uow.new_id()
    await from_phone(uow, phone, "photo.add", {"id": photo, "wo": order.id, "sha256": SHA, "caption": "Seal"})
    said = {"wo": order.id, "photo": photo}
    await from_phone(uow, phone, "photo.caption", {**said, "caption": "Old seal"})
    await from_phone(uow, phone, "photo.hide", {**said, "reason": "A face"})
    assert await record_queries.photos(uow, order.id) == []
    await from_phone(uow, phone, "photo.show", said)
    assert [it.caption for it in await record_queries.photos(uow, order.id)] == ["Old seal"]
    told = [it for it in await queries.timeline(uow, order.id) if it.action.startswith("photo_")]
    assert [(it.action, it.why, it.facts["caption_was"]) for it in told] == [
        ("photo_caption", None, "Seal"),
        ("photo_hide", "A face", "Old seal"),
        ("photo_show", None, "Old seal"),
    ]


async def test_a_wish_for_another_time_moves_nothing_and_is_kept_for_the_dispatcher(uow, phone, order):
    before = (await queries.order(uow, order.id), await queries.visits(uow, order.id))
    wish = {"wo": order.id, "start": "2026-11-25T08:00:00Z", "end": "2026-11-25T09:00:00Z", "reason": "Closed today"}
    assert (await from_phone(uow, phone, "wo.propose_time", wish)).status is Status.APPLIED
    visit = await queries.visit_at_hand(uow, order.id)
    assert (
        await from_phone(uow, phone, "wo.reject", {"wo": order.id, "visit": visit.id, "reason": "Ill"})
    ).status is Status.APPLIED
    assert (await queries.order(uow, order.id), await queries.visits(uow, order.id)) == before
    names = await uow.rows("select name from event where name in ('visit.propose_time', 'visit.reject') order by id")
    assert [row["name"] for row in names] == ["visit.propose_time", "visit.reject"]


async def test_a_step_that_is_illegal_can_be_let_stand_once_the_table_allows_it(uow, dispatcher, phone, order):
    visit = await queries.visit_at_hand(uow, order.id)
    early = await from_phone(
        uow, phone, "wo.transition", {"wo": order.id, "visit": visit.id, "to": "start", "reason": None}
    )
    assert early.code == "ILLEGAL_TRANSITION"
    dispute = a_dispute(uow, phone, early)
    with pytest.raises(Problem) as refused:
        await FIELD.settlements["ILLEGAL_TRANSITION"](uow, dispatcher, dispute, Side.MINE)
    assert refused.value.code == "conflict.overtaken"
    await work_until(uow, phone, order, Action.ARRIVE)
    await FIELD.settlements["ILLEGAL_TRANSITION"](uow, dispatcher, dispute, Side.MINE)
    assert (await queries.order(uow, order.id)).state is State.WORKING


def a_dispute(uow, sender, outcome):
    said = outcome.disagreement
    return Dispute(
        id=uow.new_id(),
        mutation_id=uow.new_id(),
        code=said.code,
        entity=said.entity,
        entity_id=said.entity_id,
        work_order_id=said.work_order_id,
        mine=said.mine,
        theirs=said.theirs,
        person=sender.person,
        device=sender.device,
    )


def test_every_conflict_of_orders_can_be_settled():
    assert set(FIELD.settlements) >= {
        "ILLEGAL_TRANSITION",
        "REASSIGNED",
        "TAKEN_BACK",
        "COMPLETED_DISPUTED",
        "BOTH_COMPLETED",
        "TEXT_OVERLAP",
        "SAFETY_ANSWER",
        "PRIORITY_RAISED",
        "SERIAL_TAKEN",
        "TIME_APPROVED",
    }


async def test_an_open_timer_measured_from_a_future_clock_says_so(uow, phone, order, clock):
    occurrence = an_occurrence(clock.now())
    future = type(occurrence)(**{**vars(occurrence), "flags": ("CLOCK_FUTURE",)})
    timer = uow.new_id()
    await from_phone(uow, phone, "time.start", {"id": timer, "wo": order.id}, occurrence=future)
    (entry,) = await hour_queries.time_entries(uow, order.id)
    assert entry.flags == ("CLOCK_FUTURE",)
