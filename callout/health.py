"""Liveness without I/O, readiness with it, and metrics."""

from typing import Annotated, Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from edge.problems import PUBLIC_PROBLEMS
from edge.services import ServicesOf
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


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
