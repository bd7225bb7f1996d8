"""Hints for phones: queued in the transaction that gives the reason, delivered by whichever channel reaches them."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from server.core.db import Database, UnitOfWork
from server.notify import queries
from server.notify.channels import Channel, Streams
from server.notify.domain import Delivery, Hint, Message
from server.notify.lines import Lines

# Who was away for longer pulls anyway when they come back.
RESEND_WITHIN = timedelta(minutes=10)
POLL_S = 1.0
_CLAIM = 100


async def queue_hint(uow: UnitOfWork, person: UUID, hint: Hint, subject_id: UUID, collapse_key: str) -> None:
    """Tell this person's phone to look at `subject_id`. Of several unsent hints with one key only the last is sent."""
    await queries.put_waiting(uow, person=person, hint=hint, subject_id=subject_id, collapse_key=collapse_key)


async def deliver(uow: UnitOfWork, channel: Channel, people: Sequence[UUID]) -> int:
    """Send what waits for these people over a channel whose endpoints are their ids; answer how many went out."""
    waiting = await queries.lock_waiting(uow, people, _CLAIM)
    sent = [it.id for it in waiting if await channel.send(it, str(it.person_id)) is Delivery.DELIVERED]
    if sent:
        await queries.mark_sent(uow, sent, channel.name)
    return len(sent)


async def deliver_to_lines(database: Database, org: UUID, lines: Lines[Message]) -> NoReturn:
    """Bring an organisation's hints to whoever listens in this process, for as long as it runs."""
    channel = Streams(lines)
    lines.ready.set()
    while True:
        people = [UUID(endpoint) for endpoint in lines.endpoints()]
        async with database.unit_of_work(org) as uow:
            sent = await deliver(uow, channel, people)
        if sent < _CLAIM:
            await asyncio.sleep(POLL_S)


async def missed_since(uow: UnitOfWork, person: UUID, message: UUID) -> list[Message]:
    """Answer what was sent to this person after the message they saw last, while their line may have been cut."""
    return await queries.sent_after(uow, person=person, message=message, since=uow.now() - RESEND_WITHIN)
