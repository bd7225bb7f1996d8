"""Keyset paging: a cursor names the last row seen, so pages neither skip nor repeat while rows are added."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.errors import MalformedCursor

MAX_PAGE = 200


@dataclass(frozen=True)
class Page[T]:
    items: list[T]
    next_cursor: str | None


def encode_cursor(*key: object) -> str:
    return base64.urlsafe_b64encode(json.dumps([str(part) for part in key]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, parts: int) -> list[str] | None:
    """Answer the key parts of a cursor, None for the first page. Raises MalformedCursor."""
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, UnicodeDecodeError, RecursionError):
        raise MalformedCursor from None
    if not isinstance(key, list) or len(key) != parts or not all(isinstance(part, str) for part in key):
        raise MalformedCursor
    if any("\x00" in part or not _encodable(part) for part in key):
        raise MalformedCursor
    return key


def _encodable(part: str) -> bool:
    # JSON can spell a lone surrogate, which no database text can hold.
    return not any("\ud800" <= character <= "\udfff" for character in part)


def id_in(part: str) -> UUID:
    """Read an id from a part of a cursor. Raises MalformedCursor."""
    try:
        return UUID(part)
    except ValueError:
        raise MalformedCursor from None


def instant_in(part: str) -> datetime:
    """Read an instant from a part of a cursor. Raises MalformedCursor."""
    try:
        at = datetime.fromisoformat(part)
    except ValueError:
        raise MalformedCursor from None
    if at.tzinfo is None:
        raise MalformedCursor
    return at


def page_of[T](rows: Sequence[T], limit: int, key: Callable[[T], tuple[object, ...]]) -> Page[T]:
    """Cut a page from `limit + 1` fetched rows; the extra row only says that more follow."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return Page(items, encode_cursor(*key(items[-1])) if more else None)
