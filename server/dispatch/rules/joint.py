"""Who goes where when rules send somebody to several orders at once. Pure.

One after the other, the first order takes whoever suits it best, also from an order nobody else suits. Chosen together,
they come to the highest sum of scores, each engineer with one order at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from server.dispatch.planner.matching import matched
from server.workorders.domain import Priority

_COUNTS = {Priority.URGENT: 4, Priority.HIGH: 2, Priority.NORMAL: 1}  # how often a score of each counts in the sum
_DIGITS = 10_000  # scores have four


@dataclass(frozen=True)
class Wanting:
    """An order, and the scores of those whom its rule may send."""

    order_id: UUID
    priority: Priority
    scores: Mapping[UUID, float]


@dataclass(frozen=True)
class Chosen:
    """Who was chosen for an order, together with so many other orders."""

    engineer_id: UUID
    others: int


@dataclass(frozen=True)
class Choice:
    """later: orders for which everybody who suits them has another one first."""

    chosen: Mapping[UUID, Chosen]
    later: tuple[UUID, ...]


def together(orders: Sequence[Wanting]) -> Choice:
    """Give as many orders an engineer as can be, and of all ways to do that take the one with the highest scores.

    One order alone has nobody to be chosen together with.
    """
    if sum(1 for it in orders if it.scores) <= 1:
        return Choice({}, ())
    people = sorted({one for it in orders for one in it.scores})
    number = {one: column for column, one in enumerate(people)}
    worth = {
        (row, number[one]): round(_DIGITS * _COUNTS[it.priority] * score)
        for row, it in enumerate(orders)
        for one, score in it.scores.items()
    }
    most = max(worth.values(), default=0)
    found = matched(len(orders), len(people), {pair: most - it for pair, it in worth.items()})
    others = sum(1 for it in orders if it.scores) - 1
    return Choice(
        {orders[row].order_id: Chosen(people[one], others) for row, one in found.engineers.items()},
        tuple(it.order_id for row, it in enumerate(orders) if it.scores and row not in found.engineers),
    )
