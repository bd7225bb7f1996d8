"""Whatever the day looks like: what is proposed to people breaks none of their rules, and forgets no order."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.planner.problem import InvalidProblem
from server.dispatch.planning.domain import Change, Line
from server.dispatch.planning.picture import Booked, Duty, Link, Order, Picture, Policy, Rest, Span
from server.dispatch.planning.timetable import Timetable
from server.workforce.domain import SkillLevel
from server.workorders.domain import LinkKind, Pin, Priority
from tests.unit.dispatch.planner.problems import examples
from tests.unit.dispatch.test_planning_problem import a_duty, an_id, an_order, at, planned

SKILLS = ("oven", "lift")
MINUTE = timedelta(minutes=1)


@st.composite
def spans(draw) -> tuple[Span, ...]:
    """Up to two windows of one to three hours, apart or not, some of them over."""
    found = []
    for _ in range(draw(st.integers(0, 2))):
        opens = draw(st.integers(5, 16))
        found.append(Span(at(opens), at(opens + draw(st.integers(1, 3)))))
    return tuple(found)


@st.composite
def orders(draw, number: int, engineers: int) -> Order:
    booked = None
    if draw(st.booleans()):
        start, minutes = at(7 + draw(st.integers(0, 36)) / 4), draw(st.sampled_from([30, 60]))
        whose = an_id(1001 + draw(st.integers(0, engineers - 1)))
        pin = draw(st.sampled_from([None, None, None, Pin.ENGINEER, Pin.TIME]))
        booked = Booked(an_id(9000 + number), whose, start, start + timedelta(minutes=minutes), pin)
    return an_order(
        number,
        east=draw(st.integers(0, 8)),
        minutes=draw(st.sampled_from([15, 45, 90])),
        windows=draw(spans()),
        priority=draw(st.sampled_from(list(Priority))),
        vip=draw(st.booleans()),
        respond_by=at(draw(st.integers(6, 40))),
        skills=tuple(SkillLevel(it, draw(st.integers(1, 3))) for it in SKILLS if draw(st.booleans())),
        banned=tuple(an_id(1001 + it) for it in range(engineers) if draw(st.integers(0, 5)) == 0),
        preferred=draw(st.sampled_from([None, an_id(1001)])),
        booked=booked,
    )


@st.composite
def duties(draw, number: int) -> Duty:
    starts = 7 + draw(st.integers(0, 3))
    rest = Rest(at(starts + 2), at(starts + 4), 30) if draw(st.booleans()) else None
    return a_duty(
        number,
        start=draw(st.integers(0, 8)),
        free_at=at(starts),
        ends=at(starts + draw(st.integers(3, 8))),
        rest=rest,
        overtime_minutes=draw(st.sampled_from([0, 60])),
        pace_percent=draw(st.sampled_from([80, 100, 130])),
        skills=tuple(SkillLevel(it, draw(st.integers(1, 3))) for it in SKILLS),
    )


@st.composite
def pictures(draw) -> Picture:
    engineers, many = draw(st.integers(1, 3)), draw(st.integers(1, 7))
    some = [draw(orders(number, engineers)) for number in range(1, many + 1)]
    links: tuple[Link, ...] = ()
    if many > 1 and draw(st.booleans()):
        links = (Link(LinkKind.BEFORE, some[0].id, some[1].id, draw(st.sampled_from([0, 20]))),)
    return Picture(
        at=at(7),
        begins=at(0),
        until=at(24),
        orders=tuple(some),
        duties=tuple(draw(duties(number)) for number in range(1, engineers + 1)),
        links=links,
        depots=(),
        policy=Policy(frozen=draw(st.sampled_from([0, 45]))),
    )


@dataclass(frozen=True)
class Proposed:
    picture: Picture
    lines: dict[int, Line]
    tables: list[Timetable]

    def frozen(self, it: Order) -> bool:
        return it.booked is not None and it.booked.start < self.picture.frozen_until


@given(pictures())
@examples(300)
def test_what_is_proposed_breaks_no_rule(picture: Picture):
    try:
        it = Proposed(picture, *planned(picture, 600))
    except InvalidProblem:  # links between what is about to happen: there is no plan, and people are told so
        assert picture.links
        return
    assert sorted(it.lines) == [order.number for order in picture.orders]
    for table, duty in zip(it.tables, picture.duties, strict=True):
        _check_day(it, table, duty)
    for order in picture.orders:
        _check_line(it, order)


def _check_day(it: Proposed, table: Timetable, duty: Duty) -> None:
    by_id = {order.id: order for order in it.picture.orders}
    made = [by_id[call.order_id] for call in table.calls if call.order_id]
    late = any(it.frozen(order) for order in made)  # what is about to happen happens, be it too late
    assert late or not table.breaks_rules
    assert late or not table.calls or table.returns <= duty.over
    assert not table.calls or table.leaves >= duty.free_at
    free = duty.free_at
    for call, order in zip(table.calls, made, strict=True):
        assert call.begins + MINUTE > free + timedelta(seconds=call.drive.seconds)
        assert call.begins >= call.arrives
        minutes = order.minutes * duty.pace_percent / 100
        assert abs((call.ends - call.begins).total_seconds() / 60 - minutes) < 1
        free = call.ends - MINUTE  # what people are told is rounded up
        if not it.frozen(order):
            _check_order(it, order, duty, call.begins)


def _check_order(it: Proposed, order: Order, duty: Duty, begins) -> None:
    levels = {skill.key: skill.level for skill in duty.skills}
    assert all(levels.get(asked.key, 0) >= asked.level for asked in order.skills)
    assert duty.engineer_id not in order.banned
    if order.booked and order.booked.pin:
        assert duty.engineer_id == order.booked.engineer_id
    if order.booked and order.booked.pin is Pin.TIME:
        assert begins == max(order.booked.start, it.picture.at)
    elif order.windows and max(span.closes for span in order.windows) >= it.picture.at:
        assert any(span.opens <= begins <= span.closes + MINUTE for span in order.windows)


def _check_line(it: Proposed, order: Order) -> None:
    line = it.lines[order.number]
    assert (line.before is None) == (order.booked is None)
    match line.change:
        case Change.KEEP:
            assert line.after == line.before
        case Change.UNASSIGN | Change.LEAVE_OUT:
            assert line.after is None
            assert line.details["reason"]
            assert not it.frozen(order)
            assert order.booked is None or order.booked.pin is None
        case _:
            assert line.after is not None
            assert line.after != line.before
    for link in it.picture.links:
        first, then = (it.lines[_number(it, one)].after for one in (link.first_id, link.then_id))
        if then and not any(it.frozen(one) for one in it.picture.orders if one.id in (link.first_id, link.then_id)):
            assert first or any(one.booked and one.booked.pin for one in it.picture.orders)
            if first and it.lines[_number(it, link.then_id)].change is not Change.KEEP:
                assert then.start + MINUTE >= first.end + timedelta(minutes=link.gap_minutes) - timedelta(minutes=5)


def _number(it: Proposed, order_id) -> int:
    return next(one.number for one in it.picture.orders if one.id == order_id)
