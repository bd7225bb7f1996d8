"""Files that should be here and are not."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.paging import MAX_PAGE
from server.core.wire import WireOut
from server.identity.domain import Permission
from server.workorders import pictures

router = APIRouter(prefix="/api/v1", tags=["work orders"], responses=PROBLEMS)


class MissingFileOut(WireOut):
    """A photo whose bytes have not come. `overdue` after 24 hours; `last_contact_at` is of its author's phones."""

    photo_id: UUID
    work_order_id: UUID
    number: int
    title: str
    sha256: str
    caption: str
    author_id: UUID
    author_name: str
    at: datetime
    recorded_at: datetime
    overdue: bool
    last_contact_at: datetime | None


class MissingFilesOut(WireOut):
    items: list[MissingFileOut]
    next_cursor: str | None


@router.get("/missing-files")
async def list_missing_files(
    work: Annotated[Work, permitted(Permission.ORDERS_READ)],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> MissingFilesOut:
    """Photos that were recorded and whose files nobody has sent, the oldest first."""
    return MissingFilesOut.model_validate(
        await pictures.missing_files(work.uow, work.actor, cursor=cursor, limit=limit)
    )
