"""What a phone says about itself, so that somebody notices before it matters."""

from typing import Annotated

from fastapi import APIRouter, status
from pydantic import Field, StringConstraints

from edge.auth import Work, enrolled_device
from edge.problems import PROBLEMS
from server.core.wire import Instant, WireIn
from server.sync import fleet

router = APIRouter(prefix="/mobile/v1", tags=["devices"], responses=PROBLEMS)

type Count = Annotated[int, Field(ge=0, lt=2**53)]
_YEARS_MS = 10**13


class HealthIn(WireIn):
    """The outbox, the storage and the clock of a device; `unsent` is what has not been acknowledged."""

    app: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    unsent_count: Count
    unsent_bytes: Count = 0
    oldest_unsent_at: Instant | None = None
    files_waiting: Count = 0
    rows: Count = 0
    storage_persisted: bool = False
    quota_bytes: Count | None = None
    used_bytes: Count | None = None
    clock_offset_ms: Annotated[int, Field(ge=-_YEARS_MS, le=_YEARS_MS, description="server minus device")] | None = None
    storage_cleared: Annotated[
        bool, Field(description="the canary was missing: the browser or a person deleted what was here")
    ] = False


@router.post("/sync/health", status_code=status.HTTP_204_NO_CONTENT)
async def report_health(body: HealthIn, work: Annotated[Work, enrolled_device()]) -> None:
    """Tell how the device is. Every sync, and each hour while the app is open."""
    assert work.actor.device is not None
    await fleet.report(work.uow, work.actor.device, fleet.Health(**dict(body)))
