"""Customers, the sites they are served at, the people to call and the equipment installed there."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import Boolean, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from server.core.tables import OrgRecord, belongs_to, instant, jsonb, of_organisation, one_of, point, texts
from server.customers.domain import AssetStatus, Entity, Likeness, Tier


class Customer(OrgRecord, table=True):
    __tablename__ = "customer"
    __table_args__ = (of_organisation(), one_of("tier", Tier), UniqueConstraint("org_id", "number"))

    number: str
    name: str
    tier: str
    email: str | None = None
    phone: str | None = None
    language: str
    tags: list[str] = texts()
    notes: str
    created_at: datetime = instant()


class Site(OrgRecord, table=True):
    __tablename__ = "site"
    __table_args__ = (
        of_organisation(),
        belongs_to("customer_id", "customer"),
        belongs_to("territory_id", "territory"),
        CheckConstraint("fence_radius_m between 20 and 20000", name="fence_radius"),
        Index("site_place_idx", "place", postgresql_using="gist"),
        Index(None, "org_id", "customer_id"),
    )

    customer_id: UUID
    name: str
    address: str
    place: Any = point()
    access_notes: str
    meter_location: str
    fence_radius_m: int
    fence_is_default: bool = Field(  # the radius follows the organisation's
        sa_column=Column(Boolean, nullable=False, server_default=text("false"))
    )
    fence_area: Any = Field(  # stands in for the circle
        default=None, sa_column=Column(Geography("POLYGON", 4326, spatial_index=False), nullable=True)
    )
    territory_id: UUID | None = None
    version: int
    created_at: datetime = instant()


class Contact(OrgRecord, table=True):
    __tablename__ = "contact"
    __table_args__ = (
        of_organisation(),
        belongs_to("customer_id", "customer"),
        belongs_to("site_id", "site"),
        Index(None, "org_id", "customer_id"),
    )

    customer_id: UUID
    site_id: UUID | None = None
    name: str
    role: str
    phone: str | None = None
    email: str | None = None


class Asset(OrgRecord, table=True):
    """Installed equipment."""

    __tablename__ = "asset"
    __table_args__ = (
        of_organisation(),
        belongs_to("site_id", "site"),
        one_of("status", AssetStatus),
        # A machine recorded twice without signal stands beside the first until a person says whether it is the same.
        Index("asset_serial_key", "org_id", "product", "serial", unique=True, postgresql_where="twin_of is null"),
        Index(None, "org_id", "site_id"),
    )

    site_id: UUID
    product: str
    model: str
    serial: str
    installed_on: date | None = None
    warranty_until: date | None = None
    status: str = Field(default=AssetStatus.IN_SERVICE)
    notes: str
    version: int
    twin_of: UUID | None = None  # has the same serial number as this one


class MergeSuggestion(OrgRecord, table=True):
    """Two records that are probably one thing. Only a person merges them."""

    __tablename__ = "merge_suggestion"
    __table_args__ = (
        of_organisation(),
        one_of("entity", Entity),
        one_of("why", Likeness),
        UniqueConstraint("org_id", "entity", "newer_id", "older_id"),
        Index("merge_suggestion_open_idx", "org_id", "id", postgresql_where="settled_at is null"),
    )

    entity: str
    newer_id: UUID
    older_id: UUID
    why: str
    made_at: datetime = instant()
    settled_at: datetime | None = instant(nullable=True)
    settled_by: UUID | None = None
    settlement: str | None = None


class Alias(OrgRecord, table=True):
    """The id of a record that was merged into another: phones that still know it are understood.

    was: the merged record as it stood, so that nothing of it is lost.
    """

    __tablename__ = "alias"
    __table_args__ = (of_organisation(), one_of("entity", Entity))

    entity: str
    now_id: UUID
    was: dict[str, Any] = jsonb()
    made_at: datetime = instant()
    made_by: UUID | None = None
