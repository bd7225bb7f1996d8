"""A channel that remembers what it carried; people in `away` are not reached."""

from datetime import timedelta

from server.notify.domain import DELIVERED, NOBODY_THERE, Message, Outcome
from server.notify.lines import Endpoint


class RecordingChannel:
    name = "recording"

    def __init__(self) -> None:
        self.sent: list[tuple[Endpoint, dict[str, str]]] = []
        self.away: set[Endpoint] = set()

    async def send(self, message: Message, to: Endpoint, lifetime: timedelta) -> Outcome:
        del lifetime
        if to in self.away:
            return NOBODY_THERE
        self.sent.append((to, message.payload))
        return DELIVERED
