"""A device that is cut off is not reached any more. Every subscriber may run twice."""

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.notify import endpoint_queries


def subscribe(subscriptions: Subscriptions) -> None:
    subscriptions.on("device.revoked", forget_device)
    subscriptions.on("person.deactivated", forget_person)


async def forget_device(uow: UnitOfWork, event: Event) -> None:
    await endpoint_queries.forget_device(uow, event.subject_id)


async def forget_person(uow: UnitOfWork, event: Event) -> None:
    await endpoint_queries.forget_person(uow, event.subject_id)
