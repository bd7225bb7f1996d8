"""What follows when somebody sets out. May run twice."""

from uuid import UUID

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.dispatch.travel_accuracy import service
from server.geo.travel import Travel


def subscribe(subscriptions: Subscriptions, travel: Travel) -> None:
    async def predict_drive(uow: UnitOfWork, event: Event) -> None:
        if event.payload["visit_id"] is not None:
            await service.predict(uow, travel, UUID(event.payload["visit_id"]))

    subscriptions.on("visit.travelling", predict_drive)
