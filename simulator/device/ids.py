"""UUIDv7 (RFC 9562), minted where the thing is born: on the device."""

from datetime import datetime
from random import Random
from uuid import UUID

_RANDOM_BITS = 74


def uuid7(at: datetime, rng: Random) -> str:
    """An id that sorts by the millisecond it was minted in."""
    bits = rng.getrandbits(_RANDOM_BITS)
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & ((1 << 62) - 1)))
