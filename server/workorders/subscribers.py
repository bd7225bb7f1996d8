"""Photos follow their files, and what a lost copy costs is made again."""

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.workorders import pictures


async def follow_file(uow: UnitOfWork, event: Event) -> None:
    await pictures.follow(uow, event.payload["sha256"])


def subscribe(subscriptions: Subscriptions) -> None:
    for name in ("blob.ready", "blob.lost", "picture.made"):
        subscriptions.on(name, follow_file)
