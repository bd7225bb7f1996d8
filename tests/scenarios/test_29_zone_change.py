"""29: DST change / time-zone trip during an open timer."""

from datetime import datetime, timedelta
from uuid import uuid4

from tests.scenarios.handset import statuses
from tests.scenarios.rules import reconnect


def ticks(phone, timer, name, at, zone, mono, **said):
    args = {"id": timer, "wo": str(phone.order), "zone": zone, "boot": "b", "mono": mono, **said}
    return phone.record(name, args, at=at, boot="b", mono=mono)


async def entry_of(job):
    (entry,) = await job.sql("select * from time_entry where work_order_id = %(order)s")
    return entry


async def test_29_the_length_is_what_the_monotonic_clock_measured_and_both_zones_are_kept(handset, job):
    """They drive from Paris to London: the phone's wall clock reads an hour less when they stop."""
    timer = str(uuid4())
    start = datetime.fromisoformat(job.at(0))
    ticks(handset, timer, "time.start", start.isoformat(), "Europe/Paris", 1_000.0, kind="travel")
    # The wall clock was moved by hand and not by zone, the mistake people make: 90 s look like 58 minutes less.
    wrong = start + timedelta(seconds=90) - timedelta(hours=1)
    ticks(handset, timer, "time.stop", wrong.isoformat(), "Europe/London", 91_000.0)
    job.later(20)
    pushed = await reconnect(handset, job)
    assert statuses(pushed) == ["applied", "applied"]
    assert "CLOCK_JUMP" in pushed.json()["results"][1]["flags"]
    entry = await entry_of(job)
    assert entry["ended_at"] - entry["started_at"] == timedelta(seconds=90)
    assert (entry["started_zone"], entry["ended_zone"]) == ("Europe/Paris", "Europe/London")
    assert (entry["device_started_at"], entry["device_ended_at"]) == (start, wrong)


async def test_29_a_change_to_winter_time_does_not_lengthen_the_work(handset, job):
    """At 03:00 the clocks read 02:00 again; offsets in what the phone writes change with it."""
    timer = str(uuid4())
    ticks(handset, timer, "time.start", "2026-10-25T02:30:00+02:00", "Europe/Paris", 0.0, kind="work")
    ticks(handset, timer, "time.stop", "2026-10-25T02:15:00+01:00", "Europe/Paris", 45 * 60_000.0)
    pushed = await handset.push(clock={"now": "2026-10-25T02:20:00+01:00"})
    assert statuses(pushed) == ["applied", "applied"]
    entry = await entry_of(job)
    assert entry["ended_at"] - entry["started_at"] == timedelta(minutes=45)
    assert entry["flags"] == []


async def test_29_a_timer_whose_start_never_came_is_kept_and_completed_when_it_does(handset, job):
    timer = str(uuid4())
    start = ticks(handset, timer, "time.start", job.at(1), "Europe/Paris", 6_000.0, kind="work")
    stop = ticks(handset, timer, "time.stop", job.at(9), "Europe/Paris", 54_000.0)
    handset.outbox[:] = [stop | {"seq": 1, "prev": None}]
    job.later(10)
    pushed = await reconnect(handset, job)
    assert pushed.json()["results"][0]["flags"] == ["NO_START"]
    entry = await entry_of(job)
    assert entry["started_at"] == entry["ended_at"]
    handset.record("time.start", start["args"], at=start["at"])
    assert statuses(await reconnect(handset, job)) == ["applied", "applied"]
    entry = await entry_of(job)
    assert (entry["started_at"].isoformat(), entry["ended_at"].isoformat()) == (job.at(1), job.at(9))
    assert entry["flags"] == []
