"""The words of tus 1.0 in headers: reading what uploaders say, saying what we can."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated

from fastapi import Header
from fastapi.responses import JSONResponse

from edge.problems import problem_response
from server.core.errors import Problem
from server.media.domain import CHECKSUMS, MAX_BLOB_BYTES, Checksum
from server.media.errors import ChecksumUnreadable, MetadataUnreadable

VERSION = "1.0.0"
CHUNK_TYPE = "application/offset+octet-stream"
HASH_DIFFERS = 460  # checksum mismatch
EXTENSIONS = ("creation", "creation-with-upload", "checksum", "termination", "expiration")
_MOST_PAIRS = 20

type TusResumable = Annotated[str, Header(max_length=20, description="1.0.0")]
type UploadChecksum = Annotated[
    str, Header(max_length=200, description="sha256 or sha1, a space, the digest in base64")
]

CAPABILITIES: Mapping[str, str] = {
    "Tus-Resumable": VERSION,
    "Tus-Version": VERSION,
    "Tus-Extension": ",".join(EXTENSIONS),
    "Tus-Max-Size": str(MAX_BLOB_BYTES),
    "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
}


def checksum_of(header: str) -> Checksum | None:
    """Raises ChecksumUnreadable."""
    if not header:
        return None
    algorithm, _, digest = header.partition(" ")
    unreadable = ChecksumUnreadable(known=", ".join(CHECKSUMS))
    if algorithm not in CHECKSUMS:
        raise unreadable
    try:
        return Checksum(algorithm, base64.b64decode(digest, validate=True))
    except (binascii.Error, ValueError):
        raise unreadable from None


def metadata_of(header: str) -> dict[str, str]:
    """Read `key base64,key base64`. Raises MetadataUnreadable."""
    pairs = [pair.strip() for pair in header.split(",") if pair.strip()]
    if len(pairs) > _MOST_PAIRS:
        raise MetadataUnreadable(wrong=f"at most {_MOST_PAIRS} of them")
    return dict(_pair(pair) for pair in pairs)


def _pair(pair: str) -> tuple[str, str]:
    key, _, value = pair.partition(" ")
    try:
        return key, base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        raise MetadataUnreadable(wrong="a value is not base64 of text") from None


def progress(offset: int, expires_at: datetime | None) -> dict[str, str]:
    """Headers that say where a file goes on."""
    told = {"Tus-Resumable": VERSION, "Upload-Offset": str(offset), "Cache-Control": "no-store"}
    return told | ({"Upload-Expires": format_datetime(expires_at.astimezone(UTC), usegmt=True)} if expires_at else {})


def refuse_version(said: str) -> JSONResponse | None:
    """Answer a refusal for a version we don't speak."""
    if said == VERSION:
        return None
    return refusal(412, "tus.version", "This server speaks Tus-Resumable 1.0.0.", {"Tus-Version": VERSION})


def refusal(status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return problem_response(status, code, sentence, headers={"Tus-Resumable": VERSION} | dict(headers or {}))


def problem(it: Problem, status: int, headers: Mapping[str, str]) -> JSONResponse:
    return problem_response(status, it.code, str(it), it.facts, {"Tus-Resumable": VERSION} | dict(headers))
