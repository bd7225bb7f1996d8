"""What the pulled rows promise when a stream breaks off or the scope changes."""

import pytest

from simulator.device import Device, DeviceRevoked, NoConnection, ProtocolBroken
from simulator.faults import Fate
from tests.unit.simulator.conftest import Weather
from tests.unit.simulator.fake_server import FakeServer

pytestmark = pytest.mark.anyio


def fill(server: FakeServer, buckets: int) -> None:
    for number in range(buckets):
        for row in range(10):
            server.put(f"wo:{number}", "note", f"{number}-{row}", body="x" * 100)


async def test_rows_arrive_and_leave_with_their_bucket(phone: Device, server: FakeServer) -> None:
    fill(server, 3)
    await phone.sync()
    assert len(phone.view.rows("note")) == 30
    del server.buckets["wo:1"]
    await phone.sync()
    assert phone.base.buckets().keys() == {"wo:0", "wo:2"}
    assert len(phone.view.rows("note")) == 20


async def test_a_cut_pull_keeps_the_finished_buckets_and_no_half_one(
    phone: Device, server: FakeServer, weather: Weather
) -> None:
    fill(server, 5)
    weather.next("/sync/pull", Fate.CUT)
    with pytest.raises(NoConnection):
        await phone.sync()
    kept = phone.base.buckets()
    assert 0 < len(kept) < 5
    assert len(phone.view.rows("note")) == 10 * len(kept)
    await phone.sync()
    assert len(phone.view.rows("note")) == 50


async def test_a_bucket_that_left_after_a_cut_pull_does_not_stay_for_ever(
    phone: Device, server: FakeServer, weather: Weather
) -> None:
    fill(server, 5)
    weather.next("/sync/pull", Fate.CUT)
    with pytest.raises(NoConnection):
        await phone.sync()
    # No cookie covers it, so no drop will ever be sent.
    del server.buckets["wo:0"]
    await phone.sync()
    assert "wo:0" not in phone.base.buckets()


async def test_a_bucket_that_left_while_the_server_forgot_the_cookie_goes_too(
    phone: Device, server: FakeServer
) -> None:
    fill(server, 3)
    await phone.sync()
    server.cookies.clear()
    del server.buckets["wo:0"]
    await phone.sync()
    assert phone.base.buckets().keys() == {"wo:1", "wo:2"}


async def test_a_lost_pull_reply_is_asked_for_again(phone: Device, server: FakeServer, weather: Weather) -> None:
    fill(server, 2)
    weather.next("/sync/pull", Fate.LOSE_REPLY)
    await phone.sync()
    assert len(phone.view.rows("note")) == 20


async def test_a_refusal_that_breaks_off_is_asked_for_again(
    phone: Device, server: FakeServer, weather: Weather
) -> None:
    server.revoked = True
    weather.next("/sync/pull", Fate.CUT)
    with pytest.raises(DeviceRevoked):
        await phone.pull()


async def test_a_pull_goes_on_while_there_is_more(phone: Device, server: FakeServer) -> None:
    fill(server, 5)
    server.rounds_of = 2
    await phone.sync()
    assert len(phone.base.buckets()) == 5


async def test_a_pending_note_is_seen_before_it_is_sent_and_once_after(phone: Device, server: FakeServer) -> None:
    server.put("wo:1", "work_order", "1", state="dispatched")
    await phone.sync()
    phone.record("wo.transition", {"wo": "1", "visit": "v1", "to": "accept"})
    phone.record("note.add", {"id": "n1", "wo": "1", "body": "On my way"})
    assert phone.view.rows("work_order")["1"]["state"] == "accepted"
    assert phone.view.rows("note").keys() == {"n1"}
    server.put("wo:1", "work_order", "1", state="accepted")
    server.put("wo:1", "note", "n1", body="On my way")
    await phone.sync()
    assert phone.view.rows("work_order")["1"]["state"] == "accepted"
    assert phone.view.rows("note").keys() == {"n1"}


async def test_a_dropped_bucket_stays_while_something_pending_needs_it(
    phone: Device, server: FakeServer, weather: Weather
) -> None:
    server.put("wo:1", "work_order", "1", state="dispatched")
    await phone.sync()
    del server.buckets["wo:1"]
    phone.record("note.add", {"id": "n1", "wo": "1", "body": "Still here"})
    await phone.pull()
    assert phone.view.rows("work_order").keys() == {"1"}
    await phone.sync()
    assert phone.view.rows("work_order") == {}


async def test_used_parts_are_gone_from_the_van_at_once(phone: Device, server: FakeServer) -> None:
    server.put("van:1", "stock", "s1", location_id="1", part_id="p1", quantity=5)
    await phone.sync()
    phone.record("part.use", {"id": "m1", "wo": "1", "part": "p1", "quantity": 2})
    assert phone.view.rows("stock")["s1"]["quantity"] == 3


async def test_a_bucket_that_does_not_add_up_is_not_taken(
    phone: Device, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(server, 1)
    whole = server.bucket
    monkeypatch.setattr(server, "bucket", lambda key: [line for line in whole(key) if line.get("id") != "0-5"])
    with pytest.raises(ProtocolBroken, match=r"'n': 9.* here, .*'n': 10"):
        await phone.sync()
    assert phone.view.rows("note") == {}


async def test_a_note_with_an_exotic_line_separator_is_one_line(phone: Device, server: FakeServer) -> None:
    body = "one\u2028two\x85three"
    server.put("wo:1", "note", "n1", body=body)
    await phone.sync()
    assert phone.view.rows("note")["n1"]["body"] == body
