"""Files over bad networks, in the wire format of tus 1.0: announce, ask for the offset, send from there.

Headers are judged before a body byte is read, and no transaction is open while bytes arrive.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field, StringConstraints, ValidationError
from starlette.requests import ClientDisconnect

from edge.auth import Work, enrolled_device, identified_device, rescuing_device
from edge.files import stored_file
from edge.problems import PROBLEMS, STATUS
from edge.services import Services, ServicesOf
from mobile_api import tus
from server.core.wire import Sha256, WireIn, WireOut
from server.identity.domain import Actor, Rescuer
from server.media import service as media
from server.media import uploads
from server.media.domain import CHUNK_HINT_BYTES, Announcement, Blob, BlobKey, BlobState, Chunk, Purpose, Size
from server.media.errors import ChunkDiffers, HashDiffers, OffsetDiffers, UploadCutOff, UploadPreempted
from server.sync import rescue
from server.workorders import pictures

type Mime = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z]+/[a-z0-9.+-]+$")]
type HashInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
type Length = Annotated[int | None, Header(ge=0, lt=2**63, include_in_schema=False)]


class AnnounceBlob(WireIn):
    sha256: Sha256
    size: Annotated[int, Field(ge=1, lt=2**63)]
    mime: Mime
    purpose: Purpose


class BlobOut(WireOut):
    """Where a file stands; `offset` is the next byte to send to `location`, `chunk_hint` how many at a time."""

    state: BlobState
    location: str
    offset: int
    chunk_hint: int


def _described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Statuses of tus that other routes don't have."""
    named = {
        412: "Tus-Resumable is not 1.0.0",
        415: "Not a chunk",
        460: "The bytes differ from their checksum, and Upload-Offset says where to go on",
    }
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    return {status: {"description": named[status], "content": content} for status in statuses}


def _two_ways() -> dict[str, Any]:
    """One address for both: a file announced as JSON, or created as tus does it, by headers and perhaps first bytes."""
    shape = AnnounceBlob.model_json_schema()
    parts = shape.pop("$defs")  # a body that FastAPI doesn't read has no components: what they say is put in place
    for name, said in shape["properties"].items():
        if (part := said.get("$ref")) is not None:
            shape["properties"][name] = parts[part.rpartition("/")[2]]
    binary = {"type": "string", "format": "binary"}
    return {"requestBody": {"content": {"application/json": {"schema": shape}, tus.CHUNK_TYPE: {"schema": binary}}}}


router = APIRouter(prefix="/mobile/v1/blobs", tags=["files"], responses=PROBLEMS)

# The same for a device that may do nothing else any more: files of what it handed in, and nothing is read there.
rescue_router = APIRouter(prefix="/mobile/v1/sync/rescue/blobs", tags=["rescue"], responses=PROBLEMS)


@router.options("", status_code=204, response_class=Response)
async def upload_capabilities() -> Response:
    """Say what of tus is spoken here."""
    return Response(status_code=204, headers=dict(tus.CAPABILITIES))


@router.post(
    "",
    response_model=BlobOut,
    responses={201: {"model": BlobOut}, **_described(412, 415, 460)},
    openapi_extra=_two_ways(),
)
async def announce_blob(
    request: Request,
    actor: Annotated[Actor, identified_device()],
    services: ServicesOf,
    tus_resumable: tus.TusResumable = "",
    upload_length: Annotated[int | None, Header(ge=1, lt=2**63, description="instead of a JSON body")] = None,
    upload_metadata: Annotated[str, Header(max_length=4000, description="sha256, filetype, purpose")] = "",
    upload_checksum: tus.UploadChecksum = "",
    content_type: Annotated[str, Header(max_length=200, include_in_schema=False)] = "",
    content_length: Length = None,
) -> Response:
    """Say which file will come. 200: it is complete here; 201: send it, from `offset`.

    With Upload-Length this is a creation of tus, whose body may hold the first bytes; it always answers 201.
    """
    if upload_length is None:
        wanted = _announcement(AnnounceBlob.model_validate_json, await request.body())
        found = await media.announce(services.database, services.blobs, services.files, actor, wanted)
        return _announced(found, 201 if found.state is BlobState.PENDING else 200)
    if (refused := tus.refuse_version(tus_resumable)) is not None:
        return refused
    said = tus.metadata_of(upload_metadata)
    wanted = _announcement(
        AnnounceBlob.model_validate,
        {
            "sha256": said.get("sha256"),
            "size": upload_length,
            "mime": said.get("filetype", "application/octet-stream"),
            "purpose": said.get("purpose", "photo"),
        },
    )
    chunk = Chunk(0, content_length, tus.checksum_of(upload_checksum))
    found = await media.announce(services.database, services.blobs, services.files, actor, wanted)
    # Bytes are taken only where the file begins: who announces a known one again is told where to go on.
    if content_type != tus.CHUNK_TYPE or found.received or found.state is BlobState.READY:
        return _announced(found, 201)
    return await _take(request, services, actor, found.sha256, chunk, created=found)


@router.head(
    "/{sha256}",
    response_class=Response,
    responses={200: {"description": "Upload-Offset, Upload-Length and Upload-Expires"}, **_described(412)},
)
async def blob_offset(
    sha256: HashInPath, work: Annotated[Work, enrolled_device()], tus_resumable: tus.TusResumable = ""
) -> Response:
    """Answer how much of a file is safely here."""
    if (refused := tus.refuse_version(tus_resumable)) is not None:
        return refused
    return _offset_of(await media.blob(work.uow, sha256))


@router.patch("/{sha256}", status_code=204, responses=_described(412, 415, 460))
async def upload_chunk(
    request: Request,
    sha256: HashInPath,
    actor: Annotated[Actor, identified_device()],
    services: ServicesOf,
    upload_offset: Annotated[int, Header(ge=0, lt=2**63)],
    tus_resumable: tus.TusResumable = "",
    upload_checksum: tus.UploadChecksum = "",
    content_type: Annotated[str, Header(max_length=200)] = "",
    content_length: Length = None,
) -> Response:
    """Append bytes at `Upload-Offset`. Answers the next offset; the file's size when it is complete and verified."""
    if (refused := _refuse_chunk(tus_resumable, content_type)) is not None:
        return refused
    chunk = Chunk(upload_offset, content_length, tus.checksum_of(upload_checksum))
    return await _take(request, services, actor, sha256, chunk)


@router.delete("/{sha256}", status_code=204, responses=_described(412))
async def take_back_blob(
    sha256: HashInPath,
    actor: Annotated[Actor, identified_device()],
    services: ServicesOf,
    tus_resumable: tus.TusResumable = "",
) -> Response:
    """End an upload one has announced. What is complete, or part of something recorded, is kept: 409."""
    if (refused := tus.refuse_version(tus_resumable)) is not None:
        return refused
    await media.take_back(services.database, services.blobs, services.files, actor, sha256)
    return Response(status_code=204, headers={"Tus-Resumable": tus.VERSION})


@router.get(
    "/{sha256}",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}, "image/webp": {}}}},
)
async def blob_content(
    sha256: HashInPath,
    work: Annotated[Work, enrolled_device()],
    services: ServicesOf,
    v: Annotated[
        Size | None, Query(description="a small upright copy without metadata; without it the original")
    ] = None,
) -> StreamingResponse:
    """Answer a complete file to whoever sees it on an order; the original only to its author and the office."""
    found = await pictures.file_for(work.uow, work.actor, sha256, v)
    return stored_file(services, BlobKey(work.actor.org, found.sha256), found)


@rescue_router.post("", response_model=BlobOut, responses={201: {"model": BlobOut}})
async def announce_rescued_blob(
    body: AnnounceBlob, rescuer: Annotated[Rescuer, rescuing_device()], services: ServicesOf
) -> JSONResponse:
    """Say which file of something handed in will come. 200: it is complete here; 201: send it, from `offset`."""
    await rescue.check_file(services.database, rescuer, body.sha256)
    wanted = Announcement(**dict(body))
    found = await media.announce(services.database, services.blobs, services.files, rescuer, wanted)
    return _announced(found, 201 if found.state is BlobState.PENDING else 200, rescue_router.prefix)


@rescue_router.head(
    "/{sha256}",
    response_class=Response,
    responses={200: {"description": "Upload-Offset, Upload-Length and Upload-Expires"}, **_described(412)},
)
async def rescued_blob_offset(
    sha256: HashInPath,
    rescuer: Annotated[Rescuer, rescuing_device()],
    services: ServicesOf,
    tus_resumable: tus.TusResumable = "",
) -> Response:
    """Answer how much of a file of something handed in is safely here."""
    if (refused := tus.refuse_version(tus_resumable)) is not None:
        return refused
    await rescue.check_file(services.database, rescuer, sha256)
    async with services.database.unit_of_work(rescuer.org) as uow:
        return _offset_of(await media.blob(uow, sha256))


@rescue_router.patch("/{sha256}", status_code=204, responses=_described(412, 415, 460))
async def upload_rescued_chunk(
    request: Request,
    sha256: HashInPath,
    rescuer: Annotated[Rescuer, rescuing_device()],
    services: ServicesOf,
    upload_offset: Annotated[int, Header(ge=0, lt=2**63)],
    tus_resumable: tus.TusResumable = "",
    upload_checksum: tus.UploadChecksum = "",
    content_type: Annotated[str, Header(max_length=200)] = "",
    content_length: Length = None,
) -> Response:
    """Append bytes at `Upload-Offset` to a file of something handed in."""
    if (refused := _refuse_chunk(tus_resumable, content_type)) is not None:
        return refused
    await rescue.check_file(services.database, rescuer, sha256)
    chunk = Chunk(upload_offset, content_length, tus.checksum_of(upload_checksum))
    return await _take(request, services, rescuer, sha256, chunk)


def _offset_of(found: Blob) -> Response:
    return Response(headers=tus.progress(found.received, found.expires_at) | {"Upload-Length": str(found.size)})


def _refuse_chunk(tus_resumable: str, content_type: str) -> JSONResponse | None:
    if (refused := tus.refuse_version(tus_resumable)) is not None:
        return refused
    if content_type != tus.CHUNK_TYPE:
        return tus.refusal(415, "tus.content_type", f"A chunk has the Content-Type {tus.CHUNK_TYPE}.")
    return None


async def _take(
    request: Request,
    services: Services,
    actor: media.Bringer,
    sha256: str,
    chunk: Chunk,
    *,
    created: Blob | None = None,
) -> Response:
    """Receive a chunk; `created` when it came with the announcement."""
    try:
        reached = await uploads.receive(
            services.database, services.blobs, actor.org, sha256=sha256, chunk=chunk, pieces=_pieces(request)
        )
    except (OffsetDiffers, UploadPreempted) as problem:
        return tus.problem(problem, STATUS[problem.kind], {"Upload-Offset": str(problem.facts["offset"])})
    except (HashDiffers, ChunkDiffers) as problem:
        return tus.problem(problem, tus.HASH_DIFFERS, {"Upload-Offset": str(problem.facts.get("offset", 0))})
    except uploads.SenderLost as lost:
        # Seldom is anybody left to read it; but whoever closed only their own side must not take it for done.
        raise UploadCutOff from lost
    headers = tus.progress(reached.offset, reached.expires_at)
    if created is None:
        return Response(status_code=204, headers=headers)
    state = BlobState.READY if reached.offset == created.size else BlobState.PENDING
    return _standing(state, sha256, reached.offset, 201, headers)


def _announcement(read: Any, said: Any) -> Announcement:
    try:
        return Announcement(**dict(read(said)))
    except ValidationError as wrong:
        raise RequestValidationError(wrong.errors(include_url=False, include_input=False)) from None


def _announced(found: Blob, status: int, prefix: str = router.prefix) -> JSONResponse:
    headers = tus.progress(found.received, found.expires_at)
    return _standing(found.state, found.sha256, found.received, status, headers, prefix)


def _standing(
    state: BlobState, sha256: str, offset: int, status: int, headers: dict[str, str], prefix: str = router.prefix
) -> JSONResponse:
    location = f"{prefix}/{sha256}"
    out = BlobOut(state=state, location=location, offset=offset, chunk_hint=CHUNK_HINT_BYTES)
    return JSONResponse(out.model_dump(), status, headers | {"Location": location})


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            if piece:
                yield piece
    except ClientDisconnect:
        raise uploads.SenderLost from None
