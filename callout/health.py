"""Liveness without I/O, readiness with it, and metrics."""

from contextlib import suppress
from typing import Annotated, Literal

import psycopg
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from psycopg_pool import PoolTimeout
from starlette.responses import Response

from edge.problems import PUBLIC_PROBLEMS
from edge.services import ServicesOf
from server.core import relay
from server.core.wire import WireOut
from server.notify import endpoint_queries as push
from server.notify import queries as messages

router = APIRouter(tags=["health"])

type _Alive = Literal["ok"]


class LiveOut(WireOut):
    status: _Alive


class ReadyOut(WireOut):
    status: _Alive
    database: _Alive
    region: Annotated[str | None, "name of the road data; without it travel times are labelled estimates"]


@router.get("/livez")
async def livez() -> LiveOut:
    return LiveOut(status="ok")


@router.get("/readyz", responses={503: PUBLIC_PROBLEMS[503]})
async def readyz(services: ServicesOf) -> ReadyOut:
    async with services.database.unit_of_work() as uow:
        await uow.value("select version_num from alembic_version")
    return ReadyOut(status="ok", database="ok", region=services.region.name if services.region else None)


_RELAY_LAG = Gauge("callout_relay_lag_seconds", "how long the oldest event has been waiting for the worker")


_PUSH = {
    name: Gauge(f"callout_push_{name}", description, ["channel"])
    for name, description in {
        "sent": "hints taken by a channel, of all organisations",
        "failed": "attempts a channel did not take",
        "endpoints_gone": "endpoints forgotten because their service no longer knows them",
        "rate_per_second": "how fast the slowest of the channel's services is asked",
        "last_sent_timestamp_seconds": "when a channel last took a hint",
    }.items()
}
_HINTS_WAITING = Gauge("callout_hints_waiting", "hints that nobody has taken yet, also those for phones that are off")


async def _measure_push(services: ServicesOf) -> None:
    async with services.database.unit_of_work() as uow:
        _HINTS_WAITING.set(await messages.total_waiting(uow))
        for channel in await push.totals(uow):
            _PUSH["sent"].labels(channel.channel).set(channel.sent)
            _PUSH["failed"].labels(channel.channel).set(channel.failed)
            _PUSH["endpoints_gone"].labels(channel.channel).set(channel.endpoints_gone)
            if channel.rate_per_s is not None:
                _PUSH["rate_per_second"].labels(channel.channel).set(channel.rate_per_s)
            if channel.last_sent_at is not None:
                _PUSH["last_sent_timestamp_seconds"].labels(channel.channel).set(channel.last_sent_at.timestamp())


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(services: ServicesOf) -> Response:
    # What this process can tell must be told also while the database is away.
    with suppress(psycopg.OperationalError, PoolTimeout):
        _RELAY_LAG.set((await relay.lag(services.database)).total_seconds())
        await _measure_push(services)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
