"""Hints for phones: queued in the transaction that gives the reason, delivered by whichever channel reaches them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from server.core.db import Database, UnitOfWork
from server.notify import endpoint_queries, queries
from server.notify.channels import Channel, Streams
from server.notify.domain import Delivery, Hint, Message
from server.notify.endpoint_queries import ChannelHealth, Count
from server.notify.lines import Endpoint, Lines
from server.notify.queries import Quarantined, Waiting

# Who was away for longer pulls anyway when they come back.
RESEND_WITHIN = timedelta(minutes=10)
# From a hint's commit to an open stream. ADR 21 says why this asks instead of listening.
POLL_S = 0.2
_CLAIM = 100
_QUARANTINED_SHOWN = 20


async def queue_hint(uow: UnitOfWork, person: UUID, hint: Hint, subject_id: UUID, collapse_key: str) -> None:
    """Tell this person's phone to look at `subject_id`. Of several unsent hints with one key only the last is sent."""
    await queries.put_waiting(uow, person=person, hint=hint, subject_id=subject_id, collapse_key=collapse_key)


async def deliver(uow: UnitOfWork, channel: Channel[Endpoint], people: Sequence[UUID]) -> int:
    """Send what waits for these people over a channel whose endpoints are their ids; answer how many went out."""
    sent = [
        message.id
        for message in await queries.lock_waiting(uow, people, _CLAIM)
        if (await channel.send(message, str(message.person_id), message.lifetime(uow.now()))).delivery
        is Delivery.DELIVERED
    ]
    if sent:
        await queries.mark_sent(uow, sent, channel.name)
        await endpoint_queries.count(uow, [Count(channel.name, len(sent), 0, 0, None, None)])
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


@dataclass(frozen=True)
class Health:
    channels: Sequence[ChannelHealth]
    waiting: Waiting
    quarantined: Sequence[Quarantined]


async def health(uow: UnitOfWork) -> Health:
    """Answer how hints are getting out of this organisation; of those quarantined the newest."""
    return Health(
        await endpoint_queries.health(uow),
        await queries.waiting(uow),
        await queries.quarantined(uow, _QUARANTINED_SHOWN),
    )
