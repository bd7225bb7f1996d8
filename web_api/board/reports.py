"""Files of an order: its photos and its service report."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from edge.auth import Work, anyone_signed_in
from edge.files import stored_file
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.confirmation import service as confirmation
from server.confirmation.domain import Language
from server.core.wire import Id
from server.media import service as media
from server.media.domain import BlobKey, Size
from server.workorders.pictures import content_of

router = APIRouter(prefix="/api/v1", tags=["orders"], responses=PROBLEMS)


def _content(*types: str) -> dict[int | str, dict[str, Any]]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"content": dict.fromkeys(types, binary), "description": "The file"}}


_PICTURES = _content("image/jpeg", "image/png", "image/webp", "image/heic")


@router.get("/photos/{photo_id}/content", response_class=StreamingResponse, responses=_PICTURES)
async def photo_content(
    photo_id: Id,
    work: Annotated[Work, anyone_signed_in()],
    services: ServicesOf,
    v: Annotated[Size | None, Query(description="a small copy without metadata; without it the original")] = None,
) -> StreamingResponse:
    """Answer the photo as it was taken, or a small copy of it; 404 also while its bytes have not arrived."""
    found = await content_of(work.uow, work.actor, photo_id, v)
    return stored_file(services, BlobKey(work.actor.org, found.sha256), found)


@router.get(
    "/work-orders/{work_order_id}/report.pdf", response_class=StreamingResponse, responses=_content("application/pdf")
)
async def report_pdf(
    work_order_id: Id,
    work: Annotated[Work, anyone_signed_in()],
    services: ServicesOf,
    language: Language = Language.EN,
) -> StreamingResponse:
    """Answer the newest version of the service report."""
    printed = await confirmation.newest_report(work.uow, work.actor, work_order_id, language)
    found = await media.ready_blob(work.uow, printed.print.pdf_sha256)
    report = printed.report
    name = f"report-{report.document['order']['number']}-v{report.version}-{report.language}.pdf"
    # The address stays while versions come, so a copy is asked about before it is shown again.
    return stored_file(services, BlobKey(work.actor.org, found.sha256), found, name=name, cache="private, no-cache")
