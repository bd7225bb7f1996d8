"""What the running day does because of what happened. Every subscriber may run twice."""

from uuid import UUID

from procrastinate import App as JobApp

from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions
from server.dispatch.live_day import disruptions, repairing


def subscribe(subscriptions: Subscriptions, jobs: JobApp) -> None:
    async def notice_cancellation(uow: UnitOfWork, event: Event) -> None:
        if visit := event.payload.get("visit_id"):
            await disruptions.note_cancellation(uow, jobs, UUID(visit))

    async def decide_repair(uow: UnitOfWork, event: Event) -> None:
        await repairing.on_ready(uow, jobs, event.subject_id)

    async def settle_disruptions(uow: UnitOfWork, event: Event) -> None:
        await repairing.on_over(uow, event.subject_id)

    subscriptions.on("work_order.cancelled", notice_cancellation)
    subscriptions.on("plan.ready", decide_repair)
    for over in ("plan.done", "plan.failed"):
        subscriptions.on(over, settle_disruptions)
