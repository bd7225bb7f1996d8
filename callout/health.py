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


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(services: ServicesOf) -> Response:
    # What this process can tell must be told also while the database is away.
    with suppress(psycopg.OperationalError, PoolTimeout):
        _RELAY_LAG.set((await relay.lag(services.database)).total_seconds())
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
