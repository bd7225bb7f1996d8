"""Files by content: what may be kept, how an upload proceeds, how bytes show what they are. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

MAX_BLOB_BYTES = 25_000_000
MAX_CHUNK_BYTES = 4_000_000

# About five seconds of a mediocre mobile network: where a client that knows nothing better begins.
CHUNK_HINT_BYTES = 512_000

# An upload that nothing refers to and nobody goes on with is forgotten, and later a file that nothing ever used.
PENDING_KEPT = timedelta(days=7)
READY_KEPT = timedelta(days=30)

# Into squares of this many pixels the small copies of a photo fit.
THUMB_PX, VIEW_PX = 320, 1280

# Enough of a file's head to tell every kind below.
HEAD_BYTES = 32


class BlobState(StrEnum):
    PENDING = "pending"  # announced, bytes missing or incomplete
    READY = "ready"  # complete and its hash verified


class PictureState(StrEnum):
    DERIVED = "derived"  # small copies exist
    UNDECODABLE = "undecodable"  # the original is kept as it came


class Purpose(StrEnum):
    PHOTO = "photo"
    SIGNATURE = "signature"  # the drawn signature as a picture
    DOCUMENT = "document"
    REPORT = "report"  # made by the server, never uploaded
    PREVIEW = "preview"  # a small copy of a photo, made by the server, never uploaded


MADE_HERE = frozenset({Purpose.REPORT, Purpose.PREVIEW})


JPEG, PNG, WEBP, HEIC, PDF = "image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"

# What a file of each purpose may turn out to be, by its own bytes; what a client claims decides nothing.
ALLOWED: Mapping[Purpose, frozenset[str]] = {
    Purpose.PHOTO: frozenset({JPEG, PNG, WEBP, HEIC}),
    Purpose.SIGNATURE: frozenset({PNG}),
    Purpose.DOCUMENT: frozenset({PDF, JPEG, PNG, WEBP, HEIC}),
    Purpose.REPORT: frozenset({PDF}),
    Purpose.PREVIEW: frozenset({WEBP}),
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
    staged: str  # what the store called these bytes when they were committed
    lease: UUID | None  # the upload request that may commit next; None when the last one ended properly
    created_by: UUID
    device_id: UUID | None
    created_at: datetime
    touched_at: datetime
    ready_at: datetime | None

    @property
    def expires_at(self) -> datetime | None:
        """When an upload nobody goes on with may be forgotten; it is kept longer while something refers to it."""
        return self.touched_at + PENDING_KEPT if self.state is BlobState.PENDING else None


@dataclass(frozen=True)
class Announcement:
    """A file that will come."""

    sha256: str
    size: int
    mime: str
    purpose: Purpose


@dataclass(frozen=True)
class FileRules:
    """What an installation allows, and what keeps a file from being removed.

    device_bytes_a_day: what one device may announce within 24 hours. organisation_bytes: what an organisation may
    keep in all, None for as much as there is room. references: SELECTs of `sha256`, one for each place that a file is
    referred to from; their union is what is never removed.
    """

    device_bytes_a_day: int = 2_000_000_000
    organisation_bytes: int | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checksum:
    """What a client says one chunk hashes to."""

    algorithm: str
    digest: bytes

    def counter(self) -> "hashlib._Hash":
        return hashlib.new(self.algorithm, usedforsecurity=False)


# By tus, sha1 is what every server knows. Neither has to withstand an attacker here: the whole file is hashed anyway.
CHECKSUMS = ("sha256", "sha1")


@dataclass(frozen=True)
class Chunk:
    """What a request says about the bytes it carries. `length` is None when it doesn't say."""

    offset: int
    length: int | None = None
    checksum: Checksum | None = None


@dataclass(frozen=True)
class Ticket:
    """Leave to write one chunk: taken in one short transaction, redeemed in another."""

    key: BlobKey
    size: int
    purpose: Purpose
    offset: int
    staged: str
    lease: UUID
    contested: bool  # an earlier request never ended and may still be writing


@dataclass(frozen=True)
class Verdict:
    """What the complete bytes turned out to be."""

    sha256: str
    mime: str | None


class Inspection:
    """Hashes bytes as they pass and remembers what their beginning shows."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._head = b""

    def take(self, piece: bytes) -> None:
        self._hash.update(piece)
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]

    def verdict(self) -> Verdict:
        return Verdict(self._hash.hexdigest(), sniff(self._head))


@dataclass(frozen=True)
class Picture:
    """What a photo turned out to be. `why` says why there are no small copies of it."""

    sha256: str
    state: PictureState
    why: str | None
    width: int | None
    height: int | None
    blurhash: str | None
    thumb_sha256: str | None
    view_sha256: str | None


class Size(StrEnum):
    """The small copies of a photo: upright, without metadata, WebP."""

    THUMB = "thumb"  # fits into THUMB_PX
    VIEW = "view"  # fits into VIEW_PX


class Gap(StrEnum):
    """Why a photo can't be shown, now or ever."""

    PENDING = "pending"  # its bytes are not here
    PREPARING = "preparing"  # its small copies are not made yet
    UNDECODABLE = "undecodable"  # there will be none; the original is kept as it came


@dataclass(frozen=True)
class Showing:
    """Which of some photos can be shown, each by its hash: `copies` by which file, `gaps` why not."""

    copies: Mapping[str, str]
    gaps: Mapping[str, Gap]
