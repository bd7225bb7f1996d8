"""The composition root: everything is built here, once, and handed down."""

import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

import mobile_api
import web_api
from callout import database, health
from callout.files import blob_store, file_rules
from callout.pushing import push_offer
from callout.settings import Settings, load
from callout.travelling import regions_of, travel_of
from callout.wiring import registry
from edge import problems
from edge.auth import Permitted
from edge.limits import BodyLimit
from edge.observing import Observing
from edge.services import Services
from server.confirmation.sealing import Authority, Sealer
from server.confirmation.seals import SealKeys
from server.core import logging
from server.core.clock import SystemClock
from server.core.db import Database
from server.core.jobs import job_app
from server.identity.tokens import Tokens
from server.sync import windows

VERSION = "0.1.0"

# Everything only from here; photos are fetched with a token and shown as blobs.
_CSP = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self'; style-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'"
)


def build(settings: Settings) -> FastAPI:
    """Assemble the application. Raises at once when a route declares nothing about who may call it."""
    services = assemble(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await services.database.open()
        async with services.jobs.open_async():
            yield
        await services.database.close()

    app = bare_app(settings.max_body_bytes)
    app.router.lifespan_context = lifespan
    app.state.services = services
    if settings.web_dir.is_dir():
        app.mount("/", Pages(directory=settings.web_dir, html=True), name="pages")
    return app


def bare_app(max_body_bytes: int = 4_000_000) -> FastAPI:
    """The routes without anything behind them: what the OpenAPI document is made from."""
    app = FastAPI(
        title="Callout",
        version=VERSION,
        summary="Field-service backend with offline sync",
        openapi_url="/openapi.json",
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        separate_input_output_schemas=False,
    )
    problems.install(app)
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    app.add_middleware(Observing)
    app.include_router(health.router)
    # Routes are tried in order, and phones ask most often.
    for router in (*mobile_api.ROUTERS, *web_api.ROUTERS):
        app.include_router(router)
    _describe_problems(app)
    refuse_undeclared_routes(app)
    return app


def assemble(settings: Settings) -> Services:
    url = database.runtime_url(settings)
    regions = regions_of(settings)
    travel = travel_of(settings, regions)
    return Services(
        database=Database(
            url,
            settings.business_clock,
            max_size=settings.pool_size,
            prepare=not settings.behind_pgbouncer,
            # A restored server cuts every connection, so the first new one notices.
            greeting="select sync_notice_restore()",
        ),
        jobs=job_app(url, prepare=not settings.behind_pgbouncer),
        tokens=Tokens(settings.signing_secret),
        wall_clock=SystemClock(),
        travel=travel,
        regions=regions,
        blobs=blob_store(settings),
        files=file_rules(settings),
        registry=registry(travel),
        sealer=sealer(settings),
        app_windows=settings.app_windows,
        push=push_offer(settings),
    )


def sealer(settings: Settings) -> Sealer:
    """Answer what seals reports, with a time-stamp authority if one is named."""
    keys = SealKeys(settings.seal_dir or settings.state_dir / "secrets" / "seals")
    authority = None
    if settings.tsa_url and settings.tsa_certificates:
        authority = Authority.over_http(settings.tsa_url, settings.tsa_certificates.read_bytes())
    return Sealer(keys, SystemClock(), authority)


async def announce_windows(settings: Settings) -> None:
    """Promise phones the dates from which old apps are refused. Raises AppWindowTooSoon for a date without notice."""
    opened = Database(database.runtime_url(settings), settings.business_clock, max_size=1)
    await opened.open()
    try:
        async with opened.unit_of_work() as uow:
            await windows.announce(uow, settings.app_windows)
    finally:
        await opened.close()


# Routes that need no sign-in, each for a reason.
PUBLIC = {
    "livez": "a load balancer asks",
    "readyz": "a load balancer asks",
    "metrics": "scraped inside the private network",
    "login": "how one signs in",
    "refresh": "the refresh token is the credential",
    "logout": "the refresh token is the credential",
    "refresh_device": "the refresh token is the credential",
    "enrol_device": "the enrolment code is the credential",
    "hello": "what a phone must know before it can sign in",
    "submit_request": "customers report faults without an account",
    "verify_report": "whoever holds the paper may check it",
    "map_style": "public map data",
    "basemap": "public map data",
    "upload_capabilities": "tus asks before anything else; it says nothing about anybody",
}


def refuse_undeclared_routes(app: FastAPI) -> None:
    """Fail at start when a route neither requires an actor nor stands in PUBLIC."""
    # `app.routes` holds included routers whole; only this sees into them.
    for route in (found.original_route for found in iter_route_contexts(app.routes)):
        if isinstance(route, APIRoute) and route.name not in PUBLIC:
            calls = [dependency.call for dependency in route.dependant.dependencies]
            if not any(isinstance(call, Permitted) for call in calls):
                message = f"{route.name} ({route.path}) does not say who may call it: use permitted(...)"
                raise RuntimeError(message)


def _describe_problems(app: FastAPI) -> None:
    """Add the problem shape that every documented error refers to."""
    plain = app.openapi

    def described() -> dict[str, object]:
        fresh = app.openapi_schema is None
        document = plain()
        if fresh:
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["ProblemOut"] = problems.ProblemOut.model_json_schema()
        return document

    app.openapi = described  # type: ignore[method-assign]


# Whoever asks for these is a program: a page would only confuse it.
_PROGRAMS = ("api/", "mobile/", "portal/v1/")


class Pages(StaticFiles):
    """The built web app: unknown paths answer its first page, hashed assets stay in caches."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as missing:
            if missing.status_code != 404 or Path(path).suffix or path.startswith(_PROGRAMS):  # noqa: PLR2004
                raise
            response = await super().get_response("index.html", scope)
        fixed = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fixed else "no-cache"
        response.headers["Content-Security-Policy"] = _CSP
        return response


mimetypes.add_type("text/javascript", ".js")


def create_app() -> FastAPI:
    """Entry for uvicorn (`callout.asgi:create_app` as a factory)."""
    settings = load()
    logging.configure(settings.log_level)
    return build(settings)
