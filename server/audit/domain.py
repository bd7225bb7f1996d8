"""Words of the chain: what is sealed, how a link is made, what can be wrong with it. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from server.confirmation.canonical import canonical, digest

GENESIS = "0" * 64

# Sealed for a row that was gone before its link was made.
ABSENT = digest(None)


@dataclass(frozen=True)
class Source:
    """A kind of record: its table and the columns that never change, which are what is sealed.

    columns: as SQL. condition: which rows of the table are of this kind.
    of_order: which rows `t` of it go when the work order %(order)s is erased; none unless it says so. What the log
        holds about the order is found beforehand: %(mutations)s.
    """

    kind: str
    table: str
    columns: str
    condition: str = "true"
    of_order: str | None = None


_ITS_OWN = "t.work_order_id = %(order)s"
_LOGGED = (
    "stream_id, seq, device_id, person_id, name, v, envelope, payload_hash, status, code, result, at_device, "
    "at_estimated, uncertainty_ms, received_at"
)

SOURCES: Mapping[str, Source] = {
    source.kind: source
    for source in (
        Source("mutation", "mutation_log", _LOGGED, "status <> 'erased'", of_order="t.id = any(%(mutations)s)"),
        # What is left of one whose content was erased, so that a phone that resends it is still answered.
        Source("mutation_erased", "mutation_log", _LOGGED, "status = 'erased'"),
        Source(
            "signature",
            "signature",
            "work_order_id, visit_id, ending, signer_name, signer_role, rating, comment, document_hash, render_hash, "
            "strokes_hash, package_hash, attested, evidence, captured_by, device_id, at_device, at, received_at",
            of_order=_ITS_OWN,
        ),
        Source(
            "superseded",
            "signature_superseded",
            "signature_id, work_order_id, content_hash, changed, changed_by, at",
            of_order=_ITS_OWN,
        ),
        Source(
            "report",
            "service_report",
            "work_order_id, signature_id, version, language, document, document_hash, code, created_at",
            of_order=_ITS_OWN,
        ),
        Source(
            "print",
            "report_pdf",
            "report_id, pdf_sha256, plain_sha256, level, fingerprint, created_at",
            of_order="(t.org_id, t.report_id) in "
            "(select r.org_id, r.id from service_report r where r.work_order_id = %(order)s)",
        ),
        Source("certificate", "seal_certificate", "fingerprint, pem, first_used_at"),
        Source(
            "movement",
            "stock_movement",
            "part_id, from_id, to_id, quantity, serial, reason, work_order_id, visit_id, reverses_id, why, moved_by, "
            "device_id, at, recorded_at",
        ),
        Source(
            "timeline",
            "timeline_entry",
            "work_order_id, visit_id, action, from_state, to_state, actor_id, actor_name, device_id, at_device, at, "
            "recorded_at, encode(st_asbinary(place), 'hex') as place, why, facts",
            of_order=_ITS_OWN,
        ),
        Source("login", "session", "person_id, device_id, audience, created_at"),
        Source("logout", "session", "revoked_at, revoked_why", "revoked_at is not null"),
        Source("device", "device", "person_id, platform, public_key, enrolled_at"),
        Source("device_revoked", "device", "revoked_at, revoked_why", "revoked_at is not null"),
        Source("api_key", "api_key", "name, prefix, key_hash, scopes, created_by, created_at"),
        Source("api_key_revoked", "api_key", "revoked_at", "revoked_at is not null"),
        Source(
            "review",
            "review",
            "item_id, verdict, note, result, person_id, at",
            of_order="(t.org_id, t.item_id) in (select i.org_id, i.id from review_item i "
            "where i.work_order_id = %(order)s or i.mutation_id = any(%(mutations)s))",
        ),
        Source("rescue", "rescue", "device_id, stream_id, brought_by, code, reason, app, accepted, duplicates, at"),
        Source("erasure", "audit_erasure", "kind as erased, ref, work_order_id, number, why, erased_by, at"),
    )
}


@dataclass(frozen=True)
class Mark:
    """A row that waits to be sealed."""

    ticket: int
    kind: str
    ref: UUID


@dataclass(frozen=True)
class Link:
    n: int
    kind: str
    ref: UUID
    digest: str
    prev_hash: str
    hash: str
    at: datetime


@dataclass(frozen=True)
class Backlog:
    """What is written and not sealed yet."""

    count: int
    oldest_seconds: float


@dataclass(frozen=True)
class Fault:
    """One record that is not as it was sealed. `n` is its place in the chain, None for what never got one."""

    n: int | None
    kind: str
    ref: UUID | None
    what: str

    def __str__(self) -> str:
        place = f"entry {self.n}, " if self.n is not None else ""
        return f"{place}{self.kind} {self.ref or ''}: {self.what}".replace(" :", ":")


@dataclass(frozen=True)
class Erasure:
    """A sealed record that was rightfully erased: which, with which order, why, by whom and when."""

    kind: str
    ref: UUID
    number: int
    why: str
    erased_by: str
    at: datetime


@dataclass(frozen=True)
class Finding:
    """The answer of a verification: how much was checked, and all that is wrong, in the chain's order.

    erased: sealed records that are gone and on record as erased, which is no fault.
    """

    checked: int
    head: str
    backlog: Backlog
    files: int
    anchors: int
    faults: tuple[Fault, ...]
    erased: tuple[Erasure, ...] = ()

    @property
    def first(self) -> Fault | None:
        return next(iter(self.faults), None)


def row_digest(kind: str, row: Mapping[str, Any]) -> str:
    """Hash the canonical JSON (RFC 8785) of a row's sealed columns."""
    plain = {"kind": kind} | {name: _plain(value) for name, value in row.items()}
    try:
        return hashlib.sha256(canonical(plain)).hexdigest()
    except ValueError:
        # Numbers no double can hold have no canonical JSON; one such row must not stop the chain.
        return digest({"kind": kind, "text": json.dumps(plain, sort_keys=True)})


def link_hash(previous: str, link: Link) -> str:
    """Hash the link before it, followed by the canonical JSON of this one. `audit_append` does the same in SQL."""
    said = {"n": link.n, "kind": link.kind, "ref": str(link.ref), "digest": link.digest, "at": stamp(link.at)}
    return hashlib.sha256(bytes.fromhex(previous) + canonical(said)).hexdigest()


def stamp(at: datetime) -> str:
    """Spell an instant: UTC, microseconds, always."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return stamp(value)
        case UUID() | Decimal():
            return str(value)
        case _:
            return value
