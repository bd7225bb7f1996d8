"""`callout audit …`: checking the chain, writing its head down elsewhere, erasing on record, changing its keys."""

import json
from itertools import groupby
from pathlib import Path
from uuid import UUID

from callout.asgi import assemble
from callout.database import owner_url
from callout.settings import Settings
from edge.services import Services
from server.audit.anchors import Anchor, BadAnchor, read_anchors, signed_heads
from server.audit.checking import verify_chain
from server.audit.domain import Finding
from server.audit.erasing import erase_order
from server.core.db import Database
from server.identity.queries import organisation, organisation_of_slug

_MOST_SAID = 20


async def verify(settings: Settings, slug: str | None, anchors: list[Path], *, files: bool) -> bool:
    """Recompute the chains and say what was found; True when nothing is wrong."""
    services = assemble(settings)
    await services.database.open()
    try:
        written = [settings.anchors_dir, *anchors] if settings.anchors_dir.is_dir() else anchors
        known = await read_anchors(written, services.sealer)
        return all(
            [await _verify_one(services, org, known, files=files) for org in await _chosen(services.database, slug)]
        )
    except BadAnchor as bad:
        print(f"callout: {bad}")
        return False
    finally:
        await services.database.close()


async def _verify_one(services: Services, org: UUID, anchors: list[Anchor], *, files: bool) -> bool:
    finding = await verify_chain(services.database, services.blobs, org, anchors=anchors, files=files)
    async with services.database.unit_of_work(org) as uow:
        slug = (await organisation(uow)).slug
    for line in _said(slug, finding):
        print(line)
    return not finding.faults


def _said(slug: str, finding: Finding) -> list[str]:
    waiting = finding.backlog
    checked = f"{finding.checked} entries, {finding.files} files and {finding.anchors} anchors checked"
    lines = [f"{slug}: {checked}; head {finding.head}"]
    if waiting.count:
        lines.append(f"{slug}: {waiting.count} rows wait to be sealed, the oldest for {waiting.oldest_seconds:.0f} s")
    lines += [f"{slug}: {line}" for line in _erased(finding)]
    if finding.first:
        lines.append(f"{slug}: FIRST BAD RECORD: {finding.first}")
        lines += [f"{slug}: also bad: {fault}" for fault in finding.faults[1:_MOST_SAID]]
    if len(finding.faults) > _MOST_SAID:
        lines.append(f"{slug}: and {len(finding.faults) - _MOST_SAID} more")
    return lines


def _erased(finding: Finding) -> list[str]:
    """One line for everything, and one for each order as often as somebody erased it."""
    if not finding.erased:
        return []
    acts = sorted((it.at, it.number, it.erased_by, it.why) for it in finding.erased)
    return [
        f"{len(acts)} records erased on record",
        *(
            f"order {number}: {len(list(records))} of them, {at:%Y-%m-%d %H:%M} UTC, by {by}: {why}"
            for (at, number, by, why), records in groupby(acts)
        ),
    ]


async def erase(settings: Settings, number: int, slug: str | None, *, why: str, by: str | None) -> None:
    """Erase an order for good, as the administrator whose database this is."""
    database = Database(owner_url(settings), settings.business_clock, max_size=1)
    await database.open()
    try:
        org = await _the_one(database, slug)
        async with database.unit_of_work(org) as uow:
            gone = await erase_order(uow, number, why=why, by=by)
    finally:
        await database.close()
    print(f"order {number}: {gone.records} sealed records erased, on record")
    if gone.unreadable:
        print(f"order {number}: {gone.unreadable} pushes that nobody could read name it too; they were left alone")


async def _the_one(database: Database, slug: str | None) -> UUID:
    match await _chosen(database, slug):
        case [org]:
            return org
        case orgs:
            raise SystemExit(f"callout: there are {len(orgs)} organisations; say which by --org")


async def export(settings: Settings, slug: str | None, file: Path, *, entries: bool) -> None:
    """Write signed heads to a file that must not exist yet."""
    services = assemble(settings)
    await services.database.open()
    try:
        orgs = await _chosen(services.database, slug)
        document = await signed_heads(services.database, services.sealer, orgs, entries=entries)
    finally:
        await services.database.close()
    with file.open("x", encoding="utf-8") as opened:
        json.dump(document, opened, ensure_ascii=False, indent=1)
    print(f"{len(orgs)} chain heads written to {file}")


async def rotate(settings: Settings, slug: str) -> None:
    """Put an organisation's seal key aside; the next seal makes a new one."""
    services = assemble(settings)
    await services.database.open()
    try:
        [org] = await _chosen(services.database, slug)
    finally:
        await services.database.close()
    done = services.sealer.keys.rotate(org, services.sealer.wall.now())
    print(f"{slug}: {'the key was put aside; the next seal makes a new one' if done else 'there is no key yet'}")


async def _chosen(database: Database, slug: str | None) -> list[UUID]:
    if slug is None:
        return await database.organisations()
    async with database.unit_of_work() as uow:
        found = await organisation_of_slug(uow, slug)
    if found is None:
        raise SystemExit(f"callout: there is no organisation {slug!r}")
    return [found]
