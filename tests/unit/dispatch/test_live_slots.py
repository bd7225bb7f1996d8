"""Spans of a day, what fits into a running tour, and that whatever is offered can be driven."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.live_day.days import Day, Search
from server.dispatch.live_day.days import place as place_in
from server.dispatch.live_day.domain import Rating, Rule
from server.dispatch.live_day.laid import Asking, Standing, laid
from server.dispatch.live_day.roads import FAR, Roads
from server.dispatch.live_day.slots import day_of, rating_of, spans_of
from server.dispatch.live_day.tours import (
    Known,
    NotDrivable,
    Trial,
    booked_at,
    known_tours,
    why_not,
    within,
)
from server.dispatch.planner.plan import Undrivable, tour_of
from server.dispatch.planning.asking import ask, places_of
from server.dispatch.planning.picture import Duty, Order, Picture, Policy, Rest, Span
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Matrix
from server.workforce.domain import SkillLevel
from tests.unit.dispatch.test_planning_problem import A_DRIVE, a_duty, a_picture, an_id, an_order, at, booked, place

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """What is compiled at its first use is compiled before anything is timed."""
    trial(one_tour(), an_order(1))
    standing = Standing([laid(one_tour(), Roads(EstimatedTravel()))])
    Asking(standing, place(2), Roads(EstimatedTravel())).put(an_order(2), np.ones(1, dtype=np.bool_))


# --- spans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)], ids=str
)
@pytest.mark.parametrize("minutes", [60, 120, 240, 300, 720])
def test_the_spans_of_a_day_cover_it_without_a_gap_when_the_clock_changes_too(day, hours, minutes):
    spans = spans_of(day, minutes, PARIS)
    whole = day_of(day, PARIS)
    assert whole.closes - whole.opens == timedelta(hours=hours)
    assert (spans[0].opens, spans[-1].closes) == (whole.opens, whole.closes)
    assert all(one.closes == after.opens for one, after in pairwise(spans))
    assert all(it.opens < it.closes for it in spans)


def test_a_span_begins_at_the_clock_time_people_read_on_every_day():
    for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25)):
        assert [it.opens.astimezone(PARIS).hour for it in spans_of(day, 240, PARIS)] == [0, 4, 8, 12, 16, 20]


# --- places -----------------------------------------------------------------------------------------------------------


def drives_of(places) -> Matrix:
    lon = np.array([it.lon for it in places])
    seconds = np.rint(np.abs(lon[:, None] - lon[None, :]) * 100 * A_DRIVE).astype(np.int32)
    return Matrix(seconds, (seconds * 1.3).astype(np.int32), seconds * 10, np.zeros(seconds.shape, bool))


def trial(tour: Known, order: Order) -> Trial:
    picture = replace(tour.picture, orders=(*tour.sequence, order))
    return Trial(tour, order, drives_of(places_of(picture)))


def one_tour(*orders: Order, **said) -> Known:
    (tour,) = known_tours(a_picture(*orders, duties=(a_duty(1, **said),)))
    return tour


def test_nobody_is_brought_forward_and_the_new_visit_goes_where_there_is_time():
    known = an_order(1, east=1, booked=booked(1, 12))
    placed = trial(one_tour(known), an_order(2, east=1)).cheapest()
    assert placed is not None
    assert not placed.delays
    assert placed.extra_seconds == 0


def test_who_would_begin_later_is_named_and_stays_in_their_window():
    known = an_order(1, east=1, booked=booked(1, 9), windows=(Span(at(9), at(10)),))
    soon = Span(at(8.5), at(9))
    placed = trial(one_tour(known), within(an_order(2, east=1, minutes=60), soon)).cheapest()
    assert placed is not None
    assert [(it.order_id, it.seconds) for it in placed.delays] == [(known.id, 1800)]
    tight = replace(known, windows=(Span(at(9), at(9.25)),))
    assert trial(one_tour(tight), within(an_order(2, east=1, minutes=60), soon)).cheapest() is None


def test_a_tour_that_breaks_a_rule_already_says_which():
    one = an_order(1, east=1, booked=booked(1, 9), minutes=300, windows=(Span(at(9), at(10)),))
    two = an_order(2, east=1, booked=booked(1, 9.5), windows=(Span(at(9), at(10)),))
    with pytest.raises(NotDrivable, match="window"):
        trial(one_tour(one, two), an_order(3))


def test_a_place_whose_roads_were_not_asked_about_is_no_place():
    tour, order = one_tour(), an_order(2, east=1)
    drives = drives_of(places_of(replace(tour.picture, orders=(order,))))
    far = np.full_like(drives.seconds, FAR)
    np.fill_diagonal(far, 0)
    assert Trial(tour, order, Matrix(far, far, far, drives.estimated)).cheapest() is None


def test_skills_and_wishes_are_told_apart():
    duty = a_duty(1, skills=(SkillLevel("oven", 1),))
    lacking = why_not(duty, an_order(1, skills=(SkillLevel("oven", 2),)))
    banned = why_not(duty, an_order(1, banned=(duty.engineer_id,)))
    assert lacking is not None
    assert banned is not None
    assert (lacking.code, banned.code) == (Rule.SKILL, Rule.BAN)
    assert "oven 2 (has 1)" in lacking.sentence
    assert why_not(duty, an_order(1, skills=(SkillLevel("oven", 1),))) is None


def test_a_slot_is_good_fair_or_poor_by_what_it_costs_people():
    placed = trial(one_tour(), an_order(1, east=0)).cheapest()
    assert placed is not None
    assert rating_of(placed) is Rating.GOOD
    assert rating_of(replace(placed, extra_seconds=20 * 60)) is Rating.FAIR
    assert rating_of(replace(placed, extra_seconds=20 * 60, overtime_seconds=30 * 60)) is Rating.POOR
    assert rating_of(replace(placed, late_seconds=1)) is Rating.POOR


QUARTERS = st.integers(0, 36)


@st.composite
def running_days(draw) -> Picture:
    rest = Rest(at(11), at(13), 30) if draw(st.booleans()) else None
    duty = a_duty(1, start=draw(st.integers(0, 5)), rest=rest, overtime_minutes=draw(st.sampled_from([0, 60])))
    orders = []
    for number in range(1, 1 + draw(st.integers(0, 4))):
        hour = 8 + draw(QUARTERS) / 4
        windows = (Span(at(hour - 1), at(hour + draw(st.integers(0, 4)))),) if draw(st.booleans()) else ()
        minutes = draw(st.sampled_from([15, 45, 90]))
        orders.append(
            an_order(number, east=draw(st.integers(0, 9)), minutes=minutes, windows=windows, booked=booked(1, hour))
        )
    return a_picture(*orders, duties=(duty,))


@given(running_days(), st.integers(0, 9), QUARTERS, st.sampled_from([15, 60, 120]))
def test_a_slot_that_is_offered_can_be_driven_as_it_was_offered(picture, east, quarter, minutes):
    (tour,) = known_tours(picture)
    opens = at(8 + quarter / 4)
    order = within(an_order(9, east=east, minutes=minutes), Span(opens, opens + timedelta(hours=2)))
    try:
        placed = trial(tour, order).cheapest()
    except NotDrivable:
        return
    if placed is None:
        return
    assert opens <= placed.begins <= opens + timedelta(hours=2)
    assert placed.begins.second == 0
    # Booked as it was offered, it stands in its tour, and the planner drives that by every rule.
    stands = within(booked_at(order, tour.duty.engineer_id, placed.begins, placed.ends), Span(opens, placed.begins))
    orders = (*tour.sequence, stands)
    after = replace(tour.picture, orders=orders)
    asked = ask(after, drives_of(places_of(after)))
    number = len(orders) - 1
    ways = [[*range(position), number, *range(position, number)] for position in range(number + 1)]
    driven = [it for it in (_driven(asked.problem, way) for way in ways) if it is not None]
    assert driven
    told = {it.id: it.booked.start for it in tour.sequence if it.booked}
    later = {it.order_id: it.seconds for it in placed.delays}
    for number, it in enumerate(tour.sequence):
        if it.id in later and it.windows:
            assert told[it.id] <= asked.instant(asked.problem.visits[number].windows[-1].closes)


def _driven(problem, way):
    try:
        return tour_of(problem, 0, way)
    except Undrivable:
        return None


# --- where it is worth asking -----------------------------------------------------------------------------------------


class Streets(EstimatedTravel):
    """Drives take as long as `drives_of` says; counts how many were asked about."""

    def __init__(self) -> None:
        self.asked = 0

    async def table(self, origins, to, leaving):  # noqa: ARG002 - the port has it
        self.asked += len(origins) * len(to)
        whole = drives_of([*origins, *to])
        cells = np.ix_(range(len(origins)), range(len(origins), len(whole.seconds)))
        return Matrix(whole.seconds[cells], whole.p90_seconds[cells], whole.metres[cells], whole.estimated[cells])


@st.composite
def days_of_many(draw) -> Picture:
    """Without breaks: when one is taken the search judges a little simpler than the timetables do."""
    duties: list[Duty] = []
    orders: list[Order] = []
    for engineer in range(1, 1 + draw(st.integers(1, 6))):
        overtime = draw(st.sampled_from([0, 60]))
        start = draw(st.integers(0, 30))
        pace = draw(st.sampled_from([80, 100, 130]))
        duties.append(a_duty(engineer, start=start, overtime_minutes=overtime, pace_percent=pace))
        for _ in range(draw(st.integers(0, 5))):
            hour = 8 + draw(QUARTERS) / 4
            windows = (Span(at(hour - 1), at(hour + draw(st.integers(0, 4)))),) if draw(st.booleans()) else ()
            minutes, east = draw(st.sampled_from([15, 45, 90])), draw(st.integers(0, 30))
            orders.append(
                an_order(1 + len(orders), east=east, minutes=minutes, windows=windows, booked=booked(engineer, hour))
            )
    fairness = draw(st.sampled_from([0, 8]))
    return a_picture(*orders, duties=tuple(duties), at=at(8.25), policy=Policy(fairness=fairness))


@given(days_of_many(), st.integers(0, 30), st.sampled_from([15, 60, 120]), st.integers(0, 7), st.booleans())
async def test_whoever_is_offered_is_cheapest_of_all_with_every_gap_asked_about(picture, east, minutes, wished, told):
    preferred = an_id(1000 + wished) if wished else None
    windows = (Span(at(9), at(12)), Span(at(13), at(18))) if told else ()
    order = an_order(99, east=east, minutes=minutes, preferred=preferred, windows=windows, respond_by=at(14))
    tours = known_tours(picture)

    async def read(people):
        return replace(picture, duties=tuple(it for it in picture.duties if it.engineer_id in people))

    day = Day(picture.at, 0, set(), {}, picture)
    roads = Roads(Streets())
    await day.put(tours, roads)
    looking = Search(read, roads, day, order)
    for span in (None, Span(at(10), at(12)), Span(at(14), at(15))):
        found = await looking.best(3, span)
        asked = order if span is None else within(order, span)
        every = []
        for it in tours:
            with suppress(NotDrivable):
                every.append(await place_in(Roads(Streets()), picture, it, asked))
        best = sorted((it for it in every if it), key=lambda it: (it.cost, it.duty.shift_id))[:3]
        assert [(it.duty.shift_id, it.cost) for it in found] == [(it.duty.shift_id, it.cost) for it in best]


async def test_the_roads_are_asked_about_few_places():
    duties = tuple(a_duty(it, start=10 * it) for it in range(1, 41))
    orders = [an_order(it, east=10 * it + 1, booked=booked(it, 10)) for it in range(1, 41)]
    picture = a_picture(*orders, duties=duties)
    day, streets = Day(picture.at, 0, set(), {}, picture), Streets()
    roads = Roads(streets)
    await day.put(known_tours(picture), roads)
    homes = [it.home for it in duties[::3]]
    await roads.learn(homes, homes, picture.at)
    known = streets.asked

    async def read(_):
        return picture

    found = await Search(read, roads, day, an_order(99, east=205)).best(3)
    assert [it.duty.engineer_id for it in found[:2]] == [an_id(1020), an_id(1021)]
    assert streets.asked - known < 100


async def test_a_drive_is_asked_about_once_an_hour():
    asked: list[tuple[int, int]] = []

    class Counting(EstimatedTravel):
        async def table(self, origins, to, leaving):
            asked.append((len(origins), len(to)))
            return await super().table(origins, to, leaving)

    roads = Roads(Counting())
    here, there, other = place(1), place(2), place(3)
    now = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
    await roads.learn([here], [there], now)
    await roads.learn([here], [there, other], now + timedelta(minutes=30))
    await roads.learn([here], [there], now + timedelta(hours=1))
    assert asked == [(1, 1), (1, 1), (1, 1)]
    drives = roads.between([here, there], now)
    assert drives.seconds[0, 1] > 0
    assert drives.seconds[1, 0] == FAR
    assert not roads.knows(there, here, now)
