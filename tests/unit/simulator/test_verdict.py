"""The verdict must be able to fail: each kind of loss and doubling is planted and found."""

from collections import Counter
from typing import Any

from simulator.device import Recorded
from simulator.tally import Tally
from simulator.verdict import Verdict, _ids_in, _judge_effect, _judge_results, _Order

NOTE = {"seq": 1, "id": "m1", "name": "note.add", "args": {"id": "n1", "wo": "o1", "body": "…"}}
ARRIVAL = {"seq": 2, "id": "m2", "name": "wo.transition", "args": {"wo": "o1", "visit": "v1", "to": "arrive"}}


def recorded(envelope: dict[str, Any], status: str | None = "applied") -> Recorded:
    return Recorded("s1", envelope["seq"], envelope["id"], envelope, status, None)


def judged(mutation: Recorded, *ids: str) -> Verdict:
    verdict = Verdict(engineers=1, seed=1, orders=1)
    order = _Order({"state": "closed"}, Counter(ids))
    _judge_effect(verdict, mutation, {"o1": order})
    _judge_results(verdict, [mutation], Tally())
    return verdict


def test_once_on_the_server_is_good() -> None:
    assert judged(recorded(NOTE), "n1").passed
    assert judged(recorded(ARRIVAL), "act:m2").passed


def test_an_applied_note_that_is_not_there_is_lost() -> None:
    assert judged(recorded(NOTE), "n2").lost == 1


def test_a_note_that_is_there_twice_is_doubled() -> None:
    assert judged(recorded(NOTE), "n1", "n1").doubled == 1


def test_an_arrival_without_its_history_is_lost_and_with_two_is_doubled() -> None:
    assert judged(recorded(ARRIVAL)).lost == 1
    assert judged(recorded(ARRIVAL), "act:m2", "act:m2").doubled == 1


def test_a_transition_that_the_server_had_already_made_needs_no_entry() -> None:
    assert judged(recorded(ARRIVAL, "merged")).passed


def test_a_mutation_without_an_answer_is_lost() -> None:
    assert judged(recorded(NOTE, None)).lost == 1


def test_evidence_in_conflict_must_still_be_there() -> None:
    assert judged(recorded(NOTE, "conflict")).lost == 1


def test_a_quarantine_without_a_reason_is_a_problem() -> None:
    verdict = judged(recorded(NOTE, "quarantined"))
    assert (verdict.quarantined, verdict.passed) == (1, False)


def test_on_an_order_the_office_disturbed_control_may_be_in_conflict() -> None:
    verdict = Verdict(engineers=1, seed=1, orders=1)
    _judge_results(verdict, [recorded(ARRIVAL, "conflict")], Tally(disturbed={"o1"}))
    assert (verdict.conflicts, verdict.passed) == (1, True)


def test_ids_are_counted_however_deep_they_lie() -> None:
    detail = {"id": "o1", "notes": [{"id": "n1"}, {"id": "n1"}], "checklist": [{"answer": {"id": "a1"}, "earlier": []}]}
    assert Counter(_ids_in(detail)) == {"o1": 1, "n1": 2, "a1": 1}
