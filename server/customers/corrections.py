"""What the field finds different on site: facts of sites and machines merge by field, and each field has an owner."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import UnitOfWork
from server.customers import duplicates, queries
from server.customers.domain import Asset, Entity, Likeness, Site
from server.sync.merge import FieldsMerged, Owner, merge_fields

# What people see on site they know best; names, addresses and promises are the office's.
SITE_OWNERS: Mapping[str, Owner] = {
    "access_notes": Owner.FIELD,
    "meter_location": Owner.FIELD,
    "name": Owner.OFFICE,
    "address": Owner.OFFICE,
    "fence_radius_m": Owner.OFFICE,
}
ASSET_OWNERS: Mapping[str, Owner] = {
    "model": Owner.FIELD,
    "serial": Owner.FIELD,
    "installed_on": Owner.FIELD,
    "status": Owner.FIELD,
    "notes": Owner.FIELD,
    "product": Owner.OFFICE,
    "warranty_until": Owner.OFFICE,
}


@dataclass(frozen=True)
class Corrected:
    """How a correction ended. `holder` is the asset that has the serial number somebody wanted to write."""

    fields: FieldsMerged
    holder: Asset | None = None
    serial: str | None = None


async def patch_site(
    uow: UnitOfWork, site: Site, *, base: Mapping[str, Any], wanted: Mapping[str, Any], by: UUID
) -> Corrected:
    """Correct a site, which is held."""
    found = merge_fields(base, wanted, vars(site), SITE_OWNERS)
    if found.taken:
        await queries.save_site(uow, replace(site, **found.taken, version=site.version + 1))
    await _tell(uow, "site", site.id, found, by)
    return Corrected(found)


async def patch_asset(
    uow: UnitOfWork, asset: Asset, *, base: Mapping[str, Any], wanted: Mapping[str, Any], by: UUID
) -> Corrected:
    """Correct an asset, which is held. A serial number somebody else's machine has is not written but answered."""
    found = merge_fields(base, wanted, vars(asset), ASSET_OWNERS)
    becomes = replace(asset, **found.taken, version=asset.version + 1)
    holder = await queries.serial_holder(uow, becomes) if asset.twin_of is None else None
    if holder is not None:
        becomes = replace(becomes, product=asset.product, serial=asset.serial)
        left = {name: value for name, value in found.taken.items() if name not in {"product", "serial"}}
        found = replace(found, taken=left)
    if found.taken:
        await queries.save_asset(uow, becomes)
    await _tell(uow, "asset", asset.id, found, by)
    return Corrected(found, holder, wanted.get("serial", asset.serial) if holder else None)


async def write_fields(uow: UnitOfWork, it: Site | Asset, fields: Mapping[str, Any], *, by: UUID) -> None:
    """Let fields read as a person decided. A machine that shares its serial number then stands as a twin."""
    changed = replace(it, **fields, version=it.version + 1)
    was = {name: getattr(it, name) for name in fields}
    if isinstance(changed, Site):
        await queries.save_site(uow, changed)
        await _tell(uow, "site", it.id, FieldsMerged(fields, {}, was, beside=False), by)
        return
    holder = await queries.serial_holder(uow, changed)
    await queries.save_asset(uow, replace(changed, twin_of=holder.id if holder else None))
    if holder:
        await duplicates.suggest(uow, Entity.ASSET, newer=it.id, older=holder.id, why=Likeness.SAME_SERIAL, by=by)
    await _tell(uow, "asset", it.id, FieldsMerged(fields, {}, was, beside=False), by)


async def record_asset(uow: UnitOfWork, it: Asset, *, by: UUID) -> Asset | None:
    """Record a machine found on site; answers the one it probably is, which a person may merge it into."""
    if not await queries.insert_asset(uow, it):
        holder = await queries.serial_holder(uow, it)
        assert holder is not None, "the database has just refused the second one"
        await queries.insert_asset(uow, replace(it, twin_of=holder.id))
    found = await duplicates.likeness_of(uow, it)
    if found is None:
        return None
    older, why = found
    await duplicates.suggest(uow, Entity.ASSET, newer=it.id, older=older.id, why=why, by=by)
    return older


async def _tell(uow: UnitOfWork, kind: str, entity_id: UUID, found: FieldsMerged, by: UUID) -> None:
    """Keep both words: what is written, what it replaced, and what was not taken."""
    if not found.taken and not found.kept_out:
        return
    await events.append(
        uow,
        f"{kind}.corrected",
        subject=(kind, entity_id),
        actor=by,
        payload={
            "taken": _plain(found.taken),
            "kept_out": _plain(found.kept_out),
            "overruled": _plain(found.overruled),
        },
    )


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | None) else str(value) for name, value in fields.items()}
