"""One ledger for all stock. A movement takes from one location and gives to another; balances follow by trigger."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Numeric, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from server.core.tables import (
    OrgRecord,
    OrgTable,
    belongs_to,
    bigint,
    instant,
    jsonb,
    of_organisation,
    one_of,
    point,
)
from server.inventory.domain import (
    VIRTUAL,
    DiscrepancyKind,
    DiscrepancyState,
    LocationKind,
    Reason,
    ReservationState,
    TransferState,
)

_VIRTUAL = ", ".join(f"'{kind}'" for kind in VIRTUAL)


def _quantity(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(Numeric(14, 3), nullable=nullable))


class Part(OrgRecord, table=True):
    __tablename__ = "part"
    __table_args__ = (of_organisation(), UniqueConstraint("org_id", "sku"))

    sku: str
    name: dict[str, Any] = jsonb()
    unit: str
    serial_tracked: bool
    price_minor: int
    currency: str


class StockLocation(OrgRecord, table=True):
    __tablename__ = "stock_location"
    __table_args__ = (
        of_organisation(),
        one_of("kind", LocationKind),
        belongs_to("person_id", "person"),
        UniqueConstraint("org_id", "name"),
        Index(
            "stock_location_van_idx",
            "org_id",
            "person_id",
            unique=True,
            postgresql_where=f"kind = '{LocationKind.VAN}'",
        ),
        Index("stock_location_virtual_idx", "org_id", "kind", unique=True, postgresql_where=f"kind in ({_VIRTUAL})"),
    )

    kind: str
    name: str
    person_id: UUID | None = None  # whose van
    place: Any = point(nullable=True)


class StockMovement(OrgRecord, table=True):
    """Append-only: a mistake is answered by a reversing movement."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        of_organisation(),
        belongs_to("part_id", "part"),
        belongs_to("from_id", "stock_location"),
        belongs_to("to_id", "stock_location"),
        belongs_to("reverses_id", "stock_movement"),
        belongs_to("count_id", "stock_count"),
        one_of("reason", Reason),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("from_id <> to_id", name="two_ends"),
        Index(None, "org_id", "part_id", "at"),
        Index(None, "org_id", "work_order_id"),
        Index("stock_movement_serial_idx", "org_id", "part_id", "serial", postgresql_where="serial is not null"),
        Index("stock_movement_count_idx", "org_id", "count_id", postgresql_where="count_id is not null"),
        UniqueConstraint("org_id", "reverses_id"),
    )

    part_id: UUID
    from_id: UUID
    to_id: UUID
    quantity: Decimal = _quantity()
    serial: str | None = None
    reason: str
    work_order_id: UUID | None = None  # without a reference: the ledger outlives an order that is erased
    visit_id: UUID | None = None
    reverses_id: UUID | None = None
    why: str | None = None
    moved_by: UUID
    device_id: UUID | None = None
    stream_id: UUID | None = None
    seq: int | None = bigint(nullable=True)  # of the mutation that brought it: the order of what one stream told
    count_id: UUID | None = None  # settles this count: booked by it, or for what was told later
    at: datetime = instant()
    recorded_at: datetime = instant()


class Stock(OrgTable, table=True):
    """The balance of the movements at each physical location, kept by trigger.

    A van may go below zero: what was used in the field happened. The outside world (supplier, consumed, adjustment)
    has no row here: it would be one hot row that every usage of a part in the organisation waits for, and the ledger
    answers it.
    """

    __tablename__ = "stock"
    __table_args__ = (
        of_organisation(),
        belongs_to("location_id", "stock_location"),
        belongs_to("part_id", "part"),
        UniqueConstraint("org_id", "id"),
    )

    location_id: UUID = Field(primary_key=True)
    part_id: UUID = Field(primary_key=True)
    # One name for the pair, so that phones can be told about it like about any other row.
    id: UUID = Field(sa_column=Column(Uuid, nullable=False, server_default=text("gen_random_uuid()")))
    quantity: Decimal = _quantity()


class StockCount(OrgRecord, table=True):
    """What somebody found at a place. The ledger answers with movements that name the count (see `stock_follow`)."""

    __tablename__ = "stock_count"
    __table_args__ = (
        of_organisation(),
        belongs_to("location_id", "stock_location"),
        belongs_to("part_id", "part"),
        CheckConstraint("quantity >= 0", name="quantity"),
        Index("stock_count_at_idx", "org_id", "location_id", "part_id", "at"),
    )

    location_id: UUID
    part_id: UUID
    quantity: Decimal = _quantity()
    serials: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    counted_by: UUID
    device_id: UUID | None = None
    stream_id: UUID | None = None
    seq: int | None = bigint(nullable=True)
    at: datetime = instant()
    recorded_at: datetime = instant()


class Reservation(OrgRecord, table=True):
    """A promise of stock to an order. Free is what lies at the place less what open reservations still want of it."""

    __tablename__ = "reservation"
    __table_args__ = (
        of_organisation(),
        belongs_to("part_id", "part"),
        belongs_to("location_id", "stock_location"),
        belongs_to("work_order_id", "work_order", on_delete="CASCADE"),
        one_of("state", ReservationState),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("used between 0 and quantity", name="used"),
        CheckConstraint("(state = 'open') = (ended_at is null)", name="ended_at"),
        Index("reservation_order_idx", "org_id", "work_order_id", "part_id"),
        Index("reservation_open_idx", "org_id", "location_id", "part_id", postgresql_where="state = 'open'"),
    )

    work_order_id: UUID
    part_id: UUID
    location_id: UUID
    quantity: Decimal = _quantity()
    used: Decimal = _quantity()
    state: str
    expires_at: datetime | None = instant(nullable=True)
    reserved_by: UUID
    at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    why: str | None = None


class ReservationUse(OrgTable, table=True):
    """How much of a reservation a movement used up; negative where a reversal or a return gave it back."""

    __tablename__ = "reservation_use"
    __table_args__ = (
        of_organisation(),
        belongs_to("reservation_id", "reservation", on_delete="CASCADE"),
        belongs_to("movement_id", "stock_movement"),
        CheckConstraint("quantity <> 0", name="quantity"),
        Index("reservation_use_movement_idx", "org_id", "movement_id"),
    )

    reservation_id: UUID = Field(primary_key=True)
    movement_id: UUID = Field(primary_key=True)
    quantity: Decimal = _quantity()


class Transfer(OrgRecord, table=True):
    """Goods from one place to another, told by two people in either order."""

    __tablename__ = "transfer"
    __table_args__ = (
        of_organisation(),
        belongs_to("part_id", "part"),
        belongs_to("from_id", "stock_location"),
        belongs_to("to_id", "stock_location"),
        belongs_to("into_id", "stock_location"),
        one_of("state", TransferState),
        CheckConstraint("num_nonnulls(sent, received) > 0", name="one_side"),
        Index("transfer_open_idx", "org_id", "state", "id", postgresql_where="state <> 'received'"),
    )

    part_id: UUID
    serial: str | None = None
    from_id: UUID | None = None
    to_id: UUID
    into_id: UUID | None = None  # where it arrived
    state: str
    sent: Decimal | None = _quantity(nullable=True)
    sent_at: datetime | None = instant(nullable=True)
    sent_by: UUID | None = None
    received: Decimal | None = _quantity(nullable=True)
    received_at: datetime | None = instant(nullable=True)
    received_by: UUID | None = None


class Discrepancy(OrgRecord, table=True):
    """A task for a person: ledger and world differ. Whoever resolves it says why."""

    __tablename__ = "discrepancy"
    __table_args__ = (
        of_organisation(),
        belongs_to("part_id", "part"),
        belongs_to("location_id", "stock_location"),
        belongs_to("count_id", "stock_count"),
        one_of("kind", DiscrepancyKind),
        one_of("state", DiscrepancyState),
        CheckConstraint("(state = 'open') = (resolved_at is null)", name="resolved_at"),
        Index("discrepancy_state_idx", "org_id", "state", "id"),
        # One open task per van and part, however often something is taken from it meanwhile.
        Index(
            "discrepancy_negative_idx",
            "org_id",
            "location_id",
            "part_id",
            unique=True,
            postgresql_where="kind = 'negative' and state = 'open'",
        ),
        Index("discrepancy_count_idx", "org_id", "count_id", unique=True, postgresql_where="count_id is not null"),
        Index(
            "discrepancy_transfer_idx",
            "org_id",
            "transfer_id",
            unique=True,
            postgresql_where="transfer_id is not null and mutation_id is null",
        ),
        Index(
            "discrepancy_mutation_idx", "org_id", "mutation_id", unique=True, postgresql_where="mutation_id is not null"
        ),
    )

    kind: str
    part_id: UUID
    location_id: UUID | None = None
    serial: str | None = None
    expected: Decimal | None = _quantity(nullable=True)
    found: Decimal | None = _quantity(nullable=True)
    movement_id: UUID | None = None
    count_id: UUID | None = None
    transfer_id: UUID | None = None
    mutation_id: UUID | None = None  # of the mutation that was quarantined for it
    work_order_id: UUID | None = None  # may be gone
    note: str | None = None
    state: str
    opened_at: datetime = instant()
    opened_by: UUID | None = None
    resolved_at: datetime | None = instant(nullable=True)
    resolved_by: UUID | None = None  # nobody: what arrived later explained it
    resolution: str | None = None
