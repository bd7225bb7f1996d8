"""Each condition by itself, each limit by itself, and which rule decides."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.customers.domain import Tier
from server.dispatch.rules.domain import (
    Best,
    Broken,
    Conditions,
    Do,
    Hours,
    Limit,
    Limits,
    OrderFacts,
    Rule,
    RuleOutcome,
    Treatment,
    closing_of,
    first_match,
    foreseen,
    last_resort,
)
from server.workorders.domain import Channel, Priority

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HARBOUR, HILLS = UUID(int=71), UUID(int=72)

ORDER = OrderFacts(
    id=UUID(int=1),
    priority=Priority.HIGH,
    problem_type="no_heat",
    territory_id=HARBOUR,
    channel=Channel.PORTAL,
    tier=Tier.STANDARD,
    reported_at=NOW - 10 * MINUTE,
    respond_by=NOW + 60 * MINUTE,
    duration_minutes=60,
)
BEST = Best(score=0.8, lead=0.1, eta_minutes=25, load_percent=90)
EVERYTHING = Conditions()
UNLIMITED = Limits()


def a_rule(
    do: Do = Do.ASSIGN,
    minutes: int | None = None,
    *,
    position: int = 1,
    active: bool = True,
    conditions: Conditions = EVERYTHING,
    limits: Limits = UNLIMITED,
) -> Rule:
    return Rule(
        UUID(int=position),
        1,
        position,
        "Rule",
        active,
        conditions,
        limits,
        Treatment(do, minutes),
        UUID(int=9),
        NOW,
    )


def test_a_rule_without_conditions_means_every_order():
    assert EVERYTHING.met_by(ORDER, NOW, PARIS)


@pytest.mark.parametrize(
    ("meant", "other"),
    [
        (Conditions(priorities=frozenset({Priority.HIGH, Priority.URGENT})), {"priority": Priority.NORMAL}),
        (Conditions(problem_types=frozenset({"no_heat"})), {"problem_type": "leak"}),
        (Conditions(territories=frozenset({HARBOUR})), {"territory_id": HILLS}),
        (Conditions(territories=frozenset({HARBOUR})), {"territory_id": None}),
        (Conditions(channels=frozenset({Channel.PORTAL})), {"channel": Channel.PHONE}),
        (Conditions(customer_tiers=frozenset({Tier.STANDARD})), {"tier": Tier.VIP}),
        (Conditions(max_minutes_old=10), {"reported_at": NOW - 11 * MINUTE}),
    ],
    ids=["priority", "problem type", "territory", "no territory", "channel", "tier", "age"],
)
def test_each_condition_means_some_orders_and_not_others(meant, other):
    assert meant.met_by(ORDER, NOW, PARIS)
    assert not meant.met_by(replace(ORDER, **other), NOW, PARIS)


def test_all_conditions_must_be_met_together():
    both = Conditions(priorities=frozenset({Priority.HIGH}), channels=frozenset({Channel.PHONE}))
    assert not both.met_by(ORDER, NOW, PARIS)
    assert both.met_by(replace(ORDER, channel=Channel.PHONE), NOW, PARIS)


def test_hours_are_those_of_the_organisations_clocks():
    night = Conditions(hours=Hours(time(22), time(6)))
    assert night.met_by(ORDER, datetime(2026, 11, 23, 21, 0, tzinfo=UTC), PARIS), "ten in the evening in Paris"
    assert not night.met_by(ORDER, datetime(2026, 11, 23, 21, 0, tzinfo=UTC), ZoneInfo("UTC"))
    assert night.met_by(ORDER, datetime(2026, 11, 24, 4, 59, tzinfo=UTC), PARIS)
    assert not night.met_by(ORDER, datetime(2026, 11, 24, 5, 0, tzinfo=UTC), PARIS), "the end is excluded"


def test_the_same_hours_lie_an_hour_earlier_in_universal_time_in_summer():
    day = Conditions(hours=Hours(time(8), time(17)))
    assert not day.met_by(ORDER, datetime(2026, 1, 12, 6, 30, tzinfo=UTC), PARIS)
    assert day.met_by(ORDER, datetime(2026, 7, 13, 6, 30, tzinfo=UTC), PARIS)


def test_the_hour_that_comes_twice_counts_twice_and_the_one_left_out_never():
    early = Conditions(hours=Hours(time(2), time(3)))
    last_sunday_of_october = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert [early.met_by(ORDER, last_sunday_of_october + hours, PARIS) for hours in _HOURS] == [True, True, False]
    last_sunday_of_march = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert [early.met_by(ORDER, last_sunday_of_march + hours, PARIS) for hours in _HOURS] == [False, False, False]


_HOURS = [timedelta(hours=hours) for hours in range(3)]


@given(start=st.times(), end=st.times(), moment=st.times())
def test_hours_and_the_hours_the_other_way_round_share_no_moment_and_leave_none_out(start, end, moment):
    if start != end:
        assert Hours(start, end).cover(moment) != Hours(end, start).cover(moment)


@pytest.mark.parametrize(
    ("limits", "limit", "worse", "found"),
    [
        (Limits(min_score=0.8), Limit.MIN_SCORE, {"score": 0.79}, 0.79),
        (Limits(min_lead=0.1), Limit.MIN_LEAD, {"lead": 0.09}, 0.09),
        (Limits(max_eta_minutes=25), Limit.MAX_ETA_MINUTES, {"eta_minutes": 25.5}, 25.5),
        (Limits(max_load_percent=90), Limit.MAX_LOAD_PERCENT, {"load_percent": 91}, 91),
    ],
)
def test_each_limit_is_kept_up_to_its_value_and_says_what_broke_it(limits, limit, worse, found):
    assert limits.broken(BEST) == ()
    (broken,) = limits.broken(replace(BEST, **worse))
    assert broken == Broken(limit, next(iter(limits.as_json().values())), found)


def test_all_broken_limits_are_named():
    strict = Limits(min_score=1.0, min_lead=0.5, max_eta_minutes=10, max_load_percent=50)
    assert [it.limit for it in strict.broken(BEST)] == list(Limit)


def test_whoever_is_alone_leads_by_any_distance():
    assert Limits(min_lead=1.0).broken(replace(BEST, lead=None)) == ()


def test_without_rules_nothing_decides():
    assert first_match([], ORDER, NOW, PARIS) is None


def test_the_first_by_position_decides_however_they_are_listed():
    first, second = a_rule(position=1), a_rule(Do.NEVER, position=2)
    assert first_match([second, first], ORDER, NOW, PARIS) == first
    elsewhere = replace(first, conditions=Conditions(channels=frozenset({Channel.EMAIL})))
    assert first_match([second, elsewhere], ORDER, NOW, PARIS) == second


conditions = st.builds(
    Conditions,
    priorities=st.frozensets(st.sampled_from(Priority), max_size=2),
    channels=st.frozensets(st.sampled_from(Channel), max_size=3),
    customer_tiers=st.frozensets(st.sampled_from(Tier)),
    hours=st.none() | st.builds(Hours, st.times(), st.times()),
    max_minutes_old=st.none() | st.integers(0, 60),
)
rules = st.lists(
    st.builds(
        lambda position, active, asked, do: a_rule(do, 30, position=position, active=active, conditions=asked),
        st.integers(1, 5),
        st.booleans(),
        conditions,
        st.sampled_from(Do),
    ),
    max_size=6,
)


@given(rules=rules, minutes=st.integers(0, 3_000))
def test_what_decides_is_active_meant_and_nobody_before_it_was(rules, minutes):
    at = NOW + minutes * MINUTE
    found = first_match(rules, ORDER, at, PARIS)
    before = [rule for rule in rules if found is None or rule.position < found.position]
    assert not [rule for rule in before if rule.active and rule.conditions.met_by(ORDER, at, PARIS)]
    assert found is None or (found.active and found.conditions.met_by(ORDER, at, PARIS))


@given(rules=rules)
def test_inactive_rules_decide_nothing(rules):
    asleep = [replace(rule, active=False) for rule in rules]
    assert first_match(asleep, ORDER, NOW, PARIS) is None
    assert last_resort(asleep, ORDER, NOW + timedelta(days=9), PARIS) is None


@given(asked=conditions)
def test_conditions_come_back_from_json_as_they_were(asked):
    minutes = asked.hours and Hours(*(it.replace(second=0, microsecond=0) for it in vars(asked.hours).values()))
    asked = replace(asked, hours=minutes)
    assert Conditions.from_db(asked.as_json()) == asked


def test_waiting_ends_so_long_after_it_began_and_the_pool_opens_so_long_before_the_promise():
    assert Treatment(Do.ASSIGN).due(ORDER, NOW) == NOW
    assert Treatment(Do.WAIT, 15).due(ORDER, NOW) == NOW + 15 * MINUTE
    assert Treatment(Do.POOL, 20).due(ORDER, NOW) == NOW + 40 * MINUTE


def test_a_rule_for_the_pool_catches_near_breach_what_another_could_not_decide():
    rules = [a_rule(Do.ASSIGN, position=1), a_rule(Do.POOL, 30, position=2)]
    assert last_resort(rules, ORDER, NOW, PARIS) is None, "there is an hour left"
    assert last_resort(rules, ORDER, NOW + 30 * MINUTE, PARIS) == rules[1]


def test_what_is_left_to_people_is_never_offered():
    rules = [a_rule(Do.NEVER, position=1), a_rule(Do.POOL, 30, position=2)]
    assert last_resort(rules, ORDER, NOW + 50 * MINUTE, PARIS) is None


def test_an_offer_closes_with_the_promise_but_people_have_an_hour_to_look():
    assert closing_of(ORDER, NOW - 30 * MINUTE) == ORDER.respond_by
    assert closing_of(ORDER, NOW + 50 * MINUTE) == NOW + 110 * MINUTE


@pytest.mark.parametrize(
    ("rule", "best", "decided", "sent_after", "foretold"),
    [
        (a_rule(Do.NEVER), BEST, True, 5, RuleOutcome.LEFT),
        (a_rule(Do.ASSIGN), BEST, True, 5, RuleOutcome.ASSIGNED),
        (a_rule(Do.ASSIGN), None, True, 5, RuleOutcome.NOBODY),
        (a_rule(Do.ASSIGN), None, False, None, None),
        (a_rule(Do.ASSIGN, limits=Limits(min_score=0.9)), BEST, True, 5, RuleOutcome.LIMITS_NOT_MET),
        (a_rule(Do.WAIT, 15), BEST, True, 5, RuleOutcome.WAITING),
        (a_rule(Do.WAIT, 15), BEST, True, 20, RuleOutcome.ASSIGNED),
        (a_rule(Do.POOL, 30), BEST, True, 5, RuleOutcome.WAITING),
        (a_rule(Do.POOL, 30), BEST, True, 60, RuleOutcome.POOLED),
        (a_rule(Do.POOL, 30), None, False, None, RuleOutcome.POOLED),
    ],
)
def test_what_a_rule_would_have_done_is_told_from_what_is_known(rule, best, decided, sent_after, foretold):
    sent_at = None if sent_after is None else ORDER.reported_at + sent_after * MINUTE
    assert foreseen(rule, ORDER, best, decided=decided, sent_at=sent_at) is foretold
