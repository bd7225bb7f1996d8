"""The sync endpoint. The contract is docs/sync-protocol.md; nothing here may change but by addition."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field, StringConstraints, model_validator
from starlette.responses import Response

from edge.auth import Work, enrolled_device, identified_device
from edge.compression import AcceptEncoding, compressed
from edge.problems import PROBLEMS, PUBLIC_PROBLEMS
from edge.services import ServicesOf
from mobile_api.rescue import KeepsRefused
from server.core.wire import Id, Instant, WireIn, WireOut, refuse_hostile_values
from server.identity.domain import Actor
from server.media.domain import MAX_BLOB_BYTES
from server.sync import pull as pulling
from server.sync import push as pushing
from server.sync import queries, snapshots
from server.sync import verify as verifying
from server.sync.domain import Cookie
from server.sync.envelope import Batch, DeviceClock, read
from server.sync.errors import StreamNotYours, UpgradeRequired
from server.sync.windows import check_app, window_of

router = APIRouter(prefix="/mobile/v1", tags=["sync"])
push_router = APIRouter(prefix="/mobile/v1", tags=["sync"], route_class=KeepsRefused)

PROTOCOL = 1

type HashInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_COOKIE = re.compile(r"^[0-9]{1,15}:[0-9]{1,15}$")


class Range(WireOut):
    min: int
    max: int


class AppWindow(WireOut):
    min_version: str
    soft_from: datetime | None
    hard_from: datetime | None


class Limits(WireOut):
    max_mutations: int
    max_body_bytes: int
    max_blob_bytes: int


class HelloOut(WireOut):
    protocol: Range
    app: AppWindow
    limits: Limits
    server_time: datetime
    epoch: int
    features: list[str]


class ClockIn(WireIn):
    now: Instant
    mono: Annotated[float, Field(ge=0)] | None = None
    boot: Annotated[str, StringConstraints(max_length=100)] | None = None


class PushIn(WireIn):
    protocol: int
    device: Id
    stream: Id
    schema_version: Annotated[int, Field(alias="schema", ge=0, lt=2**31)] = 0
    app: Annotated[str, StringConstraints(max_length=100)] = ""
    clock: ClockIn
    acked: Annotated[int, Field(ge=0, lt=2**53)] = 0
    mutations: Annotated[list[dict[str, Any]], Field(max_length=pushing.MAX_MUTATIONS)]

    @model_validator(mode="before")
    @classmethod
    def _refuse_hostile_values(cls, data: Any) -> Any:
        # Mutations are looked at one by one: a bad one is quarantined and must not hold up the batch.
        if isinstance(data, dict):
            refuse_hostile_values({name: value for name, value in data.items() if name != "mutations"})
        return data


class PushOut(WireOut):
    last_seq: int
    durable_seq: int
    epoch: int
    server_time: datetime
    results: list[dict[str, Any]]


class PullIn(WireIn):
    device: Id
    stream: Id
    cookie: Annotated[str, StringConstraints(pattern=_COOKIE)] | None = None
    schema_version: Annotated[int, Field(alias="schema", ge=0, lt=2**31)] = 0
    want: Annotated[list[Literal["core", "catalog"]], Field(max_length=2)] = []
    accept: Annotated[list[Literal["snapshots"]], Field(max_length=1)] = []
    max_bytes: Annotated[int, Field(ge=10_000, le=10_000_000)] = pulling.DEFAULT_BYTES


class ClaimIn(WireIn):
    """What the device holds of a bucket: its version, its number of rows, and their checksum as in `check`."""

    v: Annotated[int, Field(ge=0, lt=2**63)]
    n: Annotated[int, Field(ge=0, lt=2**31)]
    h: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class VerifyIn(WireIn):
    device: Id
    cookie: Annotated[str, StringConstraints(pattern=_COOKIE)]
    buckets: Annotated[dict[Annotated[str, StringConstraints(max_length=100)], ClaimIn], Field(max_length=10_000)]


class VerifyOut(WireOut):
    """`reset` differ and will come anew with the next pull, asked with `cookie`; null: the cookie was unknown."""

    compared: int
    reset: list[str]
    cookie: str | None


@router.get("/sync/hello", responses=PUBLIC_PROBLEMS)
async def hello(
    services: ServicesOf,
    platform: Annotated[str, Query(max_length=100, description="the part of `app` before the slash")] = "",
) -> HelloOut:
    """What a phone must know before it speaks: versions, limits, the server's time.

    `app`: versions below `min_version` are asked to update from `soft_from` and refused from `hard_from` on.
    """
    async with services.database.unit_of_work() as uow:
        epoch = await queries.epoch(uow)
    return HelloOut(
        protocol=Range(min=PROTOCOL, max=PROTOCOL),
        app=AppWindow.model_validate(window_of(services.app_windows, platform)),
        limits=Limits(max_mutations=pushing.MAX_MUTATIONS, max_body_bytes=4_000_000, max_blob_bytes=MAX_BLOB_BYTES),
        server_time=services.database.clock.now(),
        epoch=epoch,
        features=["push", "pull", "blobs", "positions", "events", "rescue", "review", "health"],
    )


@push_router.post("/sync/push", responses={**PROBLEMS, 410: PROBLEMS[409], 426: PROBLEMS[409]})
async def push(body: PushIn, actor: Annotated[Actor, identified_device()], services: ServicesOf) -> PushOut:
    """Take in an ordered batch; every mutation is acknowledged with what became of it."""
    if body.protocol != PROTOCOL:
        raise UpgradeRequired
    check_app(services.app_windows, body.app, services.database.clock.now())
    batch = Batch(
        device=body.device,
        stream=body.stream,
        acked=body.acked,
        clock=DeviceClock(body.clock.now, body.clock.mono, body.clock.boot),
        received_at=services.database.clock.now(),
        mutations=[read(raw, index) for index, raw in enumerate(body.mutations)],
    )
    receipt = await pushing.push(services.database, services.registry, actor, batch)
    return PushOut(
        last_seq=receipt.last_seq,
        durable_seq=receipt.durable_seq,
        epoch=receipt.epoch,
        server_time=services.database.clock.now(),
        results=list(receipt.results),
    )


@router.post(
    "/sync/pull",
    response_class=Response,
    responses={**PROBLEMS, 200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
)
async def pull(
    body: PullIn,
    actor: Annotated[Actor, identified_device()],
    services: ServicesOf,
    accept_encoding: AcceptEncoding = "",
) -> Response:
    """Hand out what changed for this person since the cookie, as NDJSON."""
    ask = pulling.Ask(
        device=actor_device(actor, body.device),
        stream=body.stream,
        cookie=Cookie.read(body.cookie) if body.cookie else None,
        max_bytes=body.max_bytes,
        want=frozenset(body.want),
        snapshots="snapshots" in body.accept,
    )
    patch = await pulling.pull(services.database, services.registry, actor, ask)
    return compressed(patch, accept_encoding, "application/x-ndjson")


@router.post("/sync/verify", responses=PROBLEMS)
async def verify(body: VerifyIn, actor: Annotated[Actor, identified_device()], services: ServicesOf) -> VerifyOut:
    """Compare what the device holds with what it should, weekly and after an update of the app."""
    found = await verifying.verify(
        services.database,
        actor,
        actor_device(actor, body.device),
        Cookie.read(body.cookie),
        {key: verifying.Claim(claim.v, claim.n, claim.h) for key, claim in body.buckets.items()},
    )
    return VerifyOut(compared=found.compared, reset=found.reset, cookie=str(found.cookie) if found.cookie else None)


@router.get(
    "/sync/snapshots/{sha256}.ndjson.zst",
    response_class=Response,
    responses={**PROBLEMS, 200: {"content": {"application/zstd": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def snapshot(sha256: HashInPath, work: Annotated[Work, enrolled_device()]) -> Response:
    """The `put` lines of a large bucket at one version, as `mode: snapshot` announced it. Never changes."""
    content = await snapshots.content(work.uow, work.actor, sha256)
    # The file is compressed by itself: it must not be taken for a transfer encoding.
    return Response(
        content, media_type="application/zstd", headers={"Cache-Control": "private, max-age=31536000, immutable"}
    )


def actor_device(actor: Actor, claimed: Id) -> Id:
    """The device a token was issued to; another one's name in the body is refused."""
    if actor.device != claimed:
        raise StreamNotYours
    return claimed
