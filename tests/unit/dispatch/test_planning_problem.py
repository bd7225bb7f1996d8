"""From a picture of the day to the planner's problem and back to what people are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from server.dispatch.planner.problem import MANDATORY, Window
from server.dispatch.planner.solve import solve
from server.dispatch.planner.stopping import Steps
from server.dispatch.planning.alternatives import alternatives_of
from server.dispatch.planning.asking import Asked, ask, known_sequences, places_of
from server.dispatch.planning.comparing import Reason, lines_of
from server.dispatch.planning.domain import Change, Effort
from server.dispatch.planning.picture import Booked, Depot, Duty, Link, Need, Order, Picture, Policy, Rest, Span
from server.dispatch.planning.splitting import border, parts_of
from server.dispatch.planning.timetable import figures_of, known_timetable_of, timetable_of
from server.geo.domain import Point
from server.geo.journey import Matrix
from server.workforce.domain import SkillLevel
from server.workorders.domain import LinkKind, Pin, Priority

EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)
A_DRIVE = 600  # seconds per hundredth of a degree


def at(hour: float) -> datetime:
    return EIGHT + timedelta(hours=hour - 8)


def an_id(number: int) -> UUID:
    return UUID(int=number)


def place(east: int) -> Point:
    return Point(7 + east / 100, 43)


def an_order(number: int, *, east: int = 1, **said) -> Order:
    usual = {
        "territory_id": None,
        "priority": Priority.NORMAL,
        "vip": False,
        "minutes": 60,
        "windows": (),
        "respond_by": at(100),
        "skills": (),
        "parts": (),
        "preferred": None,
        "banned": (),
        "booked": None,
    }
    return Order(id=an_id(number), number=number, place=place(east), **{**usual, **said})


def a_duty(number: int, *, start: int = 0, **said) -> Duty:
    usual = {
        "name": f"E{number}",
        "territory_id": None,
        "free_at": at(8),
        "ends": at(17),
        "rest": None,
        "overtime_minutes": 0,
        "pace_percent": 100,
        "skills": (),
        "stock": (),
    }
    engineer = {"engineer_id": an_id(1000 + number)}
    return Duty(shift_id=an_id(2000 + number), start=place(start), home=place(start), **{**usual, **engineer, **said})


def booked(engineer: int, hour: float, *, minutes: int = 60, pin: Pin | None = None) -> Booked:
    return Booked(an_id(9000), an_id(1000 + engineer), at(hour), at(hour) + timedelta(minutes=minutes), pin)


def a_picture(*orders: Order, duties: tuple[Duty, ...] = (), **said) -> Picture:
    usual = {"at": at(7), "begins": at(0), "until": at(24), "links": (), "depots": (), "policy": Policy(fairness=0)}
    return Picture(orders=orders, duties=duties or (a_duty(1),), **{**usual, **said})


def asked_for(picture: Picture) -> Asked:
    lon = np.array([it.lon for it in places_of(picture)])
    seconds = np.rint(np.abs(lon[:, None] - lon[None, :]) * 100 * A_DRIVE).astype(np.int32)
    table = Matrix(seconds, (seconds * 1.3).astype(np.int32), seconds * 10, np.zeros(seconds.shape, bool))
    return ask(picture, table)


def planned(picture: Picture, steps: int = 2_000):
    """Solve a picture whole and read it back: lines by order number, and the timetables."""
    asked = asked_for(picture)
    plan = solve(asked.problem, Steps(steps), seed=1, start=asked.start(known_sequences(picture)))
    sequences = asked.named(plan)
    reasons = {picture.orders[it].id: Reason(no.why) for it, no in plan.left_out.items()}
    tables = []
    for duty in picture.duties:
        stops = sequences.get(duty.shift_id, [])
        small = picture.shift_alone(duty.shift_id, {it for it in stops if it}, asked.appointments(plan))
        tables.append(timetable_of(asked_for(small), stops))
    lines = {it.details["number"]: it for it in lines_of(picture, tables, reasons, {})}
    return lines, tables


def test_an_order_nobody_has_is_assigned_after_the_drive():
    lines, (table,) = planned(a_picture(an_order(1)))
    assert lines[1].change is Change.ASSIGN
    assert lines[1].after is not None
    assert lines[1].after.start >= at(8) + timedelta(seconds=A_DRIVE)
    assert table.calls[0].drive.seconds == A_DRIVE


def test_people_are_told_whole_minutes_whenever_it_was_asked():
    odd = at(7) + timedelta(seconds=37, microseconds=5)
    lines, _ = planned(a_picture(an_order(1), duties=(a_duty(1, free_at=at(8) + timedelta(seconds=23)),), at=odd))
    assert lines[1].after is not None
    assert (lines[1].after.start.second, lines[1].after.start.microsecond) == (0, 0)


def test_who_is_able_gets_it():
    skilled = a_duty(2, start=9, skills=(SkillLevel("oven", 3),))
    order = an_order(1, skills=(SkillLevel("oven", 2),))
    lines, _ = planned(a_picture(order, duties=(a_duty(1), skilled)))
    assert lines[1].after is not None
    assert lines[1].after.engineer_id == skilled.engineer_id


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (an_order(1, skills=(SkillLevel("lift", 1),)), "nobody_able"),
        (an_order(1, banned=(an_id(1001),)), "nobody_able"),
        (an_order(1, windows=(Span(at(8), at(8) + timedelta(minutes=5)),)), "unreachable"),
        (an_order(1, minutes=700), "unreachable"),
    ],
    ids=["skill", "banned", "window", "long"],
)
def test_what_is_left_out_says_why(order, why):
    lines, _ = planned(a_picture(order))
    assert (lines[1].change, lines[1].details["reason"]) == (Change.LEAVE_OUT, why)


def test_a_banned_engineer_is_passed_over():
    lines, _ = planned(a_picture(an_order(1, banned=(an_id(1001),)), duties=(a_duty(1), a_duty(2, start=5))))
    assert lines[1].after is not None
    assert lines[1].after.engineer_id == an_id(1002)


def test_a_customers_wish_is_weighed_not_obeyed():
    wish = an_order(1, preferred=an_id(1002))
    near, far = a_duty(2, start=2), a_duty(2, start=60)
    for duty, who in ((near, 1002), (far, 1001)):
        lines, _ = planned(a_picture(wish, duties=(a_duty(1), duty)))
        assert lines[1].after is not None
        assert lines[1].after.engineer_id == an_id(who)


def test_what_is_about_to_happen_stays_and_the_rest_follows_it():
    soon = an_order(1, east=3, booked=booked(1, 8.25))
    lines, _ = planned(a_picture(soon, an_order(2, east=1), at=at(8)))
    assert lines[1].change is Change.KEEP
    assert lines[1].after == lines[1].before
    assert lines[2].after is not None
    assert lines[2].after.start >= at(9.25)


def test_what_is_about_to_happen_stays_even_when_it_breaks_a_rule_by_now():
    late = an_order(1, booked=booked(1, 8.25), windows=(Span(at(7), at(7.5)),), skills=(SkillLevel("lift", 5),))
    endless = an_order(2, booked=booked(1, 8.3, minutes=900), minutes=900)
    lines, _ = planned(a_picture(late, endless, at=at(8)))
    assert {it.change for it in lines.values()} == {Change.KEEP}


def test_a_pinned_engineer_keeps_it_at_another_time_and_a_pinned_time_stays():
    engineer = an_order(1, east=50, booked=booked(1, 12, pin=Pin.ENGINEER))
    hour = an_order(2, east=40, booked=booked(1, 14, pin=Pin.TIME))
    lines, _ = planned(a_picture(engineer, hour, duties=(a_duty(1), a_duty(2, start=50))))
    assert lines[1].after is not None
    assert lines[1].after.engineer_id == an_id(1001)
    assert lines[2].change is Change.KEEP


def test_a_known_visit_moves_only_when_it_pays():
    cheap = a_picture(an_order(1, east=1, booked=booked(1, 10)), duties=(a_duty(1), a_duty(2, start=1)))
    lines, _ = planned(cheap)
    assert lines[1].after is not None
    assert lines[1].after.engineer_id == an_id(1002)  # twenty minutes of driving against fifteen for the change
    dear = replace(cheap, policy=Policy(changed=5_000))
    lines, _ = planned(dear)
    assert lines[1].after is not None
    assert lines[1].after.engineer_id == an_id(1001)


def test_who_missed_every_window_comes_as_soon_as_possible_and_is_late():
    missed = an_order(1, windows=(Span(at(5), at(6)),))
    lines, (table,) = planned(a_picture(missed))
    assert lines[1].change is Change.ASSIGN
    assert table.calls[0].late_seconds > 3600


def test_a_second_window_is_taken_where_the_first_is_too_soon():
    spans = (Span(at(8), at(8) + timedelta(minutes=5)), Span(at(14), at(15)))
    lines, _ = planned(a_picture(an_order(1, windows=spans)))
    assert lines[1].after is not None
    assert at(14) <= lines[1].after.start <= at(15)


def test_a_rest_is_taken_in_its_time():
    rest = Rest(at(11), at(13), 30)
    orders = [an_order(number, minutes=110) for number in range(1, 5)]
    _, (table,) = planned(a_picture(*orders, duties=(a_duty(1, rest=rest),)))
    assert table.rests is not None
    assert at(11) <= table.rests <= at(13)


def test_parts_come_from_the_warehouse_unless_they_are_on_the_van():
    part = Need(an_id(77), 1)
    depot = Depot(an_id(88), "Main", place(-2))
    empty, full = a_duty(1), a_duty(1, stock=(part,))
    for duty, stops in ((empty, [None, an_id(1)]), (full, [an_id(1)])):
        _, (table,) = planned(a_picture(an_order(1, parts=(part,)), duties=(duty,), depots=(depot,)))
        assert [it.order_id for it in table.calls] == stops


def test_two_who_work_together_begin_together():
    both = (an_order(1, windows=(Span(at(10), at(12)),)), an_order(2))
    together = Link(LinkKind.TOGETHER, an_id(1), an_id(2), 0)
    lines, _ = planned(a_picture(*both, duties=(a_duty(1), a_duty(2, start=4)), links=(together,)), 20_000)
    one, other = lines[1].after, lines[2].after
    assert one is not None
    assert other is not None
    assert one.start == other.start
    assert one.engineer_id != other.engineer_id


def test_one_order_waits_for_another():
    before = Link(LinkKind.BEFORE, an_id(1), an_id(2), 30)
    lines, _ = planned(a_picture(an_order(1), an_order(2), links=(before,)), 20_000)
    first, then = lines[1].after, lines[2].after
    assert first is not None
    assert then is not None
    assert then.start >= first.end + timedelta(minutes=30)


@pytest.mark.parametrize(("done", "ends", "planned_at"), [(True, None, 8), (False, 12, 12.5), (False, None, None)])
def test_an_order_whose_predecessor_is_elsewhere_waits_for_what_is_known_of_it(done, ends, planned_at):
    link = Link(LinkKind.BEFORE, an_id(99), an_id(1), 30, done, at(ends) if ends else None)
    lines, _ = planned(a_picture(an_order(1), links=(link,)))
    if planned_at is None:
        assert lines[1].change is Change.LEAVE_OUT
    else:
        assert lines[1].after is not None
        assert lines[1].after.start >= at(planned_at)


def test_a_visit_without_room_is_given_up_for_what_matters_more():
    full = [an_order(n, minutes=170, booked=booked(1, 8 + n * 3)) for n in range(3)]
    urgent = an_order(9, minutes=170, priority=Priority.URGENT, respond_by=at(10))
    policy = Policy(booked=1)
    lines, _ = planned(a_picture(*full, urgent, policy=policy, at=at(6)))
    assert lines[9].change is Change.ASSIGN
    assert [it.change for it in lines.values()].count(Change.UNASSIGN) == 1


def test_what_is_worth_more_weighs_more():
    usual, vip = an_order(1), an_order(1, vip=True)
    urgent = an_order(1, priority=Priority.URGENT)
    promised = an_order(1, respond_by=at(12))
    pinned = an_order(1, booked=booked(1, 12, pin=Pin.ENGINEER))
    worth = [asked_for(a_picture(it)).problem.visits[0].penalty for it in (usual, vip, promised, urgent, pinned)]
    assert worth == sorted(worth)
    assert len(set(worth)) == len(worth)
    assert worth[-1] == MANDATORY


def test_windows_that_touch_are_one():
    spans = (Span(at(12), at(14)), Span(at(8), at(10)), Span(at(9), at(12)))
    (visit,) = asked_for(a_picture(an_order(1, windows=spans))).problem.visits
    origin = a_picture().origin
    assert visit.windows == (Window(*(round((it - origin).total_seconds()) for it in (at(8), at(14)))),)


def test_what_people_know_is_driven_as_they_know_it():
    picture = a_picture(an_order(1, booked=booked(1, 9)), an_order(2, east=2, booked=booked(1, 14)))
    table = known_timetable_of(asked_for(picture), [an_id(1), an_id(2)])
    assert [it.begins for it in table.calls] == [at(9), at(14)]
    figures = figures_of([table], 0)
    assert figures.travel_seconds == 4 * A_DRIVE
    assert figures.waiting_seconds > 0


def test_a_slow_day_puts_a_tight_promise_at_risk():
    tight = an_order(1, east=12, windows=(Span(at(8), at(10) + timedelta(minutes=5)),))
    (call,) = planned(a_picture(tight))[1][0].calls
    assert call.late_seconds == 0
    assert call.risk_seconds > 0
    roomy = an_order(1, east=12, windows=(Span(at(8), at(16)),))
    (call,) = planned(a_picture(roomy))[1][0].calls
    assert call.risk_seconds == 0


def test_who_else_could_have_made_it_and_at_what_cost():
    picture = a_picture(
        an_order(1, skills=(SkillLevel("oven", 1),)),
        an_order(2, east=2),
        duties=(
            a_duty(1, skills=(SkillLevel("oven", 1),)),
            a_duty(2, start=11, skills=(SkillLevel("oven", 2),)),
            a_duty(3, ends=at(8.1), skills=(SkillLevel("oven", 1),)),
            a_duty(4),
        ),
    )
    asked = asked_for(picture)
    plan = solve(asked.problem, Steps(2_000), seed=1)
    found = alternatives_of(asked, plan)[an_id(1)]
    (other,) = found.others
    # One hundredth of a degree and back against ten, as the first engineer goes to the second order anyway.
    assert (other.engineer_id, other.extra) == (an_id(1002), 20 * A_DRIVE)
    assert (found.unable, found.full) == (1, 1)


def a_land(orders: int = 40) -> Picture:
    west, east = an_id(31), an_id(32)
    duties = tuple(a_duty(n, start=n * 3, territory_id=west if n < 4 else east) for n in range(8))
    some = [an_order(n, east=n % 24, territory_id=west if n % 24 < 12 else east) for n in range(100, 100 + orders)]
    return a_picture(*some, duties=duties, policy=Policy(split=20))


def test_a_big_plan_is_split_by_territory_and_nothing_is_in_two_parts():
    picture = a_land()
    parts = parts_of(picture, Effort.QUICK, {an_id(31): "West", an_id(32): "East"})
    assert [it.name for it in parts] == ["West", "East"]
    orders = [order for it in parts for order in it.orders]
    shifts = [shift for it in parts for shift in it.shifts]
    assert sorted(orders) == sorted(it.id for it in picture.orders)
    assert sorted(shifts) == sorted(it.shift_id for it in picture.duties)


def test_a_small_plan_is_not_split():
    assert len(parts_of(a_land(20), Effort.QUICK, {})) == 1


def test_linked_orders_and_bookings_stay_in_one_part():
    picture = a_land()
    west, east = picture.orders[0], picture.orders[12]
    linked = replace(picture, links=(Link(LinkKind.BEFORE, west.id, east.id, 0),))
    for part in parts_of(linked, Effort.QUICK, {}):
        assert (west.id in part.orders) == (east.id in part.orders)


def test_a_border_is_what_lies_near_it_and_what_nobody_makes():
    picture = a_land()
    parts = parts_of(picture, Effort.QUICK, {})
    sequences = {part.shifts[0]: list(part.orders[1:6]) for part in parts}
    found = border(picture, parts, sequences, Effort.QUICK)
    assert found is not None
    left = {it.id for it in picture.orders} - {it for stops in sequences.values() for it in stops}
    assert left <= set(found.orders)
    assert (
        len({picture.duties[n].territory_id for n, it in enumerate(picture.duties) if it.shift_id in found.shifts}) == 2
    )
    assert border(picture, parts[:1], sequences, Effort.QUICK) is None
