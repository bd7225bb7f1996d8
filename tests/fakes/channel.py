"""A channel that remembers what it carried; people in `away` are not reached."""

from server.notify.domain import Delivery, Message
from server.notify.lines import Endpoint


class RecordingChannel:
    name = "recording"

    def __init__(self) -> None:
        self.sent: list[tuple[Endpoint, dict[str, str]]] = []
        self.away: set[Endpoint] = set()

    async def send(self, message: Message, endpoint: Endpoint) -> Delivery:
        if endpoint in self.away:
            return Delivery.NOBODY_THERE
        self.sent.append((endpoint, message.payload))
        return Delivery.DELIVERED
