"""What the stock does because something happened to an order. Every subscriber may run twice."""

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.inventory import reservations


def subscribe(subscriptions: Subscriptions) -> None:
    for over in ("work_order.closed", "work_order.cancelled"):
        subscriptions.on(over, release_promises)


async def release_promises(uow: UnitOfWork, event: Event) -> None:
    """Free what was promised to an order that needs nothing any more."""
    await reservations.release_all_of(uow, event.subject_id, f"The order is over ({event.name.split('.')[1]}).")
