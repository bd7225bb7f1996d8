"""The chain's head, written down where whoever changes the database can't reach it.

A chain that was rewritten from some link to its end is flawless in itself. What gives it away is an older head, signed
with the organisation's seal key and, where an authority is configured, time-stamped by it (RFC 3161).
"""

import base64
import json
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import UUID

from cryptography import x509

from server.audit import queries
from server.audit.domain import GENESIS, Link, stamp
from server.confirmation.canonical import canonical
from server.confirmation.queries import keep_certificate
from server.confirmation.sealing import Sealer
from server.confirmation.seals import is_signed_by
from server.core.db import Database, UnitOfWork
from server.identity.queries import organisation

SCHEMA = "callout.audit-anchor/1"
_BATCH = 5000

type Json = dict[str, Any]


@dataclass(frozen=True)
class Anchor:
    """A head read back from a file. `source` says which."""

    org: UUID
    n: int
    hash: str
    source: str


class BadAnchor(Exception):  # noqa: N818 - a finding of the verification, said to people
    """A file that is no anchor, or whose signature or time-stamp does not hold."""


async def signed_heads(database: Database, sealer: Sealer, orgs: Sequence[UUID], *, entries: bool = False) -> Json:
    """Answer the document that is anchored: each chain's head, signed, and its links too if asked for."""
    return {"schema": SCHEMA, "heads": [await _signed_head(database, sealer, org, entries=entries) for org in orgs]}


async def _signed_head(database: Database, sealer: Sealer, org: UUID, *, entries: bool) -> Json:
    async with database.unit_of_work(org) as uow:
        name = (await organisation(uow)).name
        key = await sealer.key(org, name)
        # Known before it signs anything: what it signed is to be checked by others.
        await keep_certificate(uow, fingerprint=key.fingerprint, pem=key.pem)
        head = await queries.head(uow)
        statement = _statement(org, name, head, at=uow.now(), written_at=sealer.wall.now())
        chain = await _chain(uow, statement["n"]) if entries else {}
    said = canonical(statement)
    token = await sealer.timestamp(said)
    signed = {
        "statement": statement,
        "signature": base64.b64encode(key.sign(said)).decode(),
        "certificate": key.pem,
        "timestamp": base64.b64encode(token).decode() if token else None,
    }
    return signed | chain


def _statement(org: UUID, name: str, head: Link | None, *, at: datetime, written_at: datetime) -> Json:
    return {
        "organisation": str(org),
        "name": name,
        "n": head.n if head else 0,
        "hash": head.hash if head else GENESIS,
        "at": stamp(at),
        "written_at": stamp(written_at),
    }


async def _chain(uow: UnitOfWork, last: int) -> Json:
    """Spell the links, and what of the records they seal was erased since."""
    return {
        "entries": [_spelled(link) async for link in _links(uow, last)],
        "erasures": [
            {"kind": it.kind, "ref": str(it.ref), "why": it.why, "erased_by": it.erased_by, "at": stamp(it.at)}
            for it in await queries.erasures(uow)
        ],
    }


async def _links(uow: UnitOfWork, last: int) -> AsyncIterator[Link]:
    n = 0
    while batch := [link for link in await queries.links_after(uow, n, _BATCH) if link.n <= last]:
        for link in batch:
            yield link
        n = batch[-1].n


def _spelled(link: Link) -> Json:
    return {
        "n": link.n,
        "kind": link.kind,
        "ref": str(link.ref),
        "digest": link.digest,
        "hash": link.hash,
        "at": stamp(link.at),
    }


def write_daily(folder: Path, day: date, document: Json) -> Path | None:
    """Write the day's anchor, whole and once; None when it was written before. Nothing here ever changes it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day:%Y-%m-%d}.json"
    with NamedTemporaryFile("w", dir=folder, prefix=".", encoding="utf-8") as draft:
        json.dump(document, draft, ensure_ascii=False, indent=1)
        draft.flush()
        os.fchmod(draft.fileno(), 0o444)
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return None
    return path


async def read_anchors(paths: Sequence[Path], sealer: Sealer) -> list[Anchor]:
    """Read anchors from files, and from folders of them. Raises BadAnchor for one that does not hold."""
    files = sorted(found for path in paths for found in (path.glob("*.json") if path.is_dir() else [path]))
    return [await _anchor(file, head, sealer) for file in files for head in _heads_in(file)]


def _heads_in(file: Path) -> list[Json]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as unreadable:
        raise BadAnchor(f"{file} can't be read as an anchor: {unreadable}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise BadAnchor(f"{file} is no anchor of an audit chain")
    heads: list[Json] = document["heads"]
    return heads


async def _anchor(file: Path, head: Json, sealer: Sealer) -> Anchor:
    try:
        said = canonical(head["statement"])
        certificate = x509.load_pem_x509_certificate(head["certificate"].encode())
        signature, token = (
            base64.b64decode(head["signature"]),
            head["timestamp"] and base64.b64decode(head["timestamp"]),
        )
        anchor = Anchor(
            UUID(head["statement"]["organisation"]), head["statement"]["n"], head["statement"]["hash"], file.name
        )
    except (KeyError, TypeError, ValueError) as unreadable:
        raise BadAnchor(f"{file} can't be read as an anchor: {unreadable}") from None
    if not is_signed_by(certificate, said, signature):
        raise BadAnchor(f"{file} is not what was signed: its head of {anchor.org} was changed")
    if token and not await sealer.timestamp_holds(said, token):
        raise BadAnchor(f"the time-stamp in {file} does not belong to its head of {anchor.org}")
    return anchor
