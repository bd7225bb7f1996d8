"""Hints for a phone that is awake: the stream that always works, with or without a push service."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from edge.problems import PROBLEMS
from edge.services import ServicesOf
from edge.streams import LastEventId, Listener, listening_device
from server.core.wire import WireOut
from server.notify import service as notify
from server.notify.domain import Hint, Message

router = APIRouter(prefix="/mobile/v1", tags=["sync"], responses=PROBLEMS)


class HintOut(WireOut):
    """Why the phone should look: `sync` pull, `job` new work, `arrival` open this visit's job."""

    h: Hint
    subject_id: UUID


@router.get("/sync/events", response_class=EventSourceResponse)
async def hints(
    listener: Annotated[Listener, listening_device()], services: ServicesOf, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Events named `hint`. The stream ends when the access token does; reconnect with a fresh one."""
    actor = listener.actor
    async with services.hints.listen(actor.org, str(actor.person)) as inbox:
        yield ServerSentEvent(comment="listening")
        for message in await _missed(services, listener, last_event_id):
            yield _hint(message)
        async for message in listener.take(inbox):
            yield _hint(message)


async def _missed(services: ServicesOf, listener: Listener, last_event_id: str | None) -> list[Message]:
    try:
        last_seen = UUID(last_event_id or "")
    except ValueError:
        return []
    async with services.database.unit_of_work(listener.actor.org) as uow:
        return await notify.missed_since(uow, listener.actor.person, last_seen)


def _hint(message: Message) -> ServerSentEvent:
    data = HintOut(h=message.hint, subject_id=message.subject_id)
    return ServerSentEvent(event="hint", id=str(message.id), data=data)
