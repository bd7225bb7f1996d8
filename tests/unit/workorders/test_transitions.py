"""The table of state changes: every state meets every action, and chance plays whole lives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.identity.domain import PERMISSIONS_OF, Permission
from server.workorders.domain import (
    BEGUN_VISIT,
    OPEN_VISIT,
    OVER,
    TRANSITIONS,
    Action,
    Requirement,
    State,
    VisitState,
    actions_from,
    decide,
)
from server.workorders.errors import IllegalTransition, MissingRequirement

EVERYTHING = frozenset(Requirement)

# Written by hand from the product's description, not computed from the table it checks.
LIFE = {
    State.NEW: {"triage", "schedule", "suspend", "cancel"},
    State.TRIAGED: {"schedule", "suspend", "cancel"},
    State.SCHEDULED: {"schedule", "dispatch", "unschedule", "suspend", "cancel"},
    State.DISPATCHED: {"schedule", "unschedule", "accept", "decline", "travel", "arrive", "suspend", "cancel"},
    State.ACCEPTED: {"schedule", "unschedule", "decline", "travel", "arrive", "hold", "suspend", "cancel"},
    State.TRAVELLING: {"arrive", "hold", "suspend", "cancel"},
    State.ON_SITE: {"start", "hold", "suspend", "cancel"},
    State.WORKING: {"hold", "resolve", "suspend", "cancel"},
    State.ON_HOLD: {"schedule", "resume", "complete_disputed", "cancel"},
    State.COMPLETED_DISPUTED: {"accept_work", "suspend", "cancel", "reopen"},
    State.RESOLVED: {"request_confirmation", "confirm", "close_by_exception", "reopen"},
    State.AWAITING_CONFIRMATION: {"confirm", "close_by_exception", "reopen"},
    State.CLOSED: {"reopen"},
    State.CANCELLED: {"reopen", "complete_disputed"},
    State.REOPENED: {"triage", "schedule", "suspend", "cancel"},
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_an_action_is_possible_exactly_where_the_product_says(state: State, action: Action):
    if action in LIFE[state]:
        assert decide(action, state, EVERYTHING).target is TRANSITIONS[action].target
    else:
        with pytest.raises(IllegalTransition) as refused:
            decide(action, state, EVERYTHING)
        assert refused.value.facts["state"] is state
        assert refused.value.facts["allowed"] == actions_from(state)
        assert set(actions_from(state)) == LIFE[state]


@pytest.mark.parametrize(
    ("action", "requirement"), [(row.action, needed) for row in TRANSITIONS.values() for needed in row.requires]
)
def test_each_missing_requirement_is_named(action: Action, requirement: Requirement):
    source = next(iter(TRANSITIONS[action].sources))
    with pytest.raises(MissingRequirement) as refused:
        decide(action, source, EVERYTHING - {requirement})
    assert refused.value.facts["missing"] == requirement


def test_every_action_is_in_the_table_and_every_state_is_reached():
    assert set(TRANSITIONS) == set(Action)
    assert {row.target for row in TRANSITIONS.values()} | {State.NEW} == set(State)


def test_every_action_belongs_to_some_role():
    granted = frozenset[Permission]().union(*PERMISSIONS_OF.values())
    assert {row.by for row in TRANSITIONS.values()} <= granted


def test_every_state_change_tells_those_above():
    assert all(row.triggers for row in TRANSITIONS.values())


def test_an_order_never_closes_without_signature_and_rating_or_a_reason():
    closing = [row for row in TRANSITIONS.values() if row.target is State.CLOSED]
    assert len(closing) == 2
    for row in closing:
        signed = {Requirement.SIGNATURE, Requirement.RATING} <= set(row.requires)
        assert signed or row.requires == (Requirement.REASON,)


def test_a_begun_visit_is_an_open_one():
    assert BEGUN_VISIT < OPEN_VISIT
    assert VisitState.ACCEPTED not in BEGUN_VISIT


@given(st.sampled_from(State), st.lists(st.sampled_from(Action), max_size=40))
def test_whatever_is_tried_the_order_stays_in_the_table(state: State, attempts: list[Action]):
    for action in attempts:
        try:
            state = decide(action, state, EVERYTHING).target
        except IllegalTransition:
            assert action not in LIFE[state]
    assert state in LIFE


@given(
    st.sampled_from(Action),
    st.sampled_from(State),
    st.frozensets(st.sampled_from(Requirement)),
    st.frozensets(st.sampled_from(Requirement)),
)
def test_more_at_hand_never_makes_an_action_impossible(action, state, less, more):
    def possible(at_hand):
        try:
            decide(action, state, at_hand)
        except (IllegalTransition, MissingRequirement):
            return False
        return True

    assert not possible(less) or possible(less | more)


@given(st.data())
def test_every_order_can_still_be_brought_to_an_end(data):
    """From wherever chance leads, somebody can close or cancel within four actions."""
    state = data.draw(st.sampled_from(State))
    for _ in range(4):
        if state in OVER:
            break
        ending = [action for action in actions_from(state) if TRANSITIONS[action].target in OVER]
        action = ending[0] if ending else data.draw(st.sampled_from(actions_from(state)))
        state = decide(action, state, EVERYTHING).target
    assert state in OVER
