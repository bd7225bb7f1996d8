"""Looking after devices: what each last said about itself, what is wrong, what it holds, and cutting it off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.core import events
from server.core.db import Database, UnitOfWork
from server.core.errors import NotFound
from server.core.paging import Page, decode_cursor, id_in, instant_in, page_of
from server.identity import service as identity
from server.identity.domain import Actor, RevokeReason
from server.sync import fleet_queries as queries
from server.sync.fleet_queries import DeviceState, Manifest
from server.sync.matters import Alert

UNSENT_TOO_LONG = timedelta(hours=24)
MANY_ROWS = 10_000


@dataclass(frozen=True)
class Health:
    """What a device says about itself. Bytes and counts of what has not been acknowledged; `rows` it holds."""

    app: str
    unsent_count: int
    unsent_bytes: int
    oldest_unsent_at: datetime | None
    files_waiting: int
    rows: int
    storage_persisted: bool
    quota_bytes: int | None
    used_bytes: int | None
    clock_offset_ms: int | None
    storage_cleared: bool


async def report(uow: UnitOfWork, device: UUID, health: Health) -> None:
    """Take in a device's report and raise or clear what follows from it at once."""
    said = {name: value for name, value in vars(health).items() if name not in {"storage_persisted", "storage_cleared"}}
    cleared_at = uow.now() if health.storage_cleared else None
    before = await queries.store_health(
        uow, device, said | {"persisted": health.storage_persisted, "cleared_at": cleared_at}
    )
    if health.storage_cleared:
        # Nobody can say any more what was lost; the last report is the best there is.
        last = before or {"unsent_count": None, "reported_at": None}
        known_at = last["reported_at"].isoformat() if last["reported_at"] else None
        await raise_alert(
            uow, device, Alert.STORAGE_CLEARED, {"unsent_count": last["unsent_count"], "known_at": known_at}
        )
    await watch(uow, device)


async def raise_alert(uow: UnitOfWork, device: UUID, kind: Alert, facts: Mapping[str, Any]) -> None:
    """Let people know once; again only after it was over."""
    if await queries.open_alert(uow, device, kind, dict(facts)):
        await events.append(
            uow, "device.alert", subject=("device", device), payload={"kind": str(kind), "facts": dict(facts)}
        )


async def note_verify_mismatch(uow: UnitOfWork, device: UUID, buckets: Sequence[str]) -> None:
    """A device held something else than the server says it should: it takes those buckets anew, we look why."""
    await raise_alert(uow, device, Alert.VERIFY_MISMATCH, {"buckets": list(buckets)[:50]})


async def acknowledge(uow: UnitOfWork, actor: Actor, device_id: UUID, kind: Alert) -> None:
    """Somebody has looked at it. What still holds is raised again by the next look. Raises NotFound."""
    if not await queries.clear_alert(uow, device_id, kind):
        raise NotFound(thing="alert")
    await events.append(
        uow, "device.alert_seen", subject=("device", device_id), actor=actor.person, payload={"kind": str(kind)}
    )


async def watch(uow: UnitOfWork, device: UUID | None = None) -> int:
    """Raise and clear what can be seen from here, also of devices that say nothing; answer how many changed.

    One device, or all with None.
    """
    changed = await queries.devices_in_trouble(
        uow, device, unsent_before=uow.now() - UNSENT_TOO_LONG, many_rows=MANY_ROWS
    )
    for row in changed:
        if row["holds"]:
            await raise_alert(uow, row["device_id"], Alert(row["kind"]), row["facts"])
        else:
            await queries.clear_alert(uow, row["device_id"], Alert(row["kind"]))
    return len(changed)


async def watch_all(database: Database) -> None:
    """Look at every organisation's devices, each in a transaction of its own."""
    for organisation in await database.organisations():
        async with database.unit_of_work(organisation) as uow:
            await watch(uow)


async def devices(uow: UnitOfWork, *, person: UUID | None, cursor: str | None, limit: int) -> Page[DeviceState]:
    """Answer a page of devices, the latest enrolled first; of one person where one is named. Raises MalformedCursor."""
    key = decode_cursor(cursor, 2)
    after = (instant_in(key[0]), id_in(key[1])) if key else None
    rows = await queries.devices_after(uow, after=after, person=person, limit=limit + 1)
    return page_of(rows, limit, lambda device: (device.enrolled_at.isoformat(), device.id))


async def device(uow: UnitOfWork, device_id: UUID) -> DeviceState:
    """Raises NotFound."""
    found = await queries.device(uow, device_id)
    if found is None:
        raise NotFound(thing="device")
    return found


async def cut_off(uow: UnitOfWork, actor: Actor, device_id: UUID, why: RevokeReason, note: str | None = None) -> None:
    """Revoke a device and freeze what it held: its tokens end now, its streams of hints within seconds.

    What it has not sent can still be rescued. Raises NotFound.
    """
    await identity.revoke_device(uow, actor, device_id, why, note)
    await queries.freeze_manifest(uow, device_id)


async def confirm_wiped(uow: UnitOfWork, device_id: UUID, person: UUID, *, unsent_left: int) -> None:
    """A device says that it deleted everything. Saying so again changes nothing."""
    if await queries.mark_wiped(uow, device_id):
        await events.append(
            uow, "device.wiped", subject=("device", device_id), actor=person, payload={"unsent_left": unsent_left}
        )


async def manifest(uow: UnitOfWork, actor: Actor, device_id: UUID) -> Manifest:
    """Answer what a device may hold. Whoever asks is remembered: it tells of customers. Raises NotFound."""
    await device(uow, device_id)
    found = await queries.frozen_manifest(uow, device_id) or await queries.manifest_now(uow, device_id)
    await events.append(uow, "device.manifest_read", subject=("device", device_id), actor=actor.person)
    return found
