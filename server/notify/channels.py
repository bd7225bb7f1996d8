"""The port through which a hint reaches a phone, and the adapter for phones that hold a stream open."""

from typing import Protocol

from server.notify.domain import Delivery, Message
from server.notify.lines import Endpoint, Lines


class Channel(Protocol):
    """Carries hints. At most once is enough, at least once is fine: whatever is lost, the next pull brings."""

    name: str

    async def send(self, message: Message, endpoint: Endpoint) -> Delivery: ...


class Streams:
    """Streams that are open in this process; an endpoint is a person's id."""

    name = "sse"

    def __init__(self, lines: Lines[Message]) -> None:
        self._lines = lines

    async def send(self, message: Message, endpoint: Endpoint) -> Delivery:
        return Delivery.DELIVERED if self._lines.put(endpoint, message) else Delivery.NOBODY_THERE
