"""Hints make a phone look sooner; none is told twice, and those missed without signal are told later."""

from simulator.device import Device
from tests.unit.simulator.fake_server import FakeServer


async def told(phone: Device) -> list[tuple[str, str]]:
    return [(hint.why, hint.subject) async for hint in phone.hints.listen()]


async def test_hints_are_told_once_and_missed_ones_later(phone: Device, server: FakeServer) -> None:
    assert await told(phone) == []
    server.hints = [{"h": "job", "subject_id": "wo-1"}, {"h": "arrival", "subject_id": "v-1"}]
    assert await told(phone) == [("job", "wo-1"), ("arrival", "v-1")]
    server.hints.append({"h": "sync", "subject_id": "wo-2"})
    assert await told(phone) == [("sync", "wo-2")]


async def test_a_stale_token_is_no_reason_to_stop_listening(phone: Device, server: FakeServer) -> None:
    server.hints = [{"h": "sync", "subject_id": "wo-1"}]
    server.access = "a newer one"
    assert await told(phone) == [("sync", "wo-1")]
