"""Hints: the server says that it is worth looking. They carry nothing; losing one costs only time."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from simulator.device.errors import ProtocolBroken
from simulator.device.line import Line
from simulator.device.store import Store, put_settings


@dataclass(frozen=True)
class Hint:
    """`why` is sync, job or arrival."""

    why: str
    subject: str


class Hints:
    def __init__(self, store: Store, line: Line) -> None:
        self._store, self._line = store, line

    async def listen(self) -> AsyncGenerator[Hint]:
        """Yield hints, those missed since the last one first, until the stream ends. Raises NoConnection."""
        last = self._store.setting("last_hint")
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        async with self._line.stream("GET", "/sync/events", headers=headers) as response:
            if not response.is_success:
                await response.aread()
                raise ProtocolBroken(f"hints refused with {response.status_code}: {response.text}")
            async for hint in self._read(response.aiter_lines()):
                yield hint

    async def _read(self, lines: AsyncIterator[str]) -> AsyncIterator[Hint]:
        event: dict[str, str] = {}
        async for line in lines:
            name, _, value = line.partition(":")
            if name:
                event[name] = value.removeprefix(" ")
            elif not line and "data" in event:
                with self._store.transaction() as db:
                    put_settings(db, last_hint=event.get("id"))
                said = json.loads(event["data"])
                yield Hint(said["h"], said["subject_id"])
            if not line:
                event = {}
