"""Files over bad networks, in the wire format of tus 1.0: announce, ask for the offset, send from there.

Headers are judged before a body byte is read, and no transaction is open while bytes arrive.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field, StringConstraints
from starlette.requests import ClientDisconnect

from edge.auth import Work, enrolled_device, identified_device
from edge.files import stored_file
from edge.problems import PROBLEMS, STATUS, problem_response
from edge.services import ServicesOf
from server.core.errors import Problem
from server.core.wire import Sha256, WireIn, WireOut
from server.identity.domain import Actor
from server.media import service as media
from server.media import uploads
from server.media.domain import BlobKey, BlobState, Purpose
from server.media.errors import HashDiffers, OffsetDiffers, UploadPreempted
from server.workorders import pictures

TUS = "1.0.0"
CHUNK_TYPE = "application/offset+octet-stream"
HASH_DIFFERS = 460  # tus: checksum mismatch

type Mime = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z]+/[a-z0-9.+-]+$")]
type HashInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


class AnnounceBlob(WireIn):
    sha256: Sha256
    size: Annotated[int, Field(ge=1, lt=2**63)]
    mime: Mime
    purpose: Purpose


class BlobOut(WireOut):
    """Where a file stands; `offset` is the next byte to send to `location`."""

    state: BlobState
    location: str
    offset: int


def _described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Statuses of tus that other routes don't have."""
    named = {412: "Tus-Resumable is not 1.0.0", 415: "Not a chunk", 460: "The hash differs; the offset is 0 again"}
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    return {status: {"description": named[status], "content": content} for status in statuses}


router = APIRouter(prefix="/mobile/v1/blobs", tags=["files"], responses=PROBLEMS)


@router.post("", responses={201: {"model": BlobOut}})
async def announce_blob(
    body: AnnounceBlob, response: Response, work: Annotated[Work, enrolled_device()], services: ServicesOf
) -> BlobOut:
    """Say which file will come. 200: it is complete here; 201: send it, from `offset`."""
    found = await media.announce(
        work.uow,
        services.blobs,
        work.actor,
        sha256=body.sha256,
        size=body.size,
        mime=body.mime,
        purpose=body.purpose,
    )
    if found.state is BlobState.PENDING:
        response.status_code = 201
        response.headers["Location"] = _location(found.sha256)
    return BlobOut(state=found.state, location=_location(found.sha256), offset=found.received)


@router.head("/{sha256}", response_class=Response, responses={200: {"description": "Upload-Offset and Upload-Length"}})
async def blob_offset(sha256: HashInPath, work: Annotated[Work, enrolled_device()]) -> Response:
    """Answer how much of a file is safely here."""
    found = await media.blob(work.uow, sha256)
    return Response(headers=_progress(found.received) | {"Upload-Length": str(found.size)})


@router.patch("/{sha256}", status_code=204, responses=_described(412, 415, 460))
async def upload_chunk(
    request: Request,
    sha256: HashInPath,
    actor: Annotated[Actor, identified_device()],
    services: ServicesOf,
    upload_offset: Annotated[int, Header(ge=0, lt=2**63)],
    tus_resumable: Annotated[str, Header(max_length=20)] = "",
    content_type: Annotated[str, Header(max_length=200)] = "",
    content_length: Annotated[int | None, Header(ge=0, lt=2**63, include_in_schema=False)] = None,
) -> Response:
    """Append bytes at `Upload-Offset`. Answers the next offset; the file's size when it is complete and verified."""
    if tus_resumable != TUS:
        return _refusal(412, "tus.version", "This server speaks Tus-Resumable 1.0.0.", {"Tus-Version": TUS})
    if content_type != CHUNK_TYPE:
        return _refusal(415, "tus.content_type", f"A chunk has the Content-Type {CHUNK_TYPE}.")
    try:
        end = await uploads.receive(
            services.database,
            services.blobs,
            actor.org,
            sha256=sha256,
            offset=upload_offset,
            length=content_length,
            pieces=_pieces(request),
        )
    except (OffsetDiffers, UploadPreempted) as problem:
        offset = problem.facts["offset"]
        return _problem(problem, STATUS[problem.kind], {"Upload-Offset": str(offset)})
    except HashDiffers as problem:
        return _problem(problem, HASH_DIFFERS, {"Upload-Offset": "0"})
    except uploads.SenderLost:
        return Response(status_code=204)  # nobody is left to read it
    return Response(status_code=204, headers=_progress(end))


@router.get(
    "/{sha256}", response_class=StreamingResponse, responses={200: {"content": {"application/octet-stream": {}}}}
)
async def blob_content(
    sha256: HashInPath, work: Annotated[Work, enrolled_device()], services: ServicesOf
) -> StreamingResponse:
    """Answer a complete file to the person who sent it, or who sees it on one of their orders."""
    found = await media.ready_blob(work.uow, sha256)
    if found.created_by != work.actor.person:
        await pictures.check_hash_visible(work.uow, work.actor, sha256)
    return stored_file(services, BlobKey(work.actor.org, sha256), found)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            if piece:
                yield piece
    except ClientDisconnect:
        raise uploads.SenderLost from None


def _location(sha256: str) -> str:
    return f"{router.prefix}/{sha256}"


def _progress(offset: int) -> dict[str, str]:
    return {"Tus-Resumable": TUS, "Upload-Offset": str(offset), "Cache-Control": "no-store"}


def _problem(problem: Problem, status: int, headers: dict[str, str]) -> JSONResponse:
    return problem_response(status, problem.code, str(problem), problem.facts, {"Tus-Resumable": TUS} | headers)


def _refusal(status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return problem_response(status, code, sentence, headers={"Tus-Resumable": TUS} | dict(headers or {}))
