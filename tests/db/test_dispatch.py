"""Who takes this job, on real rows: what the ranking reads, what an assignment leaves, what follows from it."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.core.events import Event, Subscriptions
from server.customers import duplicate_queries
from server.dispatch import crew, decisions, queries, service, wishes
from server.dispatch.board import EngineerState
from server.dispatch.decisions import How
from server.dispatch.domain import Wish
from server.dispatch.prospects import Drives, Origin
from server.dispatch.scoring import DEFAULT_WEIGHTS, Factor, Ranking, Why, judge
from server.dispatch.subscribers import subscribe
from server.geo import service as geo
from server.geo.estimate import EstimatedTravel
from server.identity.domain import Actor
from server.inventory import reservations
from server.inventory import service as inventory
from server.inventory.domain import LocationKind
from server.notify import service as notify
from server.workforce.domain import SkillLevel
from server.workforce.errors import NotAnEngineer
from server.workorders import service as workorders
from server.workorders.domain import Action, VisitState
from tests.factories.customers import MONTE_CARLO, a_customer, a_site, a_vip
from tests.factories.geo import Track, all_day, device_of, north_of, with_phone
from tests.factories.inventory import a_part, a_warehouse, goods_in
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


async def wish(uow: UnitOfWork, dispatcher: Actor, customer_id: UUID, engineer: Actor, said: Wish, why: str) -> None:
    await wishes.record_wish(uow, dispatcher, customer_id=customer_id, engineer_id=engineer.person, wish=said, why=why)


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


def raw(ranking: Ranking, engineer: Actor, name: Factor) -> float:
    (line,) = [it for it in ranking.items if it.engineer_id == engineer.person]
    return next(it.raw for it in line.factors if it.name is name)


async def test_a_wish_of_the_customer_is_weighed_and_a_ban_excludes_with_what_they_said(uow, dispatcher, anna, bruno):
    order = await an_order(uow, dispatcher)
    await wish(uow, dispatcher, order.customer_id, bruno, Wish.PREFERRED, "Speaks Italian")
    found = await ranked(uow, dispatcher, order.id)
    assert (raw(found, anna, Factor.PREFERRED), raw(found, bruno, Factor.PREFERRED)) == (0, 1)
    await wish(uow, dispatcher, order.customer_id, bruno, Wish.BANNED, "Broke a vase")
    found = await ranked(uow, dispatcher, order.id)
    assert [it.engineer_id for it in found.items] == [anna.person]
    (banned,) = found.excluded
    assert [(it.code, it.sentence) for it in banned.reasons] == [
        (Why.BANNED, "The customer does not want them: Broke a vase")
    ]
    await wishes.withdraw_wish(uow, dispatcher, customer_id=order.customer_id, engineer_id=bruno.person)
    assert len((await ranked(uow, dispatcher, order.id)).items) == 2
    with pytest.raises(NotFound):
        await wishes.withdraw_wish(uow, dispatcher, customer_id=order.customer_id, engineer_id=bruno.person)


async def test_a_wish_outlives_the_merging_of_its_customer(uow, dispatcher, anna):
    gone = await a_customer(uow, "Hotel Azure")
    await wish(uow, dispatcher, gone.id, anna, Wish.BANNED, "Noisy")
    order = await an_order(uow, dispatcher)
    await duplicate_queries.merge_customers(uow, gone=gone.id, stays=order.customer_id, by=dispatcher.person)
    (why_not,) = (await ranked(uow, dispatcher, order.id)).excluded
    assert [it.code for it in why_not.reasons] == [Why.BANNED]
    assert [it.why for it in await wishes.wishes_of(uow, dispatcher, order.customer_id)] == ["Noisy"]


async def test_reserved_parts_that_lie_in_a_van_speak_for_its_engineer(uow, dispatcher, anna, bruno):
    order = await an_order(uow, dispatcher)
    assert raw(await ranked(uow, dispatcher, order.id), anna, Factor.PARTS) == 100, "none are needed"
    warehouse, fan, belt = await a_warehouse(uow), await a_part(uow, "FAN"), await a_part(uow, "BELT")
    van = await inventory.add_location(uow, kind=LocationKind.VAN, name="Van 1", person_id=anna.person)
    for part in (fan, belt):
        await goods_in(uow, dispatcher, part, warehouse, 5)
        await reservations.reserve(
            uow, dispatcher, work_order_id=order.id, part_id=part.id, location_id=warehouse.id, quantity=Decimal(2)
        )
    await goods_in(uow, dispatcher, fan, van, 9)
    await goods_in(uow, dispatcher, belt, van, 2)
    other = await an_order(uow, dispatcher)
    await reservations.reserve(
        uow, dispatcher, work_order_id=other.id, part_id=belt.id, location_id=van.id, quantity=Decimal(1)
    )
    found = await ranked(uow, dispatcher, order.id)
    # All fans, and one of two belts: the other is somebody else's.
    assert (raw(found, anna, Factor.PARTS), raw(found, bruno, Factor.PARTS)) == (75, 0)


async def test_first_visits_that_settled_it_speak_for_an_engineer_until_the_order_comes_back(
    uow, dispatcher, anna, bruno, clock
):
    orders = []
    for one in (anna, anna, bruno):
        orders.append(order := await an_order(uow, dispatcher))
        await assign(uow, dispatcher, order.id, one)
        await confirm(uow, one, await work_until(uow, one, order, Action.RESOLVE))
    await relay(uow, times=2)
    order = await an_order(uow, dispatcher)
    found = await ranked(uow, dispatcher, order.id)
    assert (raw(found, anna, Factor.SUCCESS), raw(found, bruno, Factor.SUCCESS)) == (100, 100)
    await workorders.perform(uow, dispatcher, work_order_id=orders[2].id, action=Action.REOPEN, reason="Cold again")
    await relay(uow, times=2)
    found = await ranked(uow, dispatcher, order.id)
    # Two of three were settled: (2 + 4 x 2/3) / 6 and (0 + 4 x 2/3) / 5.
    assert (raw(found, anna, Factor.SUCCESS), raw(found, bruno, Factor.SUCCESS)) == (77.8, 53.3)
    clock.forward(timedelta(days=31))
    await workorders.perform(uow, dispatcher, work_order_id=orders[0].id, action=Action.REOPEN, reason="Winter")
    await relay(uow, times=2)
    stored = await uow.rows("select engineer_id, tried, fixed from first_fix order by tried")
    assert [(it["engineer_id"], it["tried"], it["fixed"]) for it in stored] == [
        (bruno.person, 1, 0),
        (anna.person, 2, 2),
    ]


async def test_breaks_and_agreed_overtime_are_those_of_the_shift_at_hand(uow, dispatcher, anna):
    await uow.run(
        """
        update shift set break_opens = starts_at, break_closes = starts_at + interval '1 hour', break_minutes = 30,
                         overtime_minutes = 60
        """
    )
    short = await an_order(uow, dispatcher, duration_minutes=15)
    long = await an_order(uow, dispatcher, duration_minutes=90)
    (at_once,) = (await ranked(uow, dispatcher, short.id)).items
    (rested,) = (await ranked(uow, dispatcher, long.id)).items
    assert rested.eta_seconds == at_once.eta_seconds + 30 * 60


async def test_a_large_company_shows_the_best_and_tells_of_others_who_is_asked_about(
    uow, dispatcher, anna, bruno, monkeypatch
):
    carla = await another_engineer(uow, anna.org, "Carla")
    order = await an_order(uow, dispatcher, skills=(SkillLevel("oven", 2),))
    small = await ranked(uow, dispatcher, order.id)
    monkeypatch.setattr(service, "ALL_SHOWN_UP_TO", 0)
    monkeypatch.setattr(service, "SHOWN", 1)
    large = await ranked(uow, dispatcher, order.id)
    assert (list(large.items), list(large.excluded)) == (list(small.items[:1]), [])
    assert (large.candidate_count, large.excluded_count) == (2, 1)
    about = [bruno.person, carla.person, dispatcher.person]
    told = await service.candidates(uow, dispatcher, TRAVEL, order.id, uow.now(), about=about)
    assert (list(told.items), list(told.excluded)) == (list(small.items), list(small.excluded))


@pytest.mark.parametrize("skills", [(), (SkillLevel("oven", 3),)], ids=["for anybody", "for the skilled"])
async def test_whoever_is_left_out_at_first_sight_is_excluded_by_a_rule(uow, dispatcher, anna, bruno, skills):
    crew_of = {name: await another_engineer(uow, anna.org, name) for name in ("Carla", "Dino", "Emma", "Fred")}
    await an_engineer(uow, crew_of["Dino"], oven=2)
    for name in ("Dino", "Emma", "Fred"):
        await a_shift(uow, crew_of[name])
    await uow.run("update person set active = false where id = %(id)s", id=crew_of["Emma"].person)
    order = await an_order(uow, dispatcher, skills=skills)
    await wish(uow, dispatcher, order.customer_id, crew_of["Fred"], Wish.BANNED, "-")
    job = await crew.job(uow, order.id)
    assert job is not None
    everybody, sieved = [await crew.prospects(uow, job, uow.now(), everybody=every) for every in (True, False)]
    assert len(everybody) == 6
    for prospects in (everybody, sieved):
        drives = Drives.read(TRAVEL.gathering(prospects.lon, prospects.lat, job.place, uow.now()))
        judged = judge(job, prospects, drives, uow.now(), DEFAULT_WEIGHTS)
        able = {prospects.id_of(row): judged.scores[row] for row in judged.best.tolist()}
        if prospects is everybody:
            expected = able
    assert able == expected
    assert len(sieved) == len(able)


async def test_a_decision_can_be_read_a_year_later_without_anything_else(uow, dispatcher, anna, bruno, monkeypatch):
    carla = await another_engineer(uow, anna.org, "Carla")
    dino = await another_engineer(uow, anna.org, "Dino")
    monkeypatch.setattr(decisions, "KEPT_WHOLE", 1)
    order = await an_order(uow, dispatcher, skills=(SkillLevel("oven", 2),), duration_minutes=45)
    at = uow.now()
    await assign(uow, dispatcher, order.id, bruno, note="Asked for him")
    for person in (anna, bruno, carla):
        await uow.run("update person set name = 'Gone' where id = %(id)s", id=person.person)
    await queries.insert_weights(uow, 2, {Factor.ETA: 1.0})
    (kept,) = await service.decisions(uow, dispatcher, order.id)
    assert (kept.engineer_name, kept.decided_by_name, kept.how, kept.chosen_rank, kept.note) == (
        "Bruno",
        dispatcher.name,
        How.MANUAL,
        2,
        "Asked for him",
    )
    assert (kept.weights_version, kept.weights) == (1, dict(DEFAULT_WEIGHTS))
    assert kept.job is not None
    assert kept.job["at"] == at.isoformat()
    assert (kept.job["number"], kept.job["duration_minutes"], kept.job["skills"]) == (
        order.number,
        45,
        [{"key": "oven", "level": 2}],
    )
    assert [line["name"] for line in kept.best] == ["Engineer", "Bruno"]
    assert kept.chosen is not None
    assert {it["name"] for it in kept.chosen["factors"]} == set(Factor)
    assert (kept.candidate_count, kept.excluded_count) == (2, 2)
    for one in (carla, dino):
        stood = kept.about(one.person)
        assert stood is not None
        assert stood["codes"] == [Why.SKILL_MISSING, Why.NO_SHIFT]
    assert kept.about(dispatcher.person) is None
    assert kept.about(bruno.person) == {
        "engineer_id": str(bruno.person),
        "name": "Bruno",
        "rank": 2,
        "score": kept.chosen["score"],
        "codes": [],
    }


async def test_whoever_is_neither_among_the_best_nor_chosen_is_kept_in_a_line(
    uow, dispatcher, anna, bruno, monkeypatch
):
    monkeypatch.setattr(decisions, "KEPT_WHOLE", 1)
    order = await an_order(uow, dispatcher)
    await assign(uow, dispatcher, order.id, anna)
    (kept,) = await service.decisions(uow, dispatcher, order.id)
    ((known, name, rank, score),) = kept.others["candidates"]
    assert (known, name, rank) == (str(bruno.person), "Bruno", 2)
    stood = kept.about(bruno.person)
    assert stood is not None
    assert (stood["rank"], stood["score"]) == (2, score)


async def test_a_second_job_is_planned_after_the_first(uow, dispatcher, anna):
    first = await assign(uow, dispatcher, (await an_order(uow, dispatcher)).id, anna)
    second = await assign(uow, dispatcher, (await an_order(uow, dispatcher)).id, anna)
    assert second.planned_start == first.planned_end


async def test_a_dispatcher_may_insist_on_somebody_the_rules_exclude(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher, skills=(SkillLevel("oven", 5),))
    visit = await assign(uow, dispatcher, order.id, anna)
    assert visit.engineer_id == anna.person
    (decision,) = await service.decisions(uow, dispatcher, order.id)
    assert (decision.chosen_rank, decision.chosen) == (None, None)
    assert decision.chosen_against is not None
    assert decision.chosen_against["reasons"][0]["code"] == Why.SKILL_LEVEL_TOO_LOW


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
