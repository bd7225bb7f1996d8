"""Checking a report by its code. Public: whoever holds the paper may know whether it is genuine."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response

from edge.problems import PUBLIC_PROBLEMS
from edge.services import ServicesOf
from server.confirmation import service as confirmation
from server.core.wire import WireOut

router = APIRouter(prefix="/portal/v1", tags=["portal"], responses=PUBLIC_PROBLEMS)


class VerificationOut(WireOut):
    valid: bool
    number: int
    version: int
    newest_version: int
    language: str
    document_hash: str
    signed_by: str | None
    signed_at: datetime | None
    organisation: str


@router.get("/verify/{code}")
async def verify_report(
    code: Annotated[str, Path(pattern=r"^[A-Z2-7]{26}$")], services: ServicesOf, response: Response
) -> VerificationOut:
    """Answer what the report with this code says; a code nobody issued is 404."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return VerificationOut.model_validate(await confirmation.verify(services.database, code))
