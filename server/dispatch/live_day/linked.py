"""What the orders that an order is linked with say about when it may begin. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from server.dispatch.live_day.domain import Broken, Rule, Side
from server.dispatch.planning.picture import Order, Span
from server.workorders.domain import LinkKind


@dataclass(frozen=True)
class Mate:
    """An order that another is linked with; `first`: it is the one that comes first.

    starts, ends, engineer_id: of the visit that somebody is expected for; none while nobody is.
    """

    kind: LinkKind
    first: bool
    gap_minutes: int
    number: int
    done: bool
    starts: datetime | None
    ends: datetime | None
    engineer_id: UUID | None


@dataclass(frozen=True)
class _Limit:
    """When an order may begin because of another one. never: not before somebody is expected at that one."""

    why: str
    opens: datetime | None = None
    closes: datetime | None = None
    never: bool = False

    def against(self, begins: datetime) -> Broken | None:
        if self.never:
            return Broken(Rule.LINK, self.why)
        if self.opens is not None and begins < self.opens:
            return Broken(Rule.LINK, self.why, _seconds(self.opens - begins), self.opens, Side.EARLY)
        if self.closes is not None and begins > self.closes:
            return Broken(Rule.LINK, self.why, _seconds(begins - self.closes), self.closes, Side.LATE)
        return None


@dataclass(frozen=True)
class Bounds:
    """All that links say about one order. mates: who makes one that begins together with it, in a sentence each."""

    limits: tuple[_Limit, ...]
    mates: Mapping[UUID, str]

    @property
    def why(self) -> str:
        return " ".join(dict.fromkeys(it.why for it in self.limits))

    def against(self, begins: datetime) -> list[Broken]:
        """Answer the links that would be broken, were the order begun then."""
        return [broken for it in self.limits if (broken := it.against(begins))]

    def apart(self, order: Order) -> Order:
        """Answer the order as if nobody wanted to see those on it who are with its mates."""
        return replace(order, banned=(*order.banned, *self.mates))

    def cut(self, span: Span) -> Span | None:
        """Answer what is left of a span to begin in; None if nothing is."""
        opens = max([span.opens, *(it.opens for it in self.limits if it.opens)])
        closes = min([span.closes, *(it.closes for it in self.limits if it.closes)])
        never = any(it.never for it in self.limits)
        return None if never or opens > closes else Span(opens, closes)

    def narrowed(self, order: Order, day: Span) -> Order | None:
        """Answer the order as it can be made on a day; None if its links leave no time for it.

        One whose windows leave none is to come as soon as its links allow.
        """
        if not self.limits:
            return order
        free = self.cut(day)
        if free is None:
            return None
        windows = tuple(cut for it in order.windows if (cut := self.cut(it)) and _meet(cut, day))
        return replace(order, windows=windows or (free,))


def bounds_of(mates: Iterable[Mate], minutes: int) -> Bounds:
    """minutes: that the order takes."""
    ahead = [it for it in mates if not it.done]
    together = [it for it in ahead if it.kind is LinkKind.TOGETHER]
    return Bounds(
        tuple(limit for it in ahead if (limit := _limit(it, minutes))),
        {it.engineer_id: f"They make work order {it.number} then." for it in together if it.engineer_id},
    )


def _limit(it: Mate, minutes: int) -> _Limit | None:
    gap = timedelta(minutes=it.gap_minutes)
    match it.kind:
        case LinkKind.TOGETHER:
            why = f"It begins together with work order {it.number}."
            return _Limit(why, it.starts, it.starts) if it.starts else None
        case LinkKind.BEFORE if it.first:
            if it.ends is None:
                return _Limit(f"It waits for work order {it.number}, which nobody is expected at yet.", never=True)
            return _Limit(f"It waits for the end of work order {it.number}.", opens=it.ends + gap)
        case LinkKind.BEFORE:
            why = f"Work order {it.number} waits for its end."
            return _Limit(why, closes=it.starts - gap - timedelta(minutes=minutes)) if it.starts else None


def _meet(one: Span, other: Span) -> bool:
    return one.opens <= other.closes and other.opens <= one.closes


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())
