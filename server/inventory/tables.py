"""One ledger for all stock. A movement takes from one location and gives to another; balances follow by trigger."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Numeric, UniqueConstraint, Uuid, text
from sqlmodel import Field

from server.core.tables import OrgRecord, OrgTable, belongs_to, instant, jsonb, of_organisation, one_of, point
from server.inventory.domain import VIRTUAL, LocationKind, Reason

_VIRTUAL = ", ".join(f"'{kind}'" for kind in VIRTUAL)


def _quantity() -> Any:
    return Field(sa_column=Column(Numeric(14, 3), nullable=False))


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
        belongs_to("work_order_id", "work_order"),
        belongs_to("reverses_id", "stock_movement"),
        one_of("reason", Reason),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("from_id <> to_id", name="two_ends"),
        Index(None, "org_id", "part_id", "at"),
        Index(None, "org_id", "work_order_id"),
        Index("stock_movement_serial_idx", "org_id", "part_id", "serial", postgresql_where="serial is not null"),
        UniqueConstraint("org_id", "reverses_id"),
    )

    part_id: UUID
    from_id: UUID
    to_id: UUID
    quantity: Decimal = _quantity()
    serial: str | None = None
    reason: str
    work_order_id: UUID | None = None
    visit_id: UUID | None = None
    reverses_id: UUID | None = None
    why: str | None = None
    moved_by: UUID
    device_id: UUID | None = None
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
