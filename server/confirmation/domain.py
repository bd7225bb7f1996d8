"""Words of confirmation: the evidence a signature leaves and the report made of it. Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.confirmation.canonical import digest

type Document = dict[str, Any]
type Stroke = tuple[tuple[float, float, float], ...]  # x, y in the units of the pad, milliseconds since its first point

# Parts of a report that the signature itself brings; what was signed is everything else.
_NOT_SIGNED = frozenset({"signature", "closed_at"})

CODE_BYTES = 16


class Language(StrEnum):
    EN = "en"
    ZH = "zh"

    @staticmethod
    def of(locale: str) -> "Language":
        """Answer the catalogue a locale such as `zh-CN` is served from."""
        return Language.ZH if locale.lower().startswith("zh") else Language.EN


@dataclass(frozen=True)
class Signature:
    id: UUID
    work_order_id: UUID
    visit_id: UUID | None
    signer_name: str
    signer_role: str
    rating: int
    comment: str
    document_hash: str  # of the document as the phone showed it
    strokes_hash: str
    evidence: Mapping[str, Any]
    captured_by: UUID
    device_id: UUID | None
    at_device: datetime
    at: datetime
    received_at: datetime

    @property
    def strokes(self) -> list[Stroke]:
        return [tuple((x, y, t) for x, y, t in stroke) for stroke in self.evidence["strokes"]]


@dataclass(frozen=True)
class Report:
    id: UUID
    work_order_id: UUID
    signature_id: UUID | None
    version: int
    language: Language
    document: Document
    document_hash: str
    pdf_sha256: str
    code: str
    created_at: datetime


@dataclass(frozen=True)
class ReportLine:
    """A report as lists show it."""

    version: int
    language: Language
    document_hash: str
    code: str
    created_at: datetime


@dataclass(frozen=True)
class Confirmation:
    """What a customer confirmed, in short."""

    signature_id: UUID
    signer_name: str
    signer_role: str
    rating: int
    comment: str
    document_hash: str
    at: datetime


@dataclass(frozen=True)
class Verification:
    """What anyone who holds a report may learn by its code."""

    valid: bool  # the stored document still has the hash the paper shows
    number: int
    version: int
    newest_version: int
    language: Language
    document_hash: str
    signed_by: str | None
    signed_at: datetime | None
    organisation: str


def signed_content(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in _NOT_SIGNED}


def content_hash(document: Document) -> str:
    """Hash of what the customer signs: it stays the same when only the signature is added."""
    return digest(signed_content(document))


def code_of(random: bytes) -> str:
    """Spell 16 random bytes as people can type them: 26 characters of base32."""
    assert len(random) == CODE_BYTES
    return base64.b32encode(random).decode().rstrip("=")


def zulu(at: datetime | None) -> str | None:
    """Spell an instant in a document: UTC, whole seconds, so that it never depends on who wrote it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
