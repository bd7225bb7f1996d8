"""Files by content: what may be kept, how an upload proceeds, how bytes show what they are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

MAX_BLOB_BYTES = 25_000_000
MAX_CHUNK_BYTES = 4_000_000

# Enough of a file's head to tell every kind below.
HEAD_BYTES = 32


class BlobState(StrEnum):
    PENDING = "pending"  # announced, bytes missing or incomplete
    READY = "ready"  # complete and its hash verified


class Purpose(StrEnum):
    PHOTO = "photo"
    SIGNATURE = "signature"  # the drawn signature as a picture
    DOCUMENT = "document"
    REPORT = "report"  # made by the server, never uploaded


JPEG, PNG, WEBP, HEIC, PDF = "image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"

# What a file of each purpose may turn out to be, by its own bytes; what a client claims decides nothing.
ALLOWED: Mapping[Purpose, frozenset[str]] = {
    Purpose.PHOTO: frozenset({JPEG, PNG, WEBP, HEIC}),
    Purpose.SIGNATURE: frozenset({PNG}),
    Purpose.DOCUMENT: frozenset({PDF, JPEG, PNG, WEBP, HEIC}),
    Purpose.REPORT: frozenset({PDF}),
}

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heif", b"mif1", b"msf1", b"hevc"})


def sniff(head: bytes) -> str | None:
    """Answer the media type a file's first `HEAD_BYTES` show, None for anything not kept here."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return HEIC
    if head.startswith(b"%PDF-"):
        return PDF
    return None


@dataclass(frozen=True)
class BlobKey:
    """Where a blob lies: hashes are shared within an organisation and never across."""

    org: UUID
    sha256: str


@dataclass(frozen=True)
class Blob:
    sha256: str
    size: int
    mime: str
    purpose: Purpose
    state: BlobState
    received: int  # bytes committed; the truth about where an upload goes on
    lease: UUID | None  # the upload request that may commit next; None when the last one ended properly
    created_by: UUID
    created_at: datetime
    ready_at: datetime | None


@dataclass(frozen=True)
class Ticket:
    """Leave to write one chunk: taken in one short transaction, redeemed in another."""

    key: BlobKey
    size: int
    purpose: Purpose
    offset: int
    lease: UUID
    contested: bool  # an earlier request never ended and may still be writing


@dataclass(frozen=True)
class Verdict:
    """What the complete bytes turned out to be."""

    sha256: str
    mime: str | None
