"""Phones and what is in them: health, manifest, cutting off, and outboxes that came by another way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, StringConstraints, model_validator

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.paging import MAX_PAGE
from server.core.wire import Id, Line, WireIn, WireOut, refuse_hostile_values
from server.customers import queries as customers
from server.identity.domain import Permission, RevokeReason
from server.sync import fleet, rescue
from server.sync.matters import Alert
from server.workorders import reading

router = APIRouter(prefix="/api/v1", tags=["devices"], responses=PROBLEMS)

type Manager = Annotated[Work, permitted(Permission.DEVICES_MANAGE)]


class DeviceOut(WireOut):
    """A device, what it last said about itself (null when it never did) and what is open about it.

    `last_seq` is the highest mutation of it that the server knows; `unsent_count` what it still held when it reported.
    """

    id: UUID
    person_id: UUID
    person_name: str
    person_active: bool
    name: str
    platform: str
    app_version: str
    storage_persisted: bool
    enrolled_at: datetime
    last_contact_at: datetime
    revoked_at: datetime | None
    revoked_why: str | None
    wiped_at: datetime | None
    reported_at: datetime | None
    unsent_count: int | None
    unsent_bytes: int | None
    oldest_unsent_at: datetime | None
    files_waiting: int | None
    row_count: int | None
    quota_bytes: int | None
    used_bytes: int | None
    clock_offset_ms: int | None
    clock_measured_at: datetime | None
    last_seq: int
    conflicts: int
    quarantined: int
    rescued: int
    alerts: list[Alert]


class DevicesOut(WireOut):
    items: list[DeviceOut]
    next_cursor: str | None


class RevokeDevice(WireIn):
    why: RevokeReason
    note: Line | None = None


class HeldOrder(WireOut):
    id: UUID
    number: int
    title: str
    customer_name: str
    site_name: str


class HeldName(WireOut):
    id: UUID
    name: str
    customer_name: str


class ManifestOut(WireOut):
    """What the device may hold. `frozen_at`: when it was cut off; null while it is in use.

    `buckets` is complete; orders, customers and sites are those of them that still exist.
    """

    frozen_at: datetime | None
    last_seq: int
    orders: list[HeldOrder]
    customers: list[HeldName]
    sites: list[HeldName]
    buckets: list[str]


class ImportOutbox(WireIn):
    """An outbox as a device exported it."""

    device: Id
    stream: Id
    app: Annotated[str, StringConstraints(max_length=100)] = ""
    reason: Line = ""
    mutations: Annotated[list[Any], Field(min_length=1, max_length=rescue.MAX_MUTATIONS)]

    @model_validator(mode="before")
    @classmethod
    def _refuse_hostile_values(cls, data: Any) -> Any:
        # Mutations are taken as they are: what can't be read is kept as text.
        if isinstance(data, dict):
            refuse_hostile_values({name: value for name, value in data.items() if name != "mutations"})
        return data


class ImportedOut(WireOut):
    accepted: int
    duplicates: int


@router.get("/devices")
async def list_devices(
    work: Manager,
    person_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> DevicesOut:
    """Devices, the latest enrolled first."""
    page = await fleet.devices(work.uow, person=person_id, cursor=cursor, limit=limit)
    return DevicesOut(items=[DeviceOut.model_validate(device) for device in page.items], next_cursor=page.next_cursor)


@router.get("/devices/{device_id}")
async def get_device(work: Manager, device_id: Id) -> DeviceOut:
    return DeviceOut.model_validate(await fleet.device(work.uow, device_id))


@router.post("/devices/{device_id}/revoke", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_device(work: Manager, device_id: Id, body: RevokeDevice) -> None:
    """Cut a device off: at its next contact it is told to hand in what it has and to delete everything."""
    await fleet.cut_off(work.uow, work.actor, device_id, body.why, body.note)


@router.get("/devices/{device_id}/manifest")
async def read_manifest(work: Manager, device_id: Id) -> ManifestOut:
    """Whose data is on the device. Reading it is logged."""
    found = await fleet.manifest(work.uow, work.actor, device_id)
    held = await customers.names(
        work.uow, customers=_ids(found.buckets, "customer"), sites=_ids(found.buckets, "site", "history")
    )
    orders = await reading.summaries_of(work.uow, _ids(found.buckets, "wo"))
    return ManifestOut(
        frozen_at=found.frozen_at,
        last_seq=found.last_seq,
        orders=[HeldOrder.model_validate(order) for order in orders],
        customers=[_held(row) for row in held if row["kind"] == "customer"],
        sites=[_held(row) for row in held if row["kind"] == "site"],
        buckets=found.buckets,
    )


def _ids(buckets: Sequence[str], *kinds: str) -> list[UUID]:
    named = [key.partition(":") for key in buckets]
    return sorted({UUID(key) for kind, _, key in named if kind in kinds})


def _held(row: dict[str, Any]) -> HeldName:
    return HeldName(id=row["id"], name=row["name"], customer_name=row["customer_name"])


@router.delete("/devices/{device_id}/alerts/{kind}", status_code=status.HTTP_204_NO_CONTENT)
async def acknowledge_alert(work: Manager, device_id: Id, kind: Alert) -> None:
    """Put an alert away. What still holds comes back by itself."""
    await fleet.acknowledge(work.uow, work.actor, device_id, kind)


@router.post("/rescues", status_code=status.HTTP_201_CREATED)
async def import_outbox(
    work: Manager, services: ServicesOf, body: ImportOutbox, key: IdempotencyHeader = None
) -> ImportedOut:
    """Take in an outbox that reached the office as a file. All of it lands in quarantine; repeating changes nothing."""

    async def act() -> ImportedOut:
        bundle = rescue.Bundle(body.device, body.stream, body.app, body.reason, body.mutations)
        counts = await rescue.take_in(work.uow, services.app_windows, bundle, brought_by=work.actor.person)
        return ImportedOut.model_validate(counts)

    return await once(work, key, body, ImportedOut, act)
