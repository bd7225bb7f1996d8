"""UUIDv7 (RFC 9562): ids sort by the time they were minted, and are minted where the thing is born, phones included."""

import secrets
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

type IdSource = Callable[[datetime], UUID]

_RANDOM_BITS = 74


def uuid7(at: datetime) -> UUID:
    """Mint an id for the instant `at` (millisecond precision, 74 random bits)."""
    return compose_uuid7(at, secrets.randbits(_RANDOM_BITS))


def compose_uuid7(at: datetime, random_bits: int) -> UUID:
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    high, low = random_bits >> 62, random_bits & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


class Rising:
    """Ids of one process in the order they were minted (RFC 9562, 6.2), whatever its clock does.

    What is listed by id is then listed as it was recorded, also within a millisecond.
    """

    def __init__(self, source: IdSource) -> None:
        self._source = source
        self._newest = UUID(int=0)

    def __call__(self, at: datetime) -> UUID:
        fresh = self._source(at)
        self._newest = fresh if fresh > self._newest else UUID(int=self._newest.int + 1)
        return self._newest
