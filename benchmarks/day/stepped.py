"""The API or the worker by a clock that a file holds: `python -m benchmarks.day.stepped serve FILE`.

Whoever measures moves the clock; between two moves it stands still, however long the work of that moment takes.
"""

import asyncio
import mmap
import sys
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import uvicorn

from callout.asgi import build
from callout.settings import Settings
from callout.worker import work
from server.core import logging
from server.core.clock import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BYTES = 8


class FileClock:
    """Microseconds since 1970, shared by every process that maps the file."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(_BYTES))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _BYTES)

    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=int.from_bytes(self._shared[:], "little"))

    def move(self, to: datetime) -> None:
        self._shared[:] = ((to - _EPOCH) // timedelta(microseconds=1)).to_bytes(_BYTES, "little")


class _Settings(Settings):
    clock_file: Path

    @cached_property
    def business_clock(self) -> Clock:
        return FileClock(self.clock_file)


def main() -> None:
    what, file = sys.argv[1:]
    settings = _Settings(clock_file=Path(file))
    logging.configure(settings.log_level)
    if what == "serve":
        uvicorn.run(build(settings), host=settings.host, port=settings.port, log_config=None)
    else:
        asyncio.run(work(settings))


if __name__ == "__main__":
    main()
