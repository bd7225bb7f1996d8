"""The server's clock is measured, never assumed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic

import httpx
import pytest

from simulator.clock import DayClock, PhoneClock, ServerClock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def hello_of(clock: Callable[[], datetime]) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _request: httpx.Response(200, json={"server_time": clock().isoformat()}))


@pytest.mark.parametrize("speed", [1, 30, 600])
async def test_the_rate_of_the_server_is_found(speed: int) -> None:
    began = monotonic()

    def clock() -> datetime:
        return NOON + timedelta(seconds=(monotonic() - began) * speed)

    async with httpx.AsyncClient(transport=hello_of(clock), base_url="http://fake") as http:
        server = ServerClock(http)
        await server.measure(pause_s=0.2)
    assert server.rate == pytest.approx(speed, rel=0.15)
    assert abs(server.now() - clock()) < timedelta(seconds=0.05 * speed)


async def test_a_phone_is_a_little_off_and_always_by_the_same() -> None:
    async with httpx.AsyncClient(transport=hello_of(lambda: datetime.now(UTC)), base_url="http://fake") as http:
        server = ServerClock(http)
        await server.measure(pause_s=0.1)
    phone = PhoneClock(server, DayClock(600), Random(3))
    skews = [phone.now() - server.now() for _ in range(3)]
    assert timedelta(milliseconds=1) < abs(skews[0]) < timedelta(seconds=15)
    assert abs(skews[2] - skews[0]) < timedelta(milliseconds=50)
    assert phone.lasting(600) == timedelta(seconds=1), "a crowded day on a server in real time"
