"""Orders that assign themselves and the open pool, on real rows: what rules come to, who sees an offer, who gets it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from server.core.db import Database, UnitOfWork
from server.core.events import Event
from server.dispatch import live
from server.dispatch import service as dispatch
from server.dispatch.decisions import How
from server.dispatch.rules import editing, pool, pool_queries, queries, rehearsal, service
from server.dispatch.rules.domain import Do, Limit, OfferEnding, RuleOutcome
from server.dispatch.rules.errors import NotForThePool, NotForYou, OfferOver, OrderOfOtherRules, RuleChangedMeanwhile
from server.dispatch.rules.pool import Taken, TooLate
from server.dispatch.rules.tasks import look_round
from server.geo.domain import Point
from server.identity.domain import Actor
from server.workforce.domain import SkillLevel
from server.workorders import queries as workorder_queries
from server.workorders import service as workorders
from server.workorders import voiding
from server.workorders.domain import Action, Priority, State, WorkOrder
from server.workorders.errors import EntityGone
from tests.factories.customers import MONTE_CARLO, a_customer, a_site, a_vip
from tests.factories.geo import north_of
from tests.factories.identity import Company
from tests.factories.rules import TRAVEL, a_rule, hear, worded
from tests.factories.workforce import a_shift, an_engineer, another_engineer
from tests.factories.workorders import an_order

FAR = north_of(MONTE_CARLO, 20_000)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def anna(uow: UnitOfWork, engineer: Actor) -> Actor:
    return await ready(uow, engineer)


@pytest.fixture
async def bruno(uow: UnitOfWork, anna: Actor) -> Actor:
    return await ready(uow, await another_engineer(uow, anna.org), home=FAR)


async def ready(uow: UnitOfWork, engineer: Actor, *, home: Point = MONTE_CARLO) -> Actor:
    await an_engineer(uow, engineer, home=home, oven=3)
    await a_shift(uow, engineer)
    return engineer


async def outcomes(uow: UnitOfWork, order: WorkOrder) -> list[RuleOutcome]:
    """What rules did with the order, the oldest first."""
    return [attempt.outcome for attempt in reversed(await queries.attempts(uow, order.id))]


async def sent_to(uow: UnitOfWork, order: WorkOrder) -> list[UUID]:
    """Engineers with an open visit."""
    rows = await uow.rows(
        "select engineer_id from visit where work_order_id = %(order)s and state = 'dispatched'", order=order.id
    )
    return [row["engineer_id"] for row in rows]


async def seen_by(uow: UnitOfWork) -> set[UUID]:
    return {row["person_id"] for row in await uow.rows("select person_id from pool_visible")}


async def look(uow: UnitOfWork) -> None:
    """What the worker does each minute, in this one transaction."""
    for order in await pool_queries.expired(uow, uow.now()):
        await service.expire(uow, order)
    for order in await service.due(uow):
        await service.take_up(uow, TRAVEL, order)
    for order in await service.near_breach(uow):
        await service.offer_near_breach(uow, order)
    await pool_queries.show(uow)


async def offered(uow: UnitOfWork, dispatcher: Actor, order: WorkOrder):
    return await pool.offer_by_hand(uow, dispatcher, order.id, None)


async def take(uow: UnitOfWork, engineer: Actor, offer) -> Taken | TooLate:
    return await pool.take(uow, engineer, TRAVEL, offer_id=offer.id, work_order_id=offer.work_order_id)


async def test_nothing_happens_until_an_organisation_has_a_rule(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher)
    await hear(uow)
    assert (await outcomes(uow, order), await sent_to(uow, order)) == ([], [])


async def test_a_clear_case_is_assigned_at_once_in_the_name_of_the_rule(uow, dispatcher, administrator, anna, bruno):
    rule = await a_rule(uow, administrator, min_score=0.1)
    order = await an_order(uow, dispatcher)
    await hear(uow, times=2)
    assert await sent_to(uow, order) == [anna.person]
    (attempt,) = await queries.attempts(uow, order.id)
    assert (attempt.outcome, attempt.rule_id, attempt.rule_version) == (RuleOutcome.ASSIGNED, rule.id, 1)
    assert (attempt.engineer_id, attempt.engineer_name) == (anna.person, anna.name)
    decision = await uow.row("select how, decided_by, note, chosen_rank from assignment_decision")
    assert decision == {"how": "automatic", "decided_by": None, "note": "Clear cases", "chosen_rank": 1}
    entries = await uow.rows("select action, actor_name, why from timeline_entry where actor_id = %(it)s", it=rule.id)
    assert {row["actor_name"] for row in entries} == {"Automatic assignment"}
    assert ("assign_by_rule", "Clear cases") in {(row["action"], row["why"]) for row in entries}
    told = await uow.row("select payload from event where name = 'work_order.decided_by_rule'")
    assert (told["payload"]["rule_name"], told["payload"]["outcome"]) == ("Clear cases", "assigned")
    by = await uow.value("select actor_id from event where name = 'visit.dispatched'")
    assert by == rule.id


async def test_an_inactive_or_deleted_rule_decides_nothing(uow, dispatcher, administrator, anna):
    await a_rule(uow, administrator, active=False)
    gone = await a_rule(uow, administrator)
    await editing.remove(uow, administrator, gone.id)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    assert await outcomes(uow, order) == []


async def test_only_what_a_rule_means_is_assigned(uow, dispatcher, administrator, anna):
    await a_rule(uow, administrator, conditions={"customer_tiers": ["vip"], "priorities": ["urgent"]})
    plain = await an_order(uow, dispatcher, priority=Priority.URGENT)
    vip = await an_order(uow, dispatcher, site=await a_site(uow, await a_vip(uow)), priority=Priority.URGENT)
    await hear(uow)
    assert (await sent_to(uow, plain), await sent_to(uow, vip)) == ([], [anna.person])


async def test_hours_are_counted_where_the_organisation_is(uow, dispatcher, administrator, anna, clock):
    """It is 07:30 in universal time, 08:30 in Paris."""
    await a_rule(uow, administrator, conditions={"hours": {"start": "08:00", "end": "09:00"}})
    order = await an_order(uow, dispatcher)
    await hear(uow)
    assert await outcomes(uow, order) == [RuleOutcome.ASSIGNED]


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ({"min_score": 5.0}, Limit.MIN_SCORE),
        ({"min_lead": 0.99}, Limit.MIN_LEAD),
        ({"max_eta_minutes": 1}, Limit.MAX_ETA_MINUTES),
        ({"max_load_percent": 10}, Limit.MAX_LOAD_PERCENT),
    ],
)
async def test_a_case_beyond_a_limit_is_left_with_the_limit_and_its_values(
    uow, dispatcher, administrator, anna, bruno, limits, limit
):
    await an_engineer(uow, anna, home=north_of(MONTE_CARLO, 3_000), oven=3)
    await a_rule(uow, administrator, **limits)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    (attempt,) = await queries.attempts(uow, order.id)
    assert (attempt.outcome, [broken.limit for broken in attempt.limits]) == (RuleOutcome.LIMITS_NOT_MET, [limit])
    assert attempt.limits[0].allowed == next(iter(limits.values()))
    assert attempt.engineer_id == anna.person, "who led is told"
    assert await sent_to(uow, order) == []


async def test_where_nobody_may_take_it_the_attempt_says_so(uow, dispatcher, administrator, anna):
    await a_rule(uow, administrator)
    order = await an_order(uow, dispatcher, skills=(SkillLevel("oven", 5),))
    await hear(uow)
    assert await outcomes(uow, order) == [RuleOutcome.NOBODY]


async def test_the_first_rule_decides_also_when_its_limits_are_not_met(uow, dispatcher, administrator, anna):
    await a_rule(uow, administrator, min_score=5.0)
    await a_rule(uow, administrator, name="Everything else")
    order = await an_order(uow, dispatcher)
    await hear(uow)
    assert await outcomes(uow, order) == [RuleOutcome.LIMITS_NOT_MET]


async def test_what_is_left_to_people_stays_with_them(uow, dispatcher, administrator, anna):
    await a_rule(uow, administrator, Do.NEVER)
    await a_rule(uow, administrator)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    assert (await outcomes(uow, order), await sent_to(uow, order)) == ([RuleOutcome.LEFT], [])


async def test_a_rule_waits_for_a_person_and_then_assigns(uow, dispatcher, administrator, anna, clock):
    await a_rule(uow, administrator, Do.WAIT, 15)
    order = await an_order(uow, dispatcher)
    await hear(uow, times=2)
    (attempt,) = await queries.attempts(uow, order.id)
    assert (attempt.outcome, attempt.until) == (RuleOutcome.WAITING, clock.now() + 15 * MINUTE)
    clock.forward(14 * MINUTE)
    await look(uow)
    assert await sent_to(uow, order) == []
    clock.forward(MINUTE)
    await look(uow)
    await look(uow)
    assert await outcomes(uow, order) == [RuleOutcome.WAITING, RuleOutcome.ASSIGNED]
    assert await sent_to(uow, order) == [anna.person]


async def test_a_person_who_is_quicker_ends_the_waiting(uow, dispatcher, administrator, anna, bruno, clock):
    await a_rule(uow, administrator, Do.WAIT, 15)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    await dispatch.assign(uow, dispatcher, TRAVEL, work_order_id=order.id, engineer_id=bruno.person)
    await hear(uow)
    clock.forward(20 * MINUTE)
    await look(uow)
    (attempt,) = await queries.attempts(uow, order.id)
    assert attempt.over_at == clock.now() - 20 * MINUTE
    assert await sent_to(uow, order) == [bruno.person]


async def test_triage_while_waiting_does_not_begin_the_waiting_anew(uow, dispatcher, administrator, anna, clock):
    await a_rule(uow, administrator, Do.WAIT, 15)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    clock.forward(10 * MINUTE)
    await workorders.perform(uow, dispatcher, work_order_id=order.id, action=Action.TRIAGE)
    await hear(uow)
    (attempt,) = await queries.attempts(uow, order.id)
    assert attempt.until == clock.now() + 5 * MINUTE


async def amend(uow: UnitOfWork, dispatcher: Actor, order: WorkOrder, **wanted) -> None:
    now = await workorder_queries.order(uow, order.id)
    await workorders.amend(uow, dispatcher, work_order_id=order.id, expected_version=now.version, wanted=wanted)
    await hear(uow, times=2)


async def test_an_order_that_becomes_urgent_is_decided_by_the_rule_for_urgent_ones(
    uow, dispatcher, administrator, anna, clock
):
    await a_rule(uow, administrator, name="Urgent", conditions={"priorities": ["urgent"]})
    await a_rule(uow, administrator, Do.WAIT, 60, name="Others")
    order = await an_order(uow, dispatcher)
    await hear(uow)
    await amend(uow, dispatcher, order, priority=Priority.URGENT)
    assert await outcomes(uow, order) == [RuleOutcome.WAITING, RuleOutcome.ASSIGNED]
    assert await queries.waiting(uow, order.id) is None
    clock.forward(61 * MINUTE)
    await look(uow)
    assert await sent_to(uow, order) == [anna.person]
    assert await uow.value("select count(*) from visit") == 1


async def test_a_timer_begins_with_the_rule_and_goes_on_while_the_rule_stays(
    uow, dispatcher, administrator, anna, clock
):
    await a_rule(uow, administrator, Do.WAIT, 30, name="Leaks", conditions={"problem_types": ["leak"]})
    await a_rule(uow, administrator, Do.WAIT, 60, name="Others")
    order = await an_order(uow, dispatcher)
    await hear(uow)
    clock.forward(10 * MINUTE)
    await amend(uow, dispatcher, order, title="Oven is cold", priority=Priority.HIGH)
    assert (await queries.waiting(uow, order.id)).until == clock.now() + 50 * MINUTE
    await amend(uow, dispatcher, order, problem_type="leak")
    waiting = await queries.waiting(uow, order.id)
    assert (waiting.rule_name, waiting.until) == ("Leaks", clock.now() + 30 * MINUTE)
    assert await outcomes(uow, order) == [RuleOutcome.WAITING] * 2


async def test_an_amended_order_no_rule_means_any_more_waits_for_people(uow, dispatcher, administrator, anna, clock):
    await a_rule(uow, administrator, Do.WAIT, 30, conditions={"priorities": ["normal"]})
    order = await an_order(uow, dispatcher)
    await hear(uow)
    await amend(uow, dispatcher, order, priority=Priority.HIGH)
    clock.forward(31 * MINUTE)
    await look(uow)
    assert (await outcomes(uow, order), await sent_to(uow, order)) == ([RuleOutcome.WAITING], [])


async def test_a_rules_offer_gives_way_to_the_rule_of_what_an_order_became(uow, dispatcher, administrator, anna):
    await a_rule(uow, administrator, Do.NEVER, name="High", conditions={"priorities": ["high"]})
    await a_rule(uow, administrator, name="Urgent", conditions={"priorities": ["urgent"]})
    await a_rule(uow, administrator, Do.POOL, 100_000, name="Others")
    order, by_hand = await an_order(uow, dispatcher), await an_order(uow, dispatcher, priority=Priority.HIGH)
    await hear(uow)
    await offered(uow, dispatcher, by_hand)
    await amend(uow, dispatcher, order, duration_minutes=90)
    assert await outcomes(uow, order) == [RuleOutcome.POOLED]
    await amend(uow, dispatcher, order, priority=Priority.URGENT)
    assert await outcomes(uow, order) == [RuleOutcome.POOLED, RuleOutcome.ASSIGNED]
    assert (await pool_queries.last_offer(uow, order.id)).ending is OfferEnding.WITHDRAWN
    assert await sent_to(uow, order) == [anna.person]
    await amend(uow, dispatcher, by_hand, duration_minutes=90)
    assert await outcomes(uow, by_hand) == [RuleOutcome.LEFT], "told once"
    await amend(uow, dispatcher, by_hand, priority=Priority.URGENT)
    assert (await pool_queries.open_offer(uow, by_hand.id)) is not None, "a person's offer stands"
    assert await sent_to(uow, by_hand) == []


async def test_a_rule_that_was_changed_meanwhile_is_asked_again_as_it_is_now(
    uow, dispatcher, administrator, anna, clock
):
    rule = await a_rule(uow, administrator, Do.WAIT, 15)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    await editing.change(uow, administrator, rule.id, 1, worded(Do.WAIT, 15, active=False))
    clock.forward(20 * MINUTE)
    await look(uow)
    assert (await outcomes(uow, order), await sent_to(uow, order)) == ([RuleOutcome.WAITING], [])
    assert await queries.waiting(uow, order.id) is None


async def test_a_reopened_order_is_decided_again(uow, dispatcher, administrator, anna):
    await a_rule(uow, administrator)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    for action in (Action.CANCEL, Action.REOPEN):
        await workorders.perform(uow, dispatcher, work_order_id=order.id, action=action, reason="A mistake")
    await hear(uow)
    assert await outcomes(uow, order) == [RuleOutcome.ASSIGNED, RuleOutcome.ASSIGNED]


async def test_who_declines_is_followed_by_the_next(uow, dispatcher, administrator, anna, bruno):
    await a_rule(uow, administrator)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    await workorders.perform(uow, anna, work_order_id=order.id, action=Action.DECLINE, reason="My van broke down")
    await hear(uow)
    assert await sent_to(uow, order) == [bruno.person]


async def test_near_breach_an_order_is_offered_once(uow, dispatcher, administrator, anna, bruno, clock):
    rule = await a_rule(uow, administrator, Do.POOL, 30, name="Before it is late")
    order = await an_order(uow, dispatcher, priority=Priority.URGENT)
    await hear(uow)
    assert (await queries.attempts(uow, order.id))[0].until == order.respond_by - 30 * MINUTE
    clock.forward(90 * MINUTE)
    await look(uow)
    await look(uow)
    offer = await pool_queries.open_offer(uow, order.id)
    assert offer is not None
    assert (offer.rule_id, offer.opened_by) == (rule.id, None)
    assert offer.closes_at == clock.now() + 60 * MINUTE
    assert await outcomes(uow, order) == [RuleOutcome.WAITING, RuleOutcome.POOLED]
    assert await seen_by(uow) == {anna.person, bruno.person}
    entry = await uow.row("select actor_name, why from timeline_entry where action = 'pool_opened'")
    assert entry == {"actor_name": "Automatic assignment", "why": "Before it is late"}
    hints = await uow.rows("select person_id from message where subject_id = %(offer)s", offer=offer.id)
    assert {row["person_id"] for row in hints} == {anna.person, bruno.person}


async def test_orders_older_than_the_rule_and_undecided_ones_are_caught_near_breach(
    uow, dispatcher, administrator, anna, clock
):
    before = await an_order(uow, dispatcher, priority=Priority.URGENT)
    await a_rule(uow, administrator, min_score=5.0)
    undecided = await an_order(uow, dispatcher, priority=Priority.URGENT)
    await hear(uow)
    await a_rule(uow, administrator, Do.POOL, 30)
    clock.forward(89 * MINUTE)
    await look(uow)
    assert await seen_by(uow) == set()
    clock.forward(MINUTE)
    await look(uow)
    for order in (before, undecided):
        assert (await outcomes(uow, order))[-1] is RuleOutcome.POOLED
    assert await sent_to(uow, undecided) == []


async def test_what_the_office_withdrew_is_not_offered_again(uow, dispatcher, administrator, anna, clock):
    await a_rule(uow, administrator, Do.POOL, 30)
    order = await an_order(uow, dispatcher, priority=Priority.URGENT)
    clock.forward(100 * MINUTE)
    await hear(uow)
    await pool.withdraw(uow, dispatcher, order.id)
    await look(uow)
    assert await seen_by(uow) == set()
    offer = await pool_queries.last_offer(uow, order.id)
    assert offer is not None
    assert offer.ending is OfferEnding.WITHDRAWN


async def test_an_offer_nobody_takes_closes_in_time(uow, dispatcher, anna, clock):
    order = await an_order(uow, dispatcher, priority=Priority.URGENT)
    offer = await offered(uow, dispatcher, order)
    assert offer.closes_at == order.respond_by
    clock.forward(121 * MINUTE)
    with pytest.raises(OfferOver):
        await take(uow, anna, offer)
    await look(uow)
    assert (await pool_queries.offer(uow, offer.id)).ending is OfferEnding.EXPIRED
    assert await seen_by(uow) == set()


async def test_only_those_see_an_offer_who_hold_its_skills_are_active_and_have_not_declined(
    uow, dispatcher, anna, bruno, clock
):
    apprentice = await another_engineer(uow, anna.org, "Carla")
    await an_engineer(uow, apprentice, oven=1)
    expired = await another_engineer(uow, anna.org, "Dario")
    await an_engineer(uow, expired, oven=4)
    await uow.run(
        "update engineer_skill set valid_until = %(day)s where person_id = %(id)s",
        day=clock.now().date() - timedelta(days=1),
        id=expired.person,
    )
    gone = await another_engineer(uow, anna.org, "Elena")
    await an_engineer(uow, gone, oven=4)
    await uow.run("update person set active = false where id = %(id)s", id=gone.person)
    order = await an_order(uow, dispatcher, skills=(SkillLevel("oven", 2),))
    await dispatch.assign(uow, dispatcher, TRAVEL, work_order_id=order.id, engineer_id=bruno.person)
    await workorders.perform(uow, bruno, work_order_id=order.id, action=Action.DECLINE, reason="Not me")
    await offered(uow, dispatcher, order)
    assert await seen_by(uow) == {anna.person}


async def test_who_learns_the_skill_sees_the_offer_with_the_next_round_and_who_loses_it_no_longer(
    uow, dispatcher, anna
):
    carla = await another_engineer(uow, anna.org, "Carla")
    await offered(uow, dispatcher, await an_order(uow, dispatcher, skills=(SkillLevel("oven", 2),)))
    await an_engineer(uow, carla, oven=2)
    await an_engineer(uow, anna, oven=1)
    await look(uow)
    assert await seen_by(uow) == {carla.person}


async def test_an_order_changed_while_on_offer_is_told_anew(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher)
    await offered(uow, dispatcher, order)
    before = await uow.value("select bv from sync_entry where entity = 41")
    await workorders.amend(
        uow, dispatcher, work_order_id=order.id, expected_version=order.version, wanted={"title": "It smokes now"}
    )
    await hear(uow)
    assert await uow.value("select revision from pool_visible") == order.version + 1
    assert await uow.value("select op from sync_entry where entity = 41") == "p"
    assert await uow.value("select bv from sync_entry where entity = 41") >= before


async def test_whoever_takes_an_offer_is_sent_and_it_leaves_every_phone(uow, dispatcher, anna, bruno):
    order = await an_order(uow, dispatcher)
    offer = await offered(uow, dispatcher, order)
    taken = await take(uow, bruno, offer)
    assert isinstance(taken, Taken)
    assert await sent_to(uow, order) == [bruno.person]
    assert await seen_by(uow) == set()
    closed = await pool_queries.offer(uow, offer.id)
    assert (closed.ending, closed.taken_by) == (OfferEnding.TAKEN, bruno.person)
    assert await uow.value("select how from assignment_decision") == "pool"
    again = await take(uow, bruno, offer)
    assert again == Taken(None)
    await hear(uow)
    assert (await pool_queries.offer(uow, offer.id)).ending is OfferEnding.TAKEN


async def test_who_comes_late_is_told_when_and_not_by_whom(uow, dispatcher, anna, bruno, clock):
    offer = await offered(uow, dispatcher, await an_order(uow, dispatcher))
    await take(uow, bruno, offer)
    clock.forward(MINUTE)
    assert await take(uow, anna, offer) == TooLate(OfferEnding.TAKEN, clock.now() - MINUTE)


async def test_a_dispatcher_who_sends_somebody_closes_the_offer(uow, dispatcher, anna, bruno):
    order = await an_order(uow, dispatcher)
    offer = await offered(uow, dispatcher, order)
    await dispatch.assign(uow, dispatcher, TRAVEL, work_order_id=order.id, engineer_id=anna.person)
    assert isinstance(await take(uow, bruno, offer), TooLate), "also before anybody heard of it"
    await hear(uow)
    assert (await pool_queries.offer(uow, offer.id)).ending is OfferEnding.ASSIGNED
    assert await seen_by(uow) == set()


async def test_a_cancelled_order_is_on_offer_no_more(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher)
    offer = await offered(uow, dispatcher, order)
    await workorders.perform(uow, dispatcher, work_order_id=order.id, action=Action.CANCEL, reason="Sold the oven")
    with pytest.raises(OfferOver):
        await take(uow, anna, offer)
    await hear(uow)
    assert (await pool_queries.offer(uow, offer.id)).ending is OfferEnding.WITHDRAWN


async def test_hard_rules_hold_for_whoever_takes_too(uow, dispatcher, anna):
    carla = await another_engineer(uow, anna.org, "Carla")
    offer = await offered(uow, dispatcher, await an_order(uow, dispatcher, skills=(SkillLevel("oven", 2),)))
    with pytest.raises(NotForYou, match=r"Lacks the skill oven .* Has no shift"):
        await take(uow, carla, offer)


async def test_an_offer_of_another_order_is_none(uow, dispatcher, anna):
    offer = await offered(uow, dispatcher, await an_order(uow, dispatcher))
    other = await an_order(uow, dispatcher)
    with pytest.raises(EntityGone):
        await pool.take(uow, anna, TRAVEL, offer_id=offer.id, work_order_id=other.id)


async def test_the_nearest_on_shift_are_told_at_once(uow, dispatcher, anna, bruno, monkeypatch):
    monkeypatch.setattr(pool, "TOLD_AT_ONCE", 1)
    offer = await offered(uow, dispatcher, await an_order(uow, dispatcher))
    told = await uow.rows("select person_id from message where subject_id = %(offer)s", offer=offer.id)
    assert [row["person_id"] for row in told] == [anna.person]
    assert await seen_by(uow) == {anna.person, bruno.person}


async def test_boards_hear_of_rules_and_offers(uow, dispatcher, administrator, anna):
    await a_rule(uow, administrator, min_score=5.0)
    order = await an_order(uow, dispatcher)
    await hear(uow)
    await take(uow, anna, await offered(uow, dispatcher, order))
    happened = await uow.all_of(
        Event,
        "select id, name, subject_kind, subject_id, payload, actor_id, trace_id, at, 1::bigint as position from event "
        "where name ~ '^(pool|work_order.decided)' order by id",
    )
    told = [news.what.name for news in await live.news_of(uow, happened) if isinstance(news.what, Event)]
    assert told == ["work_order.decided_by_rule", "pool.opened", "pool.taken"]


async def test_an_order_that_was_taken_back_and_restored_is_decided_again(uow, dispatcher, administrator, anna):
    order = await an_order(uow, dispatcher)
    offer = await offered(uow, dispatcher, order)
    await voiding.void(uow, dispatcher, order.id, reason="Opened by mistake")
    await hear(uow)
    assert (await pool_queries.offer(uow, offer.id)).ending is OfferEnding.WITHDRAWN
    await voiding.restore(uow, dispatcher, order.id, reason="It was none")
    await a_rule(uow, administrator)
    await hear(uow, only="work_order.restored")
    assert await sent_to(uow, order) == [anna.person]


async def test_only_what_waits_for_somebody_can_be_offered(uow, dispatcher, anna):
    order = await an_order(uow, dispatcher)
    first = await offered(uow, dispatcher, order)
    assert await offered(uow, dispatcher, order) == first, "asked twice, offered once"
    await take(uow, anna, first)
    with pytest.raises(NotForThePool):
        await offered(uow, dispatcher, order)


async def test_a_change_makes_a_version_and_the_same_again_does_not(uow, administrator):
    rule = await a_rule(uow, administrator)
    changed = await editing.change(uow, administrator, rule.id, 1, worded(min_lead=0.2))
    assert (changed.version, changed.limits.min_lead) == (2, 0.2)
    assert await editing.change(uow, administrator, rule.id, 2, worded(min_lead=0.2)) == changed
    with pytest.raises(RuleChangedMeanwhile):
        await editing.change(uow, administrator, rule.id, 1, worded())
    assert await uow.value("select count(*) from assignment_rule_version") == 2


async def test_rules_are_asked_in_the_order_they_are_put_in(uow, dispatcher, administrator, anna):
    first = await a_rule(uow, administrator)
    second = await a_rule(uow, administrator, Do.NEVER)
    assert [rule.id for rule in await queries.rules(uow)] == [first.id, second.id]
    await editing.reorder(uow, administrator, [second.id, first.id])
    order = await an_order(uow, dispatcher)
    await hear(uow)
    assert await outcomes(uow, order) == [RuleOutcome.LEFT]
    with pytest.raises(OrderOfOtherRules):
        await editing.reorder(uow, administrator, [first.id])


async def test_a_dry_run_tells_from_stored_decisions_what_rules_would_have_done(
    uow, dispatcher, administrator, anna, bruno, clock
):
    decided, undecided = await an_order(uow, dispatcher), await an_order(uow, dispatcher)
    clock.forward(20 * MINUTE)
    await dispatch.assign(uow, dispatcher, TRAVEL, work_order_id=decided.id, engineer_id=bruno.person)
    await a_rule(uow, administrator, Do.WAIT, 15, active=False)
    assert {it.rule for it in await rehearsal.rehearse(uow, 7, inactive_too=False)} == {None}
    told = {it.work_order_id: it for it in await rehearsal.rehearse(uow, 7, inactive_too=True)}
    assert (told[decided.id].outcome, told[undecided.id].outcome) == (RuleOutcome.ASSIGNED, None)
    assert (told[decided.id].best_id, told[decided.id].sent_id) == (anna.person, bruno.person)
    assert await uow.value("select count(*) from assignment_attempt") == 0
    clock.forward(timedelta(days=8))
    assert await rehearsal.rehearse(uow, 7, inactive_too=True) == []


@pytest.fixture
async def crew(database: Database, company: Company) -> tuple[Actor, Actor]:
    """Two engineers on shift, for tests in which several transactions are under way."""
    async with database.unit_of_work(company.id) as uow:
        anna = await ready(uow, company.actor("engineer"))
        return anna, await ready(uow, await another_engineer(uow, company.id), home=FAR)


async def test_two_workers_at_once_assign_once(database, company, crew, administrator, dispatcher):
    async with database.unit_of_work(company.id) as uow:
        await a_rule(uow, administrator)
        order = await an_order(uow, dispatcher)
        event = await uow.value("select id from event where name = 'work_order.opened'")

    async def worker(event_id: UUID) -> None:
        async with database.unit_of_work(company.id) as uow:
            await service.decide(uow, TRAVEL, order.id, event_id)

    await asyncio.gather(worker(event), worker(event), worker(UUID(int=1)), worker(event))
    async with database.unit_of_work(company.id) as uow:
        assert len(await sent_to(uow, order)) == 1
        assert await outcomes(uow, order) == [RuleOutcome.ASSIGNED]
        assert await uow.value("select count(*) from visit") == 1


async def test_two_rounds_at_once_take_up_what_waits_once(database, company, crew, administrator, dispatcher, clock):
    async with database.unit_of_work(company.id) as uow:
        await a_rule(uow, administrator, Do.WAIT, 5)
        order = await an_order(uow, dispatcher)
        await hear(uow)
    clock.forward(6 * MINUTE)
    await asyncio.gather(*(look_round(database, TRAVEL, company.id) for _ in range(3)))
    async with database.unit_of_work(company.id) as uow:
        assert await outcomes(uow, order) == [RuleOutcome.WAITING, RuleOutcome.ASSIGNED]
        assert await uow.value("select count(*) from visit") == 1


async def test_orders_assigned_at_once_see_each_others_load(database, company, crew, administrator, dispatcher):
    async with database.unit_of_work(company.id) as uow:
        await a_rule(uow, administrator, max_load_percent=100)
        orders = [await an_order(uow, dispatcher, duration_minutes=400) for _ in range(3)]

    async def worker(order: WorkOrder) -> None:
        async with database.unit_of_work(company.id) as uow:
            await service.decide(uow, TRAVEL, order.id, order.id)

    await asyncio.gather(*map(worker, orders))
    async with database.unit_of_work(company.id) as uow:
        sent = [engineer for order in orders for engineer in await sent_to(uow, order)]
        assert len(sent) == len(set(sent)) <= 2, "each of them has a day of eight hours"


async def test_two_urgent_orders_do_not_fight_for_the_same_engineer(
    database, company, crew, administrator, dispatcher, clock
):
    """Anna is nearer to both; only she is near the second, so the first is Bruno's, who is not much farther from it."""
    anna, bruno = crew
    async with database.unit_of_work(company.id) as uow:
        await a_rule(uow, administrator, Do.WAIT, 5)
        customer = await a_customer(uow)
        sites = [await a_site(uow, customer, name=f"{it}", place=north_of(MONTE_CARLO, it)) for it in (8_000, -3_000)]
        between, near = [await an_order(uow, dispatcher, site=it, priority=Priority.URGENT) for it in sites]
        await hear(uow)
        alone = [await dispatch.candidates(uow, dispatcher, TRAVEL, it.id, uow.now()) for it in (between, near)]
        assert [it.items[0].engineer_id for it in alone] == [anna.person, anna.person], "one by one, Bruno drives far"
    clock.forward(6 * MINUTE)
    await asyncio.gather(*(look_round(database, TRAVEL, company.id) for _ in range(2)))
    async with database.unit_of_work(company.id) as uow:
        assert (await sent_to(uow, between), await sent_to(uow, near)) == ([bruno.person], [anna.person])
        for order in (between, near):
            assert await outcomes(uow, order) == [RuleOutcome.WAITING, RuleOutcome.ASSIGNED]
        (kept,) = await dispatch.decisions(uow, dispatcher, between.id)
        assert (kept.how, kept.decided_by, kept.note, kept.chosen_rank) == (How.JOINT, None, "Clear cases", 2)
        assert kept.best[0]["engineer_id"] == str(anna.person), "who would have been best for it alone"
        assert await uow.value("select count(*) from assignment_decision") == 2
        said = await uow.value(
            "select facts from timeline_entry where action = 'assign_by_rule' and work_order_id = %(it)s", it=between.id
        )
        assert (said["others"], said["best_alone_name"]) == (1, anna.name)


async def test_more_orders_than_engineers_take_turns_and_the_urgent_one_goes_first(
    database, company, crew, administrator, dispatcher, clock
):
    async with database.unit_of_work(company.id) as uow:
        await a_rule(uow, administrator, Do.WAIT, 5)
        urgency = [Priority.NORMAL, Priority.NORMAL, Priority.URGENT, Priority.NORMAL, Priority.NORMAL]
        orders = [await an_order(uow, dispatcher, priority=it) for it in urgency]
        await hear(uow)
    clock.forward(6 * MINUTE)
    await look_round(database, TRAVEL, company.id)
    async with database.unit_of_work(company.id) as uow:
        ways = [(await dispatch.decisions(uow, dispatcher, it.id))[0].how for it in orders]
        assert ways.count(How.JOINT) == 4, "in two turns; who is left then is alone"
        first = await uow.value(
            "select work_order_id from visit where engineer_id = %(it)s order by planned_start limit 1",
            it=crew[0].person,
        )
        assert first == orders[2].id


async def test_of_several_orders_each_keeps_to_the_limits_of_its_rule(
    database, company, crew, administrator, dispatcher, clock
):
    """With a lead asked for, only who leads is sent: never the second because the first is busy."""
    anna, _ = crew
    async with database.unit_of_work(company.id) as uow:
        await a_rule(uow, administrator, Do.WAIT, 5, min_lead=0.05)
        orders = [await an_order(uow, dispatcher, duration_minutes=30) for _ in range(2)]
        await hear(uow)
    clock.forward(6 * MINUTE)
    await look_round(database, TRAVEL, company.id)
    async with database.unit_of_work(company.id) as uow:
        assert {one for it in orders for one in await sent_to(uow, it)} == {anna.person}


async def test_of_two_who_take_at_once_exactly_one_gets_it(database, company, crew, dispatcher):
    async with database.unit_of_work(company.id) as uow:
        order = await an_order(uow, dispatcher)
        offer = await offered(uow, dispatcher, order)

    async def phone(engineer: Actor) -> Taken | TooLate:
        async with database.unit_of_work(company.id) as uow:
            return await take(uow, engineer, offer)

    found = await asyncio.gather(*map(phone, crew))
    winner = next(engineer for engineer, it in zip(crew, found, strict=True) if isinstance(it, Taken))
    assert sorted(type(it).__name__ for it in found) == ["Taken", "TooLate"]
    async with database.unit_of_work(company.id) as uow:
        assert await sent_to(uow, order) == [winner.person]
        assert (await workorder_queries.order(uow, order.id)).state is State.DISPATCHED


async def test_a_dispatcher_and_an_engineer_at_once_send_one_of_them(database, company, crew, dispatcher):
    async with database.unit_of_work(company.id) as uow:
        order = await an_order(uow, dispatcher)
        offer = await offered(uow, dispatcher, order)

    async def phone() -> None:
        async with database.unit_of_work(company.id) as uow:
            await take(uow, crew[1], offer)

    async def office() -> None:
        async with database.unit_of_work(company.id) as uow:
            await dispatch.assign(uow, dispatcher, TRAVEL, work_order_id=order.id, engineer_id=crew[0].person)

    await asyncio.gather(phone(), office())
    async with database.unit_of_work(company.id) as uow:
        assert await sent_to(uow, order) == [crew[0].person], "a dispatcher's word stands, whoever came first"
