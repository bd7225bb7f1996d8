"""Open lines of one process: whoever listens has an inbox; whoever has something to say puts it in."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

MOST_UNREAD = 2_000  # who falls behind further is hung up on: they come back and resume from what they saw last

type Endpoint = str  # what an address is on a channel: a push token, or the person whose stream is open
type Inbox[T] = asyncio.Queue[T | None]  # None ends the line


class Lines[T]:
    """Inboxes by endpoint; several may listen at one.

    ready: set by whoever feeds the lines as soon as nothing that happens from then on will be missed.
    """

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self._inboxes: dict[Endpoint, set[Inbox[T]]] = {}

    def __bool__(self) -> bool:
        return bool(self._inboxes)

    @contextmanager
    def opened(self, endpoint: Endpoint) -> Iterator[Inbox[T]]:
        """An inbox that receives what is put for the endpoint for as long as the block lasts."""
        inbox: Inbox[T] = asyncio.Queue()
        self._inboxes.setdefault(endpoint, set()).add(inbox)
        try:
            yield inbox
        finally:
            self._forget(endpoint, inbox)

    def endpoints(self) -> list[Endpoint]:
        return list(self._inboxes)

    def put(self, endpoint: Endpoint, item: T) -> bool:
        """Put it into the endpoint's inboxes; answer whether there was any."""
        inboxes = tuple(self._inboxes.get(endpoint, ()))
        for inbox in inboxes:
            if inbox.qsize() < MOST_UNREAD:
                inbox.put_nowait(item)
            else:
                self._hang_up(endpoint, inbox)
        return bool(inboxes)

    def put_to_all(self, item: T) -> None:
        for endpoint in self.endpoints():
            self.put(endpoint, item)

    def close(self) -> None:
        """End every line; what was put before is still read."""
        for endpoint, inboxes in list(self._inboxes.items()):
            for inbox in tuple(inboxes):
                self._hang_up(endpoint, inbox)

    def _hang_up(self, endpoint: Endpoint, inbox: Inbox[T]) -> None:
        self._forget(endpoint, inbox)
        inbox.put_nowait(None)

    def _forget(self, endpoint: Endpoint, inbox: Inbox[T]) -> None:
        inboxes = self._inboxes.get(endpoint, set())
        inboxes.discard(inbox)
        if not inboxes:
            self._inboxes.pop(endpoint, None)
