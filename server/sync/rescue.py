"""The last way in for what a person recorded: from revoked devices, disabled people, ancient apps, exported files.

Nothing is applied and nothing is handed out. Every mutation of a bundle ends in quarantine, once, under a stream of
its own, where a person decides. What can't be read as a mutation is kept as text: whoever comes here has no other way.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from pydantic import ValidationError

from server.core import events, limits
from server.core.db import Database, UnitOfWork
from server.core.errors import NotFound
from server.core.limits import Rate
from server.identity.domain import Rescuer, Standing
from server.sync import fleet
from server.sync import rescue_queries as queries
from server.sync.domain import Status
from server.sync.envelope import UNKNOWN_UNCERTAINTY, Envelope, canonical
from server.sync.matters import Alert, RescueCode
from server.sync.refusals import FileNotNamed, WrongDevice
from server.sync.windows import Windows, refuses

MAX_MUTATIONS = 500
# A phone that was away for a season is through in an hour; one that floods the inbox is slowed to a trickle.
RATE = Rate(times=2000, per=timedelta(hours=1), burst=5000)
# Whoever floods this door with files is slowed as well; a day's photos in small chunks are far fewer.
FILE_RATE = Rate(times=6000, per=timedelta(hours=1), burst=12_000)
MOST_REFUSED_BODIES = 20
MOST_REFUSED_BYTES = 20_000_000
_FORGET_REFUSED_AFTER = timedelta(days=90)
# Streams of rescued mutations: made of the device's own, so that one device finds the same again.
_STREAMS = UUID("6f1d2a52-93b8-5f0e-8c0a-0d4f2a6e71c3")
_UNREADABLE = "unreadable"

type Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Bundle:
    """What a device could not push. `device_now` is its clock when it sent this, where it said so."""

    device: UUID
    stream: UUID
    app: str
    reason: str
    mutations: Sequence[Any]
    device_now: datetime | None = None


@dataclass(frozen=True)
class Counts:
    """All that a rescue ever answers: how many are kept now, and how many were already."""

    accepted: int
    duplicates: int


@dataclass(frozen=True)
class Kept:
    """One mutation as it goes to the log; `spare_id` is for one whose id belongs to another mutation."""

    id: UUID
    spare_id: UUID
    name: str
    v: int
    envelope: dict[str, Any]
    at: datetime | None


async def take_in(uow: UnitOfWork, windows: Windows, bundle: Bundle, *, brought_by: UUID) -> Counts:
    """Put a bundle into quarantine; sending it again changes nothing.

    Whose work it is says the stream, or the device where the stream is new. Raises NotFound, WrongDevice,
    TooManyRequests.
    """
    device = await queries.device(uow, bundle.device)
    if device is None:
        raise NotFound(thing="device")
    owner = await queries.stream_owner(uow, bundle.stream)
    if owner is not None and owner["device_id"] != bundle.device:
        raise WrongDevice
    await limits.take(uow, f"rescue:{bundle.device}", RATE, cost=len(bundle.mutations))
    person: UUID = owner["person_id"] if owner else device["person_id"]
    code = _code(windows, bundle.app, Standing.of(active=device["active"], revoked=device["revoked"]), uow.now())
    fresh = await _fresh(uow, [_kept(raw) for raw in bundle.mutations])
    counts = Counts(len(fresh), len(bundle.mutations) - len(fresh))
    if fresh:
        await _log(uow, bundle, person, code, fresh)
    about = {"accepted": counts.accepted, "duplicates": counts.duplicates, "code": str(code), "reason": bundle.reason}
    await queries.insert_rescue(
        uow, device=bundle.device, stream=bundle.stream, brought_by=brought_by, app=bundle.app, **about
    )
    await events.append(uow, "device.rescued", subject=("device", bundle.device), actor=brought_by, payload=about)
    return counts


async def check_file(database: Database, rescuer: Rescuer, sha256: str) -> None:
    """Let a device bring a file that something it handed in names, by push or by rescue, and no other.

    A push whose answer was lost is a duplicate to the rescue, so the file's mutation may lie in either stream. Raises
    FileNotNamed, TooManyRequests.
    """
    async with database.unit_of_work(rescuer.org) as uow:
        await limits.take(uow, f"rescue_files:{rescuer.device}", FILE_RATE)
        named = await queries.names_file(uow, rescuer.device, sha256)
    if not named:  # said only now: a refused try counts too
        raise FileNotNamed


def _code(windows: Windows, app: str, standing: Standing, now: datetime) -> RescueCode:
    match standing:
        case Standing.REVOKED:
            return RescueCode.AFTER_REVOCATION
        case Standing.DISABLED:
            return RescueCode.USER_DISABLED
        case Standing.GOOD:
            return RescueCode.UPGRADE_REQUIRED if refuses(windows, app, now) else RescueCode.RESCUED


def _kept(raw: Any) -> Kept:
    """Read a mutation as far as it can be read."""
    text = json.dumps(raw, sort_keys=True, separators=(",", ":"))  # ASCII: any text a column can't hold is escaped
    spare_id = uuid5(_STREAMS, json.dumps(_essence(raw), sort_keys=True))
    try:
        envelope = Envelope.model_validate(raw)
    except (ValidationError, RecursionError):
        return Kept(_id_in(raw) or spare_id, spare_id, _name_in(raw), 0, {"json": text}, None)
    return Kept(envelope.id, spare_id, envelope.name, envelope.v, dict(raw), envelope.at)


def _essence(raw: Any) -> Any:
    """What makes two mutations the same: a stream that was forked numbers and chains them anew."""
    if not isinstance(raw, dict):
        return raw
    if set(raw) == {"json"} and isinstance(raw["json"], str):
        return _essence(json.loads(raw["json"]))
    return {name: value for name, value in raw.items() if name not in {"seq", "prev"}}


def _same(stored: Raw, sent: Raw) -> bool:
    # A NaN equals nothing, and a number may come back from the database in another spelling: either look will do.
    one, other = _essence(stored), _essence(sent)
    return bool(one == other) or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _id_in(raw: Any) -> UUID | None:
    try:
        return UUID(raw["id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _name_in(raw: Any) -> str:
    name = raw.get("name") if isinstance(raw, dict) else None
    return name[:100] if isinstance(name, str) and name.isprintable() and name else _UNREADABLE


async def _fresh(uow: UnitOfWork, kept: Sequence[Kept]) -> dict[UUID, Kept]:
    """Answer what the log does not hold yet, by the id it will have there."""
    held = await queries.known(uow, [one.id for one in kept] + [one.spare_id for one in kept])
    fresh: dict[UUID, Kept] = {}
    for one in kept:
        if held.get(one.id) == {}:
            continue  # of one that was erased nothing but its id is left, and it does not come back
        stored = held.get(one.id) or (fresh[one.id].envelope if one.id in fresh else None)
        if stored is None:
            fresh[one.id] = one
        elif not _same(stored, one.envelope) and one.spare_id not in held:
            # A broken client used one id for two things. Neither may be lost for it.
            fresh[one.spare_id] = one
    return fresh


async def _log(uow: UnitOfWork, bundle: Bundle, person: UUID, code: RescueCode, fresh: Mapping[UUID, Kept]) -> None:
    stream = uuid5(_STREAMS, str(bundle.stream))
    last_seq = await queries.hold_stream(uow, stream, bundle.device, person)
    received = uow.now()
    ahead = received - bundle.device_now if bundle.device_now else timedelta()
    rows = []
    for seq, (mutation_id, one) in enumerate(fresh.items(), start=last_seq + 1):
        at = one.at or received
        result = {"seq": seq, "id": str(mutation_id), "status": str(Status.QUARANTINED), "code": str(code)}
        rows.append(
            {
                "org": uow.org,
                "id": mutation_id,
                "stream": stream,
                "seq": seq,
                "device": bundle.device,
                "person": person,
                "name": one.name,
                "v": one.v,
                "envelope": one.envelope,
                "payload_hash": hashlib.sha256(canonical(one.envelope)).hexdigest(),
                "code": code,
                "result": result,
                "at_device": at,
                "at_estimated": min(at + ahead, received),
                "uncertainty_ms": int(UNKNOWN_UNCERTAINTY.total_seconds() * 1000),
                "received_at": received,
            }
        )
    await queries.log_rescued(uow, rows)
    await queries.advance_stream(uow, stream, last_seq + len(rows))


async def keep_refused_push(uow: UnitOfWork, *, device: UUID, person: UUID, body: bytes, why: str) -> bool:
    """Keep the body of a push that nobody could read, and let somebody know; answer whether there was room.

    Each body is kept once however often it comes. A device has room for a few; the rest stays on the device, which
    stops the stream and keeps everything when it is answered 422.
    """
    kept = await queries.keep_body(
        uow,
        device_id=device,
        person=person,
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        why=why[:500],
        most=MOST_REFUSED_BODIES,
        most_bytes=MOST_REFUSED_BYTES,
        forget_before=uow.now() - _FORGET_REFUSED_AFTER,
    )
    await fleet.raise_alert(uow, device, Alert.REFUSED_PUSH, {"why": why[:500], "bytes": len(body), "kept": kept})
    return kept
