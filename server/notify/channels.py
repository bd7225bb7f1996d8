"""The port through which a hint reaches a phone, and the adapter for phones that hold a stream open."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from server.notify.domain import Delivery, Message

type Endpoint = str  # what an address is on the channel: a push token, or the person whose stream is open


class Channel(Protocol):
    """Carries hints. At most once is enough, at least once is fine: whatever is lost, the next pull brings."""

    name: str

    async def send(self, message: Message, endpoint: Endpoint) -> Delivery: ...


type Inbox = asyncio.Queue[Message]


class Streams:
    """Streams that are open in this process; an endpoint is a person's id."""

    name = "sse"

    def __init__(self) -> None:
        self._inboxes: dict[Endpoint, set[Inbox]] = {}

    @contextmanager
    def opened(self, endpoint: Endpoint) -> Iterator[Inbox]:
        """An inbox that receives what is sent to the endpoint for as long as the block lasts."""
        inbox: Inbox = asyncio.Queue()
        self._inboxes.setdefault(endpoint, set()).add(inbox)
        try:
            yield inbox
        finally:
            self._inboxes[endpoint].discard(inbox)
            if not self._inboxes[endpoint]:
                del self._inboxes[endpoint]

    async def send(self, message: Message, endpoint: Endpoint) -> Delivery:
        inboxes = self._inboxes.get(endpoint, set())
        for inbox in inboxes:
            inbox.put_nowait(message)
        return Delivery.DELIVERED if inboxes else Delivery.NOBODY_THERE
