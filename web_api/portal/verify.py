"""Checking a report by its code. Public: whoever holds the paper may know whether it is genuine."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response

from edge.problems import PUBLIC_PROBLEMS
from edge.services import ServicesOf
from server.confirmation import service as confirmation
from server.confirmation.domain import SealLevel
from server.core.wire import WireOut

router = APIRouter(prefix="/portal/v1", tags=["portal"], responses=PUBLIC_PROBLEMS)


class SealOut(WireOut):
    """What the print's own signature says: `B-T` carries a time-stamp of an authority, `B-B` only our own time."""

    valid: bool
    why: str | None
    level: SealLevel
    sealed_by: str | None
    fingerprint: str | None
    sealed_at: datetime | None
    timestamped_at: datetime | None


class VerificationOut(WireOut):
    valid: bool
    number: int
    version: int
    newest_version: int
    language: str
    document_hash: str
    signed_by: str | None
    signed_at: datetime | None
    superseded_at: datetime | None
    organisation: str
    seal: SealOut


@router.get("/verify/{code}")
async def verify_report(
    code: Annotated[str, Path(pattern=r"^[A-Z2-7]{26}$")], services: ServicesOf, response: Response
) -> VerificationOut:
    """Answer what the report with this code says; a code nobody issued is 404."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    found = await confirmation.verify(services.database, services.blobs, services.sealer, code)
    return VerificationOut.model_validate(found)
