"""Words of the customer file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.geo.domain import Point


class Tier(StrEnum):
    STANDARD = "standard"
    VIP = "vip"


class AssetStatus(StrEnum):
    IN_SERVICE = "in_service"
    FAULTY = "faulty"
    RETIRED = "retired"


class Entity(StrEnum):
    """What can be recorded twice by two people without signal."""

    ASSET = "asset"
    CUSTOMER = "customer"


class Likeness(StrEnum):
    """Why two records are taken for one thing."""

    SAME_SERIAL = "same_serial"
    MISREAD_SERIAL = "misread_serial"  # the same machine at the same site, its plate read a letter differently
    SAME_CONTACT = "same_contact"
    SAME_NAME = "same_name"


@dataclass(frozen=True)
class Customer:
    id: UUID
    number: str
    name: str
    tier: Tier
    email: str | None
    phone: str | None
    language: str
    tags: tuple[str, ...]
    notes: str
    created_at: datetime


@dataclass(frozen=True)
class Site:
    id: UUID
    customer_id: UUID
    name: str
    address: str
    place: Point
    access_notes: str
    meter_location: str
    fence_radius_m: int
    territory_id: UUID | None
    version: int
    created_at: datetime
    fence_is_default: bool = False  # the radius follows the organisation's
    fence_area: Mapping[str, Any] | None = None  # a GeoJSON polygon that stands in for the circle


@dataclass(frozen=True)
class Contact:
    id: UUID
    customer_id: UUID
    site_id: UUID | None
    name: str
    role: str
    phone: str | None
    email: str | None


@dataclass(frozen=True)
class Asset:
    id: UUID
    site_id: UUID
    product: str
    model: str
    serial: str
    installed_on: date | None
    warranty_until: date | None
    status: AssetStatus
    notes: str
    version: int
    twin_of: UUID | None = None  # another asset had this serial number first


@dataclass(frozen=True)
class Suggestion:
    """Two records that are probably one thing."""

    id: UUID
    entity: Entity
    newer_id: UUID
    older_id: UUID
    why: Likeness
    made_at: datetime
    settlement: str | None


@dataclass(frozen=True)
class Profile:
    """Everything about a customer at a glance."""

    customer: Customer
    sites: list[Site]
    contacts: list[Contact]
    assets: list[Asset]


@dataclass(frozen=True)
class Caller:
    """How somebody who reports a fault says who they are."""

    name: str
    customer_number: str | None = None
    phone: str | None = None
    email: str | None = None
    asset_serial: str | None = None


@dataclass(frozen=True)
class Match:
    """A customer recognised, and by what."""

    customer_id: UUID
    matched_by: str
    asset_id: UUID | None
    site_id: UUID | None


def numbered(count: int) -> str:
    """Answer the customer number people say on the phone."""
    return f"C{count:05}"
