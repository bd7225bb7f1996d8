"""Orders that rules send somebody to at once are chosen for together."""

from itertools import permutations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.rules.joint import Chosen, Wanting, together
from server.workorders.domain import Priority

ANNA, BRUNO = UUID(int=101), UUID(int=102)


def wanting(number: int, scores: dict[UUID, float], priority: Priority = Priority.URGENT) -> Wanting:
    return Wanting(UUID(int=number), priority, scores)


def test_together_is_better_than_one_after_the_other():
    """The first would take Anna, who suits it a little better, and leave the second with somebody far away."""
    orders = [wanting(1, {ANNA: 0.80, BRUNO: 0.78}), wanting(2, {ANNA: 0.75, BRUNO: 0.20})]
    found = together(orders)
    assert found.chosen == {UUID(int=1): Chosen(BRUNO, 1), UUID(int=2): Chosen(ANNA, 1)}
    assert found.later == ()


def test_where_there_are_too_few_the_urgent_order_goes_first():
    orders = [wanting(1, {ANNA: 0.9}, Priority.NORMAL), wanting(2, {ANNA: 0.6}), wanting(3, {})]
    found = together(orders)
    assert found.chosen == {UUID(int=2): Chosen(ANNA, 1)}
    assert found.later == (UUID(int=1),), "nobody may do the third: it is not put off"


def test_one_order_alone_is_chosen_for_as_ever():
    assert together([wanting(1, {ANNA: 0.9}), wanting(2, {})]).chosen == {}


@given(st.lists(st.lists(st.integers(0, 13_000), min_size=4, max_size=4), min_size=2, max_size=4))
def test_no_other_way_has_a_higher_sum_of_scores(table):
    people = [UUID(int=100 + it) for it in range(4)]
    rows = [{one: score / 10_000 for one, score in zip(people, row, strict=True)} for row in table]
    found = together([wanting(number, row) for number, row in enumerate(rows)])
    engineers = [found.chosen[UUID(int=it)].engineer_id for it in range(len(rows))]
    assert len(set(engineers)) == len(engineers)

    def worth(chosen) -> int:
        return sum(round(10_000 * row[one]) for row, one in zip(rows, chosen, strict=True))

    assert worth(engineers) == max(worth(it) for it in permutations(people, len(rows)))
