"""What makes a report due: an order closed, a late signature, a late photo, content that changed after signing."""

from collections.abc import Iterable
from uuid import UUID

from procrastinate import App as JobApp

from server.confirmation import queries
from server.confirmation.staleness import supersede_what_changed
from server.confirmation.tasks import RENDER_REPORT
from server.core.db import UnitOfWork
from server.core.events import Event, Subscriptions


def subscribe(subscriptions: Subscriptions, jobs: JobApp) -> None:
    """Rendering takes long, so a subscriber only enqueues it, in the transaction that hears of the event."""

    async def render_report_of_order(uow: UnitOfWork, event: Event) -> None:
        await _render(uow, jobs, [event.subject_id])

    async def render_reports_with_photo(uow: UnitOfWork, event: Event) -> None:
        await _render(uow, jobs, await queries.reported_orders_with_photo(uow, event.payload["sha256"]))

    async def follow_changed_content(uow: UnitOfWork, event: Event) -> None:
        await supersede_what_changed(uow, event.subject_id, changed_by=event.actor_id)
        if await queries.newest_reports(uow, event.subject_id):
            await _render(uow, jobs, [event.subject_id])

    subscriptions.on("work_order.content_changed", follow_changed_content)
    subscriptions.on("work_order.closed", render_report_of_order)
    subscriptions.on("signature.kept", render_report_of_order)
    subscriptions.on("picture.made", render_reports_with_photo)


async def _render(uow: UnitOfWork, jobs: JobApp, work_orders: Iterable[UUID]) -> None:
    assert uow.org is not None
    for work_order in work_orders:
        await uow.defer(jobs, RENDER_REPORT, queue="reports", org=uow.org, work_order=work_order)
