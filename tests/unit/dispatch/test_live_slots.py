"""Spans of a day, what fits into a running tour, and that whatever is offered can be driven."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.live_day.domain import Rating, Rule
from server.dispatch.live_day.roads import FAR, Roads
from server.dispatch.live_day.slots import day_of, rating_of, spans_of
from server.dispatch.live_day.tours import (
    Known,
    NotDrivable,
    Trial,
    booked_at,
    gaps_of,
    known_tours,
    why_not,
    within,
)
from server.dispatch.planner.plan import Undrivable, tour_of
from server.dispatch.planning.asking import ask, places_of
from server.dispatch.planning.picture import Order, Picture, Rest, Span
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Matrix
from server.workforce.domain import SkillLevel
from tests.unit.dispatch.test_planning_problem import A_DRIVE, a_duty, a_picture, an_id, an_order, at, booked, place

PARIS = ZoneInfo("Europe/Paris")


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


def test_gaps_are_ordered_by_their_detour_and_closed_where_there_is_no_time():
    near = an_order(1, east=1, booked=booked(1, 9))
    far = an_order(2, east=30, booked=booked(2, 9))
    tours = known_tours(a_picture(near, far, duties=(a_duty(1), a_duty(2, start=30))))
    gaps = gaps_of(tours)
    about, least = gaps.detours(an_order(3, east=1), at(8))
    assert gaps.tours[int(gaps.tour[int(np.argmin(about))])].duty.engineer_id == an_id(1001)
    assert (least <= about).all()
    over, _ = gaps.detours(an_order(3, east=1), at(8), Span(at(30), at(31)))
    assert np.isinf(over).all()


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
    assert not roads.knows([there], [here], now)
