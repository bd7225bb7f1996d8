"""How hints get out: each channel's health, what waits, and what was put away."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.wire import WireOut
from server.identity.domain import Permission
from server.notify import service
from server.notify.domain import Hint

router = APIRouter(prefix="/api/v1", tags=["devices"], responses=PROBLEMS)


class ChannelOut(WireOut):
    """`failed` counts attempts, `waiting` hints of people who are reached this way. `sse`: the stream of open apps."""

    channel: str
    sent: int
    failed: int
    endpoints_gone: int
    last_sent_at: datetime | None
    last_failed_at: datetime | None
    last_error: str | None
    rate_per_s: Annotated[float | None, Field(description="how fast its slowest service is asked")]
    endpoints: int
    waiting: int


class WaitingOut(WireOut):
    for_push: int
    for_stream: Annotated[int, Field(description="hints of people without a push endpoint")]
    oldest_at: Annotated[datetime | None, Field(description="since when the oldest of for_push waits")]


class QuarantinedOut(WireOut):
    id: UUID
    hint: Hint
    channel: str | None
    reason: str | None
    attempts: int
    created_at: datetime


class PushHealthOut(WireOut):
    channels: list[ChannelOut]
    waiting: WaitingOut
    quarantined: Annotated[list[QuarantinedOut], Field(description="the newest of those refused as wrong")]


@router.get("/push/health")
async def read_push_health(work: Annotated[Work, permitted(Permission.DEVICES_MANAGE)]) -> PushHealthOut:
    """What became of hints in this organisation, by channel."""
    return PushHealthOut.model_validate(await service.health(work.uow))
