"""28: Device clock +3 days / −2 years / jumps in session."""

from datetime import datetime, timedelta

import pytest

from tests.scenarios.handset import statuses
from tests.scenarios.rules import evidence


@pytest.mark.parametrize("wrong_by", [timedelta(days=3), timedelta(days=-730)])
async def test_28_order_is_unaffected_and_both_times_are_kept(handset, job, wrong_by):
    def as_shown(moment):
        return (datetime.fromisoformat(job.at(moment)) + wrong_by).isoformat()

    evidence(handset, "note.add", as_shown(2), body="first")
    evidence(handset, "time.add", as_shown(9), kind="work", started_at=as_shown(1), ended_at=as_shown(9))
    evidence(handset, "note.add", as_shown(10), body="second")
    job.later(20)
    assert statuses(await handset.push(clock={"now": as_shown(20)})) == ["applied"] * 3
    notes = await job.sql("select body, at from note where work_order_id = %(order)s order by at")
    assert [(row["body"], row["at"].isoformat()) for row in notes] == [("first", job.at(2)), ("second", job.at(10))]
    (entry,) = await job.sql("select * from time_entry where work_order_id = %(order)s")
    assert [entry["started_at"].isoformat(), entry["ended_at"].isoformat()] == [job.at(1), job.at(9)]
    assert [entry["device_started_at"].isoformat(), entry["device_ended_at"].isoformat()] == [as_shown(1), as_shown(9)]
    assert entry["uncertainty_ms"] == 300_000


async def test_28_a_clock_that_jumps_in_the_session_is_flagged_and_the_monotonic_one_believed(handset, job):
    """At moment 5 somebody set the clock three days ahead; it is put right before the phone connects."""
    jumped = (datetime.fromisoformat(job.at(5)) + timedelta(days=3)).isoformat()
    handset.record(
        "time.add",
        {
            "id": handset.device,
            "wo": str(handset.order),
            "kind": "work",
            "started_at": (datetime.fromisoformat(job.at(2)) + timedelta(days=3)).isoformat(),
            "ended_at": jumped,
        },
        at=jumped,
        boot="b",
        mono=30_000.0,
    )
    job.later(20)
    pushed = await handset.push(clock={"now": job.at(20), "mono": 120_000.0, "boot": "b"})
    (result,) = pushed.json()["results"]
    assert (result["status"], result["flags"]) == ("applied", ["CLOCK_JUMP"])
    (entry,) = await job.sql("select * from time_entry where work_order_id = %(order)s")
    assert [entry["started_at"].isoformat(), entry["ended_at"].isoformat()] == [job.at(2), job.at(5)]
    assert entry["device_ended_at"].isoformat() == jumped
    assert entry["flags"] == ["CLOCK_JUMP"]


async def test_28_what_would_lie_in_the_future_is_taken_as_now_and_flagged(handset, job):
    handset.note("from tomorrow", at=(datetime.fromisoformat(job.at(0)) + timedelta(days=1)).isoformat())
    pushed = await handset.push(clock={"now": job.at(0)})
    (result,) = pushed.json()["results"]
    assert (result["status"], result["flags"]) == ("applied", ["CLOCK_FUTURE"])
    assert [row["at"].isoformat() for row in await job.sql("select at from note")] == [job.at(0)]
