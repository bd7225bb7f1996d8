"""Words of confirmation: the evidence a signature leaves and the report made of it. Pure."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.confirmation.canonical import digest

type Document = dict[str, Any]
# Points of x, y in the units of the pad, milliseconds since the first, and pressure 0..1 where the pad can feel it.
type Stroke = tuple[tuple[float, ...], ...]

# Parts of a report that the signature itself brings; what was signed is everything else.
_NOT_SIGNED = frozenset({"signature", "unsigned", "closed_at"})

CODE_BYTES = 16


class Language(StrEnum):
    EN = "en"
    ZH = "zh"

    @staticmethod
    def of(locale: str) -> "Language":
        """Answer the catalogue a locale such as `zh-CN` is served from."""
        return Language.ZH if locale.lower().startswith("zh") else Language.EN


class Ending(StrEnum):
    """How a customer answered when asked to sign."""

    SIGNED = "signed"
    DECLINED = "declined"
    ABSENT = "absent"


class Attested(StrEnum):
    """What the device's own signature over the package is worth. None of them makes us refuse the package."""

    VERIFIED = "verified"
    MISSING = "missing"
    NO_KEY = "no_key"  # signed, but this device never registered a key we can read
    INVALID = "invalid"


class SealLevel(StrEnum):
    """How a print was sealed, in the words of PAdES."""

    NONE = "none"
    BASIC = "B-B"
    TIMESTAMPED = "B-T"


@dataclass(frozen=True)
class Signature:
    id: UUID
    work_order_id: UUID
    visit_id: UUID | None
    ending: Ending
    signer_name: str
    signer_role: str
    rating: int | None
    comment: str
    document_hash: str  # of the document as the phone showed it
    render_hash: str | None  # of the pixels or the print it was shown as
    strokes_hash: str
    package_hash: str | None
    attested: Attested
    evidence: Mapping[str, Any]
    captured_by: UUID
    device_id: UUID | None
    at_device: datetime
    at: datetime
    received_at: datetime
    superseded_at: datetime | None
    superseded_parts: Sequence[str] | None

    @property
    def package(self) -> Mapping[str, Any]:
        """What the device sent, verbatim; packages of the first version lie spread out in the evidence."""
        found: Mapping[str, Any] = self.evidence.get("package", self.evidence)
        return found

    @property
    def strokes(self) -> list[Stroke]:
        return [tuple(tuple(point) for point in stroke) for stroke in self.package["strokes"]]

    @property
    def received(self) -> Mapping[str, Any]:
        """The document's hash, and those of its parts, as the server had it when the signature came."""
        found: Mapping[str, Any] = self.evidence["received"]
        return found


@dataclass(frozen=True)
class Report:
    id: UUID
    work_order_id: UUID
    signature_id: UUID | None
    version: int
    language: Language
    document: Document
    document_hash: str
    code: str
    created_at: datetime


@dataclass(frozen=True)
class Print:
    """A report as a file."""

    id: UUID
    report_id: UUID
    pdf_sha256: str
    plain_sha256: str
    level: SealLevel
    fingerprint: str | None
    created_at: datetime


@dataclass(frozen=True)
class PrintedReport:
    """A report with its newest print."""

    report: Report
    print: Print


@dataclass(frozen=True)
class SealCheck:
    """What a print's own signatures say, whoever asks. The times are the machine's and the authority's."""

    valid: bool
    why: str | None  # it is not
    level: SealLevel
    sealed_by: str | None
    fingerprint: str | None
    sealed_at: datetime | None
    timestamped_at: datetime | None


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
    ending: Ending
    signer_name: str
    signer_role: str
    rating: int | None
    comment: str
    reason: str  # for not signing
    document_hash: str
    attested: Attested
    at: datetime
    superseded_at: datetime | None
    superseded_parts: Sequence[str]


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
    superseded_at: datetime | None  # what was signed has changed since
    organisation: str
    seal: SealCheck


def signed_content(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in _NOT_SIGNED}


def content_hash(document: Document) -> str:
    """Hash of what the customer signs: it stays the same when only the signature is added."""
    return digest(signed_content(document))


def part_hashes(document: Document) -> dict[str, str]:
    """Hash of each part of what the customer signs, so that a later change can be named."""
    return {name: digest(part) for name, part in signed_content(document).items()}


def changed_parts(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*then, *now} if then.get(name) != now.get(name))


def code_of(random: bytes) -> str:
    """Spell 16 random bytes as people can type them: 26 characters of base32."""
    assert len(random) == CODE_BYTES
    return base64.b32encode(random).decode().rstrip("=")


def zulu(at: datetime | None) -> str | None:
    """Spell an instant in a document: UTC, whole seconds, so that it never depends on who wrote it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
