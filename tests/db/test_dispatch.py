"""Who takes this job, on real rows: what the ranking reads, what an assignment leaves, what follows from it."""

from datetime import timedelta
from uuid import UUID

import pytest

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.dispatch import queries, service
from server.dispatch.board import EngineerState
from server.dispatch.decisions import How
from server.dispatch.scoring import DEFAULT_WEIGHTS, Factor, Origin, Ranking, Why
from server.dispatch.subscribers import subscribe
from server.geo import service as geo
from server.geo.estimate import EstimatedTravel
from server.identity.domain import Actor
from server.notify import service as notify
from server.workforce.domain import SkillLevel
from server.workforce.errors import NotAnEngineer
from server.workorders import service as workorders
from server.workorders.domain import Action, VisitState
from tests.factories.customers import MONTE_CARLO, a_site, a_vip
from tests.factories.geo import Track, all_day, device_of, north_of, with_phone
from tests.factories.workforce import a_shift, an_engineer, another_engineer
from tests.factories.workorders import an_order, confirm, work_until
from tests.fakes.channel import RecordingChannel

TRAVEL = EstimatedTravel()
FAR = north_of(MONTE_CARLO, 20_000)


@pytest.fixture
async def anna(uow: UnitOfWork, engineer: Actor) -> Actor:
    await an_engineer(uow, engineer, oven=3)
    await a_shift(uow, engineer)
    return await with_phone(uow, engineer)


@pytest.fixture
async def bruno(uow: UnitOfWork, anna: Actor) -> Actor:
    it = await another_engineer(uow, anna.org)
    await an_engineer(uow, it, oven=3, home=FAR)
    await a_shift(uow, it)
    return it


async def ranked(uow: UnitOfWork, dispatcher: Actor, order_id: UUID) -> Ranking:
    return await service.candidates(uow, dispatcher, TRAVEL, order_id, uow.now())


async def assign(uow: UnitOfWork, dispatcher: Actor, order_id: UUID, engineer: Actor, **times):
    return await service.assign(uow, dispatcher, TRAVEL, work_order_id=order_id, engineer_id=engineer.person, **times)


async def stand(uow: UnitOfWork, phone: Actor, metres: float, seq: int = 1) -> None:
    """Report one fix of this moment, so many metres north of the customers' site."""
    fixes = Track(uow.now(), around=MONTE_CARLO).fixes(metres, first_seq=seq)
    await geo.record_fixes(uow, phone, device_of(phone), fixes, all_day(uow.now()))


async def relay(uow: UnitOfWork, *, times: int = 1) -> list[str]:
    """Hand every event that happened so far to its subscribers, as the worker would."""
    subscriptions = Subscriptions()
    subscribe(subscriptions)
    happened = await uow.all_of(
        Event,
        "select id, name, subject_kind, subject_id, payload, actor_id, trace_id, at, position from event "
        "where name = any(%(names)s) order by id",
        names=list(subscriptions.events),
    )
    for event in happened:
        for name in subscriptions.events[event.name] * times:
            await subscriptions.by_name[name](uow, event)
    return [event.name for event in happened]


async def waiting(uow: UnitOfWork, person: Actor) -> list[tuple[str, str]]:
    channel = RecordingChannel()
    await notify.deliver(uow, channel, [person.person])
    return [(sent["h"], sent["id"]) for _, sent in channel.sent]


async def test_the_nearer_engineer_leads_and_everybody_else_has_a_why_not(uow, dispatcher, anna, bruno):
    carla = await another_engineer(uow, anna.org, "Carla")
    order = await an_order(uow, dispatcher, skills=(SkillLevel("oven", 2),))
    found = await ranked(uow, dispatcher, order.id)
    assert [candidate.engineer_id for candidate in found.items] == [anna.person, bruno.person]
    (why_not,) = found.excluded
    assert why_not.engineer_id == carla.person
    assert [reason.code for reason in why_not.reasons] == [Why.SKILL_MISSING, Why.NO_SHIFT]
    best = found.items[0]
    assert best.origin is Origin.HOME
    assert best.skills == (SkillLevel("oven", 3),)
    assert {factor.name for factor in best.factors} == set(Factor)


async def test_a_fresh_position_counts_and_a_stale_one_does_not(uow, dispatcher, anna, clock):
    await stand(uow, anna, 300)
    order = await an_order(uow, dispatcher)
    (fresh,) = (await ranked(uow, dispatcher, order.id)).items
    clock.forward(timedelta(minutes=16))
    (stale,) = (await ranked(uow, dispatcher, order.id)).items
    assert (fresh.origin, stale.origin) == (Origin.POSITION, Origin.HOME)
    assert fresh.distance_m < stale.distance_m


async def test_work_of_today_is_load_and_work_under_way_is_where_they_come_from(uow, dispatcher, anna):
    await stand(uow, anna, 15_000)
    first = await an_order(uow, dispatcher, duration_minutes=90)
    await assign(uow, dispatcher, first.id, anna)
    await work_until(uow, anna, first, Action.START)
    order = await an_order(uow, dispatcher)
    (candidate,) = (await ranked(uow, dispatcher, order.id)).items
    assert candidate.load_minutes == 90
    assert candidate.origin is Origin.CURRENT_VISIT
    assert candidate.eta_seconds >= 90 * 60, "they finish first"


async def test_who_was_at_the_customer_before_is_known_there(uow, dispatcher, anna, bruno):
    site = await a_site(uow)
    before = await an_order(uow, dispatcher, site=site)
    await assign(uow, dispatcher, before.id, bruno)
    await confirm(uow, bruno, await work_until(uow, bruno, before, Action.RESOLVE))
    found = await ranked(uow, dispatcher, (await an_order(uow, dispatcher, site=site)).id)
    visits = {
        candidate.engineer_id: factor.raw
        for candidate in found.items
        for factor in candidate.factors
        if factor.name is Factor.CONTINUITY
    }
    assert visits == {anna.person: 0, bruno.person: 1}


async def test_who_declined_is_not_asked_again(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher)
    await assign(uow, dispatcher, order.id, anna)
    await workorders.perform(uow, anna, work_order_id=order.id, action=Action.DECLINE, reason="My back hurts")
    (why_not,) = (await ranked(uow, dispatcher, order.id)).excluded
    assert [reason.code for reason in why_not.reasons] == [Why.DECLINED]


async def test_a_disabled_engineer_is_excluded_with_the_reason(uow, dispatcher, anna):
    await uow.run("update person set active = false where id = %(id)s", id=anna.person)
    order = await an_order(uow, dispatcher)
    (why_not,) = (await ranked(uow, dispatcher, order.id)).excluded
    assert [reason.code for reason in why_not.reasons] == [Why.INACTIVE]
    with pytest.raises(NotAnEngineer):
        await assign(uow, dispatcher, order.id, anna)


async def test_a_vips_order_scores_thirty_percent_more(uow, dispatcher, anna):
    plain = await an_order(uow, dispatcher)
    vip = await an_order(uow, dispatcher, site=await a_site(uow, await a_vip(uow)))
    (one,) = (await ranked(uow, dispatcher, plain.id)).items
    (more,) = (await ranked(uow, dispatcher, vip.id)).items
    assert more.score == pytest.approx(1.3 * one.score, rel=1e-3)


async def test_the_first_use_writes_the_default_weights_as_version_one(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher)
    assert (await ranked(uow, dispatcher, order.id)).weights_version == 1
    await queries.insert_weights(uow, 2, {Factor.ETA: 1.0})
    again = await ranked(uow, dispatcher, order.id)
    assert again.weights_version == 2
    stored = await uow.rows("select weights from score_weights order by version")
    assert stored[0]["weights"] == dict(DEFAULT_WEIGHTS)


async def test_assigning_plans_for_when_they_can_be_there_and_keeps_what_it_was_based_on(uow, dispatcher, anna, bruno):
    order = await an_order(uow, dispatcher, duration_minutes=45)
    best = (await ranked(uow, dispatcher, order.id)).items[0]
    visit = await assign(uow, dispatcher, order.id, anna)
    assert visit.state is VisitState.DISPATCHED
    assert visit.planned_start is not None
    assert timedelta(0) <= visit.planned_start - uow.now() - timedelta(seconds=best.eta_seconds) < timedelta(minutes=1)
    assert visit.planned_end == visit.planned_start + timedelta(minutes=45)
    decision = await uow.row("select * from assignment_decision")
    assert (decision["visit_id"], decision["decided_by"]) == (visit.id, dispatcher.person)
    assert [line["engineer_id"] for line in decision["candidates"]] == [str(anna.person), str(bruno.person)]
    assert {factor["name"] for factor in decision["candidates"][0]["factors"]} == set(Factor)


async def test_a_decision_says_who_chose_and_how_far_up_the_suggestions_they_stood(uow, dispatcher, anna, bruno):
    await assign(uow, dispatcher, (await an_order(uow, dispatcher)).id, anna)
    await assign(uow, dispatcher, (await an_order(uow, dispatcher, preferred_engineer_id=anna.person)).id, bruno)
    unable = await an_order(uow, dispatcher, skills=(SkillLevel("oven", 5),))
    await assign(uow, dispatcher, unable.id, anna, note="She knows this one")
    plan = UUID(int=5)
    await assign(uow, dispatcher, (await an_order(uow, dispatcher)).id, bruno, how=How.PLAN, plan_id=plan)
    await assign(uow, dispatcher, (await an_order(uow, dispatcher)).id, bruno, how=How.AUTOMATIC)
    stored = await uow.rows(
        "select how, chosen_rank, plan_id, note, decided_by from assignment_decision order by decided_at, id"
    )
    assert [(it["how"], it["chosen_rank"], it["plan_id"], it["note"]) for it in stored] == [
        (How.SUGGESTED, 1, None, None),
        (How.MANUAL, 2, None, None),
        (How.MANUAL, None, None, "She knows this one"),
        (How.PLAN, 2, plan, None),
        (How.AUTOMATIC, 2, None, None),
    ]
    assert [it["decided_by"] for it in stored] == [*[dispatcher.person] * 4, None]


async def test_a_second_job_is_planned_after_the_first(uow, dispatcher, anna):
    first = await assign(uow, dispatcher, (await an_order(uow, dispatcher)).id, anna)
    second = await assign(uow, dispatcher, (await an_order(uow, dispatcher)).id, anna)
    assert second.planned_start == first.planned_end


async def test_a_dispatcher_may_insist_on_somebody_the_rules_exclude(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher, skills=(SkillLevel("oven", 5),))
    visit = await assign(uow, dispatcher, order.id, anna)
    assert visit.engineer_id == anna.person
    decision = await uow.row("select candidates from assignment_decision")
    assert decision["candidates"][0]["reasons"][0]["code"] == Why.SKILL_LEVEL_TOO_LOW


async def test_reassigning_takes_the_visit_from_the_first_and_tells_both_phones(uow, dispatcher, anna, bruno):
    order = await an_order(uow, dispatcher)
    await assign(uow, dispatcher, order.id, anna)
    await assign(uow, dispatcher, order.id, bruno)
    await relay(uow)
    still = await uow.rows("select person_id from fence where closed_at is null")
    assert [row["person_id"] for row in still] == [bruno.person]
    assert await waiting(uow, anna) == [("sync", str(order.id))]
    assert await waiting(uow, bruno) == [("job", str(order.id))]


async def test_coming_near_is_noted_once_and_opens_the_job_on_the_phone(uow, dispatcher, anna, clock):
    order = await an_order(uow, dispatcher)
    visit = await assign(uow, dispatcher, order.id, anna)
    await relay(uow, times=2)
    await waiting(uow, anna)
    for seq, metres in enumerate((2_000, 900, 400, 300), start=1):
        clock.forward(timedelta(seconds=15))
        await stand(uow, anna, metres, seq)
    arrived = clock.now()
    clock.forward(timedelta(seconds=5))
    await relay(uow, times=2)
    stored = await uow.row("select approached_at from visit where id = %(id)s", id=visit.id)
    assert stored["approached_at"] == arrived
    entries = await uow.rows("select actor_name, at from timeline_entry where action = 'approached'")
    assert [(row["actor_name"], row["at"]) for row in entries] == [("Engineer", arrived)]
    assert ("arrival", str(order.id)) in await waiting(uow, anna)


@pytest.mark.parametrize("how", ["withdrawn", "cancelled", "resolved", "declined"])
async def test_a_visit_that_is_over_is_no_longer_watched(uow, dispatcher, anna, how):
    order = await an_order(uow, dispatcher)
    await assign(uow, dispatcher, order.id, anna)
    await relay(uow)
    match how:
        case "withdrawn":
            await workorders.perform(uow, dispatcher, work_order_id=order.id, action=Action.UNSCHEDULE, reason="-")
        case "cancelled":
            await workorders.perform(uow, dispatcher, work_order_id=order.id, action=Action.CANCEL, reason="-")
        case "declined":
            await workorders.perform(uow, anna, work_order_id=order.id, action=Action.DECLINE, reason="-")
        case "resolved":
            await work_until(uow, anna, order, Action.RESOLVE)
    await relay(uow, times=2)
    assert await uow.value("select count(*) from fence where closed_at is null") == 0


async def test_a_dispatch_told_after_its_visit_is_over_watches_nothing(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher)
    await assign(uow, dispatcher, order.id, anna)
    await workorders.perform(uow, dispatcher, work_order_id=order.id, action=Action.CANCEL, reason="-")
    await relay(uow)
    assert await uow.value("select count(*) from fence") == 0


async def test_the_board_shows_what_each_engineer_is_doing(uow, dispatcher, anna, clock):
    carla = await another_engineer(uow, anna.org, "Carla")
    await stand(uow, anna, 800)
    order = await an_order(uow, dispatcher, duration_minutes=30)
    await assign(uow, dispatcher, order.id, anna)
    idle, off = await queries.statuses(uow, uow.now(), [anna.person]), await queries.statuses(uow, uow.now())
    assert [(it.id, it.state, it.load_minutes) for it in idle] == [(anna.person, EngineerState.IDLE, 30)]
    assert idle[0].place == pytest.approx(north_of(MONTE_CARLO, 800)) or idle[0].place is not None
    assert {it.id: it.state for it in off}[carla.person] is EngineerState.OFF_SHIFT
    await work_until(uow, anna, order, Action.TRAVEL)
    (busy,) = await queries.statuses(uow, uow.now(), [anna.person])
    assert (busy.state, busy.current_order_id) == (EngineerState.TRAVELLING, order.id)


async def test_off_shift_nobodys_place_is_shown(uow, dispatcher, anna, clock):
    await stand(uow, anna, 800)
    clock.forward(timedelta(hours=9))
    (status,) = await queries.statuses(uow, uow.now(), [anna.person])
    assert (status.state, status.place, status.fixed_at) == (EngineerState.OFF_SHIFT, None, None)
    assert status.shift_starts_at is None


async def test_asking_the_roads_in_turns_ranks_as_asking_them_at_once(uow, dispatcher, anna, bruno, monkeypatch):
    order = await an_order(uow, dispatcher)
    at_once = await ranked(uow, dispatcher, order.id)
    monkeypatch.setattr(service, "ASKED_AT_ONCE", 1)
    in_turns = await ranked(uow, dispatcher, order.id)
    assert list(in_turns.items) == list(at_once.items)
    assert in_turns.start_of(bruno.person) == at_once.start_of(bruno.person)
