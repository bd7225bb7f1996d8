"""Jobs to engineers, one each."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from server.dispatch.planner.matching import Unmatched, matched
from tests.unit.dispatch.planner.problems import examples


@st.composite
def questions(draw):
    jobs, engineers = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    pairs = [(job, one) for job in range(jobs) for one in range(engineers)]
    costs = {it: draw(st.integers(-20, 100)) for it in pairs if draw(st.booleans())}
    return jobs, engineers, costs


def most_and_cheapest_by_trying_everything(jobs, engineers, costs):
    # Somebody who isn't there stands for a job left over.
    for most in range(min(jobs, engineers), -1, -1):
        ways = [
            [(job, one) for job, one in enumerate(way) if one >= 0]
            for way in permutations([*range(engineers), *[-1] * jobs], jobs)
        ]
        found = [sum(costs[it] for it in way) for way in ways if len(way) == most and all(it in costs for it in way)]
        if found:
            return most, min(found)
    raise AssertionError("to do nothing is always possible")


@examples(200)
@given(questions())
def test_as_many_jobs_as_can_be_and_as_cheaply_as_trying_everything_finds(question):
    jobs, engineers, costs = question
    found = matched(jobs, engineers, costs)
    assert (len(found.engineers), found.cost) == most_and_cheapest_by_trying_everything(jobs, engineers, costs)
    assert found.cost == sum(costs[it] for it in found.engineers.items())


@examples(200)
@given(questions())
def test_every_job_has_an_engineer_of_its_own_or_a_reason(question):
    jobs, engineers, costs = question
    found = matched(jobs, engineers, costs)
    assert sorted([*found.engineers, *found.left_over]) == list(range(jobs))
    assert len(set(found.engineers.values())) == len(found.engineers)
    assert set(found.engineers.items()) <= set(costs)
    for job, why in found.left_over.items():
        assert (why == Unmatched.NOBODY_ABLE) == all((job, one) not in costs for one in range(engineers))


def test_the_cheapest_pair_is_given_up_for_a_better_whole():
    found = matched(2, 2, {(0, 0): 1, (0, 1): 2, (1, 0): 3, (1, 1): 100})
    assert found.engineers == {0: 1, 1: 0}
    assert found.cost == 5


def test_a_job_is_left_over_because_everybody_able_is_taken_or_nobody_is():
    found = matched(3, 1, {(0, 0): 5, (1, 0): 3})
    assert found.engineers == {1: 0}
    assert found.left_over == {0: Unmatched.ALL_TAKEN, 2: Unmatched.NOBODY_ABLE}
