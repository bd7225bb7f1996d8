"""Every statement about messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from server.core.db import UnitOfWork
from server.notify.domain import STREAM_FIRST, TRIES, Hint, Message, MessageState, Verdict, payload_of

_COLUMNS = (
    "id",
    "person_id",
    "hint",
    "subject_id",
    "collapse_key",
    "attempts",
    "created_at",
    "expires_at",
    "reached",
)
_MESSAGE = ", ".join(_COLUMNS)
_CLAIMED = ", ".join(f"m.{column}" for column in _COLUMNS)


async def put_waiting(uow: UnitOfWork, *, person: UUID, hint: Hint, subject_id: UUID, collapse_key: str) -> None:
    """Queue a message; one that waits under the same key is replaced by it."""
    await uow.run(
        """
        insert into message (org_id, id, person_id, hint, subject_id, collapse_key, payload, state, attempts,
                             next_try_at, created_at, expires_at, reached)
        values (%(org)s, %(id)s, %(person)s, %(hint)s, %(subject)s, %(key)s, %(payload)s, %(waiting)s, 0,
                %(push_from)s, %(now)s, %(expires_at)s, '{}')
        on conflict (org_id, person_id, collapse_key) where state = 'waiting' do update set
            id = excluded.id, hint = excluded.hint, subject_id = excluded.subject_id, payload = excluded.payload,
            attempts = 0, next_try_at = excluded.next_try_at, created_at = excluded.created_at,
            expires_at = excluded.expires_at, reached = '{}', last_error = null
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
        push_from=uow.now() + STREAM_FIRST,
        expires_at=uow.now() + hint.lasts,
    )


async def lock_waiting(uow: UnitOfWork, people: Sequence[UUID], limit: int) -> list[Message]:
    """Claim waiting messages of these people, oldest first; those another process works on are passed over.

    Also those that a push service is being asked to carry: a phone that listens now need not wait for its answer.
    """
    return await uow.all_of(
        Message,
        f"""
        select {_MESSAGE} from message
        where state = 'waiting' and person_id = any(%(people)s) and expires_at > %(now)s
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


async def organisations_due(uow: UnitOfWork) -> list[UUID]:
    """Answer the organisations that have messages to be tried or given up now."""
    due = await uow.rows("select organisations_with_messages_due(%(now)s) as id", now=uow.now())
    return [row["id"] for row in due]


async def expire(uow: UnitOfWork) -> int:
    return await uow.run(
        """
        update message set state = 'expired'
        where id in (
            select id from message where state = 'waiting' and next_try_at <= %(now)s and expires_at <= %(now)s
            for update skip locked
        )
        """,
        now=uow.now(),
    )


async def quarantine_deadly(uow: UnitOfWork) -> int:
    """Put away what was claimed far more often than it can have been tried: its senders did not live to tell."""
    return await uow.run(
        """
        update message set state = 'quarantined', last_error = 'no worker survived sending it'
        where id in (
            select id from message where state = 'waiting' and next_try_at <= %(now)s and attempts > %(tries)s
            for update skip locked
        )
        """,
        now=uow.now(),
        tries=2 * TRIES,
    )


async def claim_due(uow: UnitOfWork, limit: int, lease: timedelta) -> list[Message]:
    """Take messages to be tried now, the longest due first. Whoever does not settle them in time loses them again.

    No lock outlives the transaction: a service's silence must hold up nobody who has something new to say.
    """
    return await uow.all_of(
        Message,
        f"""
        with due as (
            select id from message where state = 'waiting' and next_try_at <= %(now)s
            order by next_try_at, id limit %(limit)s for update skip locked
        )
        update message m set attempts = m.attempts + 1, next_try_at = %(until)s
        from due where m.id = due.id and m.state = 'waiting'
        returning {_CLAIMED}
        """,
        now=uow.now(),
        until=uow.now() + lease,
        limit=limit,
    )


async def park(uow: UnitOfWork, messages: Sequence[UUID]) -> None:
    """Leave messages to the streams, as nobody has a place to push them to; a registration wakes them."""
    await uow.run(
        "update message set next_try_at = expires_at, attempts = attempts - 1 where id = any(%(ids)s)",
        ids=list(messages),
    )


async def wake(uow: UnitOfWork, person: UUID) -> None:
    """Have what waits for this person tried at once."""
    await uow.run(
        "update message set next_try_at = %(now)s where state = 'waiting' and person_id = %(person)s",
        now=uow.now(),
        person=person,
    )


async def settle(uow: UnitOfWork, verdicts: Mapping[UUID, Verdict], leased_until: datetime) -> None:
    """Store what became of claimed messages.

    What was delivered meanwhile is left alone, and so is the turn of whatever was woken or claimed by somebody else.
    What somebody is changing at this moment is passed over: waiting for it while holding others could be for ever.
    """
    ours = await uow.rows(
        "select id from message where id = any(%(ids)s) and state = 'waiting' for update skip locked",
        ids=list(verdicts),
    )
    await uow.run_many(
        """
        update message set state = %(state)s, attempts = %(attempts)s, next_try_at = %(next)s, reached = %(reached)s,
               channel = coalesce(%(channel)s, channel), last_error = %(reason)s, sent_at = %(sent_at)s
        where id = %(id)s and (next_try_at = %(leased)s or %(sent_at)s::timestamptz is not null)
        """,
        [_settled(uow, row["id"], verdicts[row["id"]]) | {"leased": leased_until} for row in ours],
    )


def _settled(uow: UnitOfWork, message: UUID, verdict: Verdict) -> dict[str, object]:
    return {
        "id": message,
        "state": verdict.state,
        "attempts": verdict.attempts,
        "next": verdict.next_try_at,
        "reached": list(verdict.reached),
        "channel": verdict.channel,
        "reason": verdict.reason,
        "sent_at": uow.now() if verdict.state is MessageState.SENT else None,
    }


async def forget_settled(uow: UnitOfWork, before: datetime) -> int:
    return await uow.run("delete from message where state <> 'waiting' and created_at < %(before)s", before=before)


@dataclass(frozen=True)
class Waiting:
    """How many messages wait, by what they wait for."""

    for_push: int
    for_stream: int
    oldest_at: datetime | None


async def waiting(uow: UnitOfWork) -> Waiting:
    [found] = await uow.all_of(
        Waiting,
        """
        select count(*) filter (where reachable) as for_push, count(*) filter (where not reachable) as for_stream,
               min(created_at) filter (where reachable) as oldest_at
        from (
            select m.created_at, exists (select from push_endpoint e where e.person_id = m.person_id) as reachable
            from message m where m.state = 'waiting'
        ) it
        """,
    )
    return found


@dataclass(frozen=True)
class Quarantined:
    id: UUID
    hint: Hint
    channel: str | None
    reason: str | None
    attempts: int
    created_at: datetime


async def quarantined(uow: UnitOfWork, limit: int) -> list[Quarantined]:
    return await uow.all_of(
        Quarantined,
        """
        select id, hint, channel, last_error as reason, attempts, created_at from message
        where state = 'quarantined' order by created_at desc, id limit %(limit)s
        """,
        limit=limit,
    )


async def total_waiting(uow: UnitOfWork) -> int:
    """Answer how many messages of all organisations wait."""
    return int(await uow.value("select messages_waiting()"))
