"""Every statement about messages."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.notify.domain import Hint, Message, MessageState, payload_of

_MESSAGE = "id, person_id, hint, subject_id, attempts, created_at"


async def put_waiting(uow: UnitOfWork, *, person: UUID, hint: Hint, subject_id: UUID, collapse_key: str) -> None:
    """Queue a message; one that waits under the same key is replaced by it."""
    await uow.run(
        """
        insert into message (org_id, id, person_id, hint, subject_id, collapse_key, payload, state, attempts,
                             next_try_at, created_at)
        values (%(org)s, %(id)s, %(person)s, %(hint)s, %(subject)s, %(key)s, %(payload)s, %(waiting)s, 0,
                %(now)s, %(now)s)
        on conflict (org_id, person_id, collapse_key) where state = 'waiting' do update set
            id = excluded.id, hint = excluded.hint, subject_id = excluded.subject_id, payload = excluded.payload,
            attempts = 0, next_try_at = excluded.next_try_at, created_at = excluded.created_at
        """,
        org=uow.org,
        id=uow.new_id(),
        person=person,
        hint=hint,
        subject=subject_id,
        key=collapse_key,
        payload=payload_of(hint, subject_id),
        waiting=MessageState.WAITING,
        now=uow.now(),
    )


async def lock_waiting(uow: UnitOfWork, people: Sequence[UUID], limit: int) -> list[Message]:
    """Claim waiting messages of these people, oldest first; those another process works on are passed over."""
    return await uow.all_of(
        Message,
        f"""
        select {_MESSAGE} from message
        where state = 'waiting' and person_id = any(%(people)s) and next_try_at <= %(now)s
        order by created_at, id limit %(limit)s
        for update skip locked
        """,
        people=list(people),
        now=uow.now(),
        limit=limit,
    )


async def mark_sent(uow: UnitOfWork, messages: Sequence[UUID], channel: str) -> None:
    await uow.run(
        """
        update message set state = 'sent', channel = %(channel)s, sent_at = %(now)s, attempts = attempts + 1
        where id = any(%(ids)s)
        """,
        ids=list(messages),
        channel=channel,
        now=uow.now(),
    )


async def sent_after(uow: UnitOfWork, *, person: UUID, message: UUID, since: datetime) -> list[Message]:
    """Answer what this person was sent behind a message they name, but nothing from before `since`."""
    return await uow.all_of(
        Message,
        f"""
        select {_MESSAGE} from message
        where person_id = %(person)s and state = 'sent' and sent_at >= %(since)s and id <> %(message)s
          and sent_at >= (select sent_at from message where id = %(message)s and person_id = %(person)s)
        order by sent_at, id limit 100
        """,
        person=person,
        message=message,
        since=since,
    )
