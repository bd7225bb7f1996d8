"""Errors are nouns: each has a stable code, a sentence a person can act on, and facts.

The server knows no HTTP. A problem states its *kind*; `edge.problems` holds the one table from kind to status.
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    MALFORMED = "malformed"  # the request cannot be read
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"  # also what may not be seen: both look the same from outside
    CONFLICT = "conflict"  # the world moved on
    GONE = "gone"
    TOO_LARGE = "too_large"
    REFUSED = "refused"  # readable, but against a rule
    PRECONDITION = "precondition"
    UPGRADE = "upgrade"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"  # try again later


class Problem(Exception):  # noqa: N818 - errors are named after what is wrong, not after being errors
    """Base of every named error. Subclasses set `code`, `kind` and `sentence`; keyword facts fill the sentence."""

    code: ClassVar[str]
    kind: ClassVar[Kind]
    sentence: ClassVar[str]

    def __init__(self, **facts: object) -> None:
        super().__init__(self.sentence.format_map(facts))
        self.facts = facts


class NotFound(Problem):
    code = "not_found"
    kind = Kind.NOT_FOUND
    sentence = "There is no {thing} with this id that you may see."


class Forbidden(Problem):
    code = "forbidden"
    kind = Kind.FORBIDDEN
    sentence = "Your role does not include the permission {permission}."


class MalformedCursor(Problem):
    code = "paging.malformed_cursor"
    kind = Kind.MALFORMED
    sentence = "This page cursor was not issued by this server; start again without it."


class Unavailable(Problem):
    code = "unavailable"
    kind = Kind.UNAVAILABLE
    sentence = "The service can't answer right now; nothing was changed. Try again in a few seconds."


class TooManyRequests(Problem):
    code = "too_many_requests"
    kind = Kind.TOO_MANY
    sentence = "This was tried too often; try again in {retry_after_s} seconds."


class IdempotencyKeyReused(Problem):
    code = "idempotency.key_reused"
    kind = Kind.CONFLICT
    sentence = "This Idempotency-Key was already used for a different request."
