"""The background process: relays events, runs jobs, keeps the queue tidy."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import procrastinate

from callout.asgi import assemble
from callout.pushing import push_channels
from callout.settings import Settings
from callout.wiring import subscriptions
from edge.services import Services
from server.audit import tasks as audit
from server.audit.sealing import seal_forever
from server.confirmation import tasks as reports
from server.core import limits, relay
from server.core.events import Subscriptions
from server.core.jobs import RETRY
from server.core.logging import logger
from server.dispatch.learning import tasks as learning
from server.dispatch.live_day import tasks as live_day
from server.dispatch.planning import service as planning_service
from server.dispatch.planning import tasks as planning
from server.dispatch.rules import tasks as rules
from server.geo import tasks as geo
from server.geo.learning import tasks as travel_learning
from server.media import tasks as files
from server.notify import tasks as notify
from server.notify.courier import Courier
from server.sync import fleet
from server.sync import tasks as sync
from server.workorders import tasks as workorders

log = logger(__name__)

_KEEP_FINISHED_HOURS = 24
_STALLED_AFTER_S = 60
_AWAY_PAUSE_S = 1.0


def install_tasks(services: Services, subscribed: Subscriptions, own_url: str) -> procrastinate.App:
    """Give the queue everything it can be asked to do."""
    jobs = services.jobs
    relay.install(jobs, services.database, subscribed)
    files.install(jobs, services.database, services.blobs, services.files)
    workorders.install(jobs, services.database)
    rules.install(jobs, services.database, services.travel)
    sync.install(jobs, services.database, services.registry)
    geo.install(jobs, services.database)
    learning.install(jobs, services.database)
    travel_learning.install(jobs, services.database, services.regions.now)
    planning.install(jobs, services.database, services.travel)
    live_day.install(jobs, services.database, services.travel)
    notify.install(jobs, services.database)
    reports.install(
        jobs, services.database, services.blobs, services.sealer, verify_base=f"{own_url}/portal/v1/verify/"
    )

    @jobs.periodic(cron="* * * * *")
    @jobs.task(name="core.retry_stalled_jobs", queueing_lock="retry_stalled_jobs", pass_context=True)
    async def retry_stalled_jobs(context: procrastinate.JobContext, timestamp: int = 0) -> None:
        # A job of a worker that died is taken up again: every task is safe to run twice.
        del context, timestamp
        for job in await jobs.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER_S):
            await jobs.job_manager.retry_job(job)

    @jobs.periodic(cron="17 * * * *")
    @jobs.task(name="core.forget_finished_jobs", queueing_lock="forget_finished_jobs", retry=RETRY)
    async def forget_finished_jobs(timestamp: int = 0) -> None:
        del timestamp
        await jobs.job_manager.delete_old_jobs(_KEEP_FINISHED_HOURS)

    @jobs.periodic(cron="*/5 * * * *")
    @jobs.task(name="sync.watch_devices", queueing_lock="watch_devices", retry=RETRY)
    async def watch_devices(timestamp: int = 0) -> None:
        # A phone that lies in a drawer with unsent work says nothing: somebody has to look.
        del timestamp
        await fleet.watch_all(services.database)

    @jobs.periodic(cron="41 * * * *")
    @jobs.task(name="core.forget_idle_limits", queueing_lock="forget_idle_limits", retry=RETRY)
    async def forget_idle_limits(timestamp: int = 0) -> None:
        del timestamp
        async with services.database.unit_of_work() as uow:
            await limits.forget_idle(uow, services.wall_clock.now())

    return jobs


async def work(settings: Settings) -> None:
    """Run until cancelled or told to stop; jobs under way are finished first."""
    services = assemble(settings)
    subscribed = subscriptions(services)
    jobs = install_tasks(services, subscribed, settings.own_url)
    audit.install(jobs, services.database, services.sealer, folder=settings.anchors_dir)
    courier = Courier(services.database, push_channels(settings, services.wall_clock))
    await services.database.open()
    async with jobs.open_async():
        # Pictures and plans are made one at a time, beside everything else: they hold up no event.
        heavy = [files.IMAGES, planning_service.QUEUE]
        others = sorted({task.queue for task in jobs.tasks.values()} - set(heavy))
        parts = [
            asyncio.create_task(relay.relay_forever(services.database, jobs, subscribed)),
            asyncio.create_task(seal_forever(services.database)),
            asyncio.create_task(courier.run()),
            asyncio.create_task(_run_jobs(jobs, queues=others, concurrency=4)),
            *(asyncio.create_task(_run_jobs(jobs, queues=[queue], concurrency=1)) for queue in heavy),
        ]
        log.info("worker ready")
        try:
            await _until_told(parts)
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
    await services.database.close()


async def _until_told(parts: Sequence[asyncio.Task[None]]) -> None:
    """Return at SIGTERM or SIGINT. Half a worker is worse than none, which is noticed: one part's failure is raised."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    asked = asyncio.create_task(told.wait())
    ended, _ = await asyncio.wait([asked, *parts], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    for task in ended:
        task.result()


async def _run_jobs(jobs: procrastinate.App, **how: Any) -> None:
    """For ever, until cancelled: jobs under way are finished then.

    A database that goes away ends the queue's own loop, with an exception or without. It is begun anew.
    """
    while True:
        with suppress(procrastinate.exceptions.ConnectorException):
            await jobs.run_worker_async(
                **how, shutdown_graceful_timeout=10, install_signal_handlers=False, delete_jobs="successful"
            )
        log.warning("queue waits for the database", queues=how["queues"])
        await asyncio.sleep(_AWAY_PAUSE_S)
