"""Idempotency keys: a second request with the same key waits for the first and then receives its answer."""

from typing import Any

from server.core.db import UnitOfWork
from server.core.errors import IdempotencyKeyReused


async def claim(uow: UnitOfWork, *, caller: str, key: str, request_hash: str) -> dict[str, Any] | None:
    """Take the key for this transaction, or answer what was stored under it. Raises IdempotencyKeyReused."""
    taken = await uow.run(
        """
        insert into idempotency_key (org_id, caller, key, request_hash, answer, created_at)
        values (%(org)s, %(caller)s, %(key)s, %(hash)s, '{}', %(now)s)
        on conflict do nothing
        """,
        org=uow.org,
        caller=caller,
        key=key,
        hash=request_hash,
        now=uow.now(),
    )
    if taken:
        return None
    known = await uow.row(
        "select request_hash, answer from idempotency_key where caller = %(caller)s and key = %(key)s",
        caller=caller,
        key=key,
    )
    if known is None or known["request_hash"] != request_hash:
        raise IdempotencyKeyReused
    stored: dict[str, Any] = known["answer"]
    return stored


async def remember(uow: UnitOfWork, *, caller: str, key: str, answer: dict[str, Any]) -> None:
    await uow.run(
        "update idempotency_key set answer = %(answer)s where caller = %(caller)s and key = %(key)s",
        caller=caller,
        key=key,
        answer=answer,
    )
