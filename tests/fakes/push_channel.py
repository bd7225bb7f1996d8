"""A push channel that remembers what it carried and answers as it is told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from server.notify.domain import DELIVERED, Message, Outcome, PushEndpoint


@dataclass
class RecordingPush:
    """`answers` holds what happens at an address; every other takes what it is sent. `meanwhile` runs while sending."""

    name: str
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lifetimes: list[timedelta] = field(default_factory=list)
    answers: dict[str, Outcome] = field(default_factory=dict)
    meanwhile: Callable[[], Awaitable[None]] | None = None
    closed: bool = False

    def service_of(self, to: PushEndpoint) -> str:
        del to
        return self.name

    async def send(self, message: Message, to: PushEndpoint, lifetime: timedelta) -> Outcome:
        if self.meanwhile is not None:
            await self.meanwhile()
        outcome = self.answers.get(to.address, DELIVERED)
        if outcome is DELIVERED:
            self.sent.append((to.address, message.payload))
            self.lifetimes.append(lifetime)
        return outcome

    async def aclose(self) -> None:
        self.closed = True
