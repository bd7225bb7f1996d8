from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from simulator.device import Device, RealClock
from simulator.faults import Fate, FaultyTransport
from tests.unit.simulator.fake_server import FakeServer

type Decide = Callable[[httpx.Request], Fate]


class Weather:
    """What happens to the coming requests, by path: each fate is used once, then the line is good again."""

    def __init__(self) -> None:
        self._coming: list[tuple[str, Fate]] = []
        self.passed: list[str] = []

    def next(self, path: str, *fates: Fate) -> None:
        self._coming += [(path, fate) for fate in fates]

    def __call__(self, request: httpx.Request) -> Fate:
        path = request.url.path
        for number, (waited_for, fate) in enumerate(self._coming):
            if path.endswith(waited_for):
                del self._coming[number]
                return fate
        self.passed.append(path)
        return Fate.PASS


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def weather() -> Weather:
    return Weather()


@pytest.fixture
async def http(server: FakeServer, weather: Weather) -> AsyncIterator[httpx.AsyncClient]:
    transport = FaultyTransport(httpx.ASGITransport(server.app), weather)
    async with httpx.AsyncClient(transport=transport, base_url="http://fake") as client:
        yield client


@pytest.fixture
def phone_at(http: httpx.AsyncClient) -> Iterator[Callable[[Path], Device]]:
    """Open the device in a folder; opening it again is what a restarted app does."""
    opened: list[Device] = []

    def open_device(folder: Path) -> Device:
        opened.append(Device(folder / "phone.db", http, RealClock(), Random(1), chunk=1000))
        return opened[-1]

    yield open_device
    for device in opened:
        device.close()


@pytest.fixture
async def phone(phone_at: Callable[[Path], Device], tmp_path: Path) -> Device:
    device = phone_at(tmp_path)
    await device.enrol("GOOD-CODE", "Wen's phone")
    return device
