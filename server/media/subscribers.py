"""A complete photo becomes small copies that can be shown."""

from procrastinate import App as JobApp

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.media import derivatives, queries
from server.media.tasks import IMAGES, MAKE_PICTURES


def subscribe(subscriptions: Subscriptions, jobs: JobApp) -> None:
    async def make_small_copies(uow: UnitOfWork, event: Event) -> None:
        found = await queries.blob(uow, event.payload["sha256"])
        if found is not None and derivatives.is_picture(found):
            await order_small_copies(uow, jobs, found.sha256)

    async def make_lost_copies_again(uow: UnitOfWork, event: Event) -> None:
        for sha256 in await queries.forget_pictures_with(uow, event.payload["sha256"]):
            await order_small_copies(uow, jobs, sha256)

    subscriptions.on("blob.ready", make_small_copies)
    subscriptions.on("blob.lost", make_lost_copies_again)


async def order_small_copies(uow: UnitOfWork, jobs: JobApp, sha256: str) -> None:
    assert uow.org is not None
    await uow.defer(jobs, MAKE_PICTURES, queue=IMAGES, org=uow.org, sha256=sha256)
