"""The device's idea of time: a wall clock that may be wrong, and a monotonic one that can't be set by hand."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """`boot` names the period over which `mono` counts: milliseconds since that start."""

    @property
    def boot(self) -> str: ...

    def now(self) -> datetime: ...

    def mono(self) -> float: ...


class RealClock:
    """The clock of the machine this runs on."""

    def __init__(self, boot: str = "boot") -> None:
        self._boot = boot

    @property
    def boot(self) -> str:
        return self._boot

    def now(self) -> datetime:
        return datetime.now(UTC)

    def mono(self) -> float:
        return time.monotonic() * 1000
