"""Creation that may be repeated: the answer is stored in the transaction of the effect, under the caller's key."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from edge.auth import Work
from server.core import idempotency

type IdempotencyHeader = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$"),
]


async def once[T: BaseModel](
    work: Work, key: str | None, request: BaseModel, answer: type[T], act: Callable[[], Awaitable[T]]
) -> T:
    """Run `act` once per key and caller; a repetition gets the first answer.

    Raises IdempotencyKeyReused when the key comes with a different request.
    """
    if key is None:
        return await act()
    fingerprint = hashlib.sha256(f"{work.target}\n{request.model_dump_json()}".encode()).hexdigest()
    caller = str(work.actor.person)
    known = await idempotency.claim(work.uow, caller=caller, key=key, request_hash=fingerprint)
    if known is not None:
        return answer.model_validate(known)
    made = await act()
    await idempotency.remember(work.uow, caller=caller, key=key, answer=made.model_dump(mode="json"))
    return made
