"""The port through which a hint reaches a phone, and the adapter for phones that hold a stream open."""

from datetime import timedelta
from typing import Protocol

from server.notify.domain import DELIVERED, NOBODY_THERE, Message, Outcome, PushEndpoint
from server.notify.lines import Endpoint, Lines


class Channel[To](Protocol):
    """Carries hints to one kind of endpoint. At least once is enough: whatever is lost, the next pull brings."""

    name: str

    async def send(self, message: Message, to: To, lifetime: timedelta) -> Outcome:
        """Try once. Whatever goes wrong outside is an outcome, and one comes within seconds.

        lifetime: for how long whoever carries it should keep it for a phone that is off.
        """
        ...


class PushChannel(Channel[PushEndpoint], Protocol):
    """A channel to services of others."""

    def service_of(self, to: PushEndpoint) -> str:
        """Answer who carries it: a service that complains slows down only what goes through it."""
        ...

    async def aclose(self) -> None: ...


class Streams:
    """Streams that are open in this process; an endpoint is a person's id."""

    name = "sse"

    def __init__(self, lines: Lines[Message]) -> None:
        self._lines = lines

    async def send(self, message: Message, to: Endpoint, lifetime: timedelta) -> Outcome:
        del lifetime  # nothing is kept: what is not taken now goes on waiting
        return DELIVERED if self._lines.put(to, message) else NOBODY_THERE
