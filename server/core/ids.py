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
