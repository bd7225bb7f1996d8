"""Words of the stock ledger: where stock can be, why it moves, and the shapes the queries answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from server.inventory.errors import ReasonDoesNotFit, SameLocation, SerialNeeded, SerialNotTracked


class LocationKind(StrEnum):
    """Every place stock can be, the outside world included, so that each movement has two ends and nothing vanishes."""

    WAREHOUSE = "warehouse"
    VAN = "van"
    QUARANTINE = "quarantine"
    SUPPLIER = "supplier"  # where goods come from
    CONSUMED = "consumed"  # installed at a customer or used up
    ADJUSTMENT = "adjustment"  # what counting found or missed
    TRANSIT = "transit"  # sent from one place and not yet received at another


# Places nobody can walk to: one location of each kind per organisation, made on demand, without a balance of its own.
VIRTUAL = (LocationKind.SUPPLIER, LocationKind.CONSUMED, LocationKind.ADJUSTMENT, LocationKind.TRANSIT)

# Nobody has used up what is not there: an office movement that would leave less than nothing is a mistake.
NEVER_BELOW_ZERO = frozenset({LocationKind.WAREHOUSE, LocationKind.QUARANTINE})


class Reason(StrEnum):
    GOODS_IN = "goods_in"
    TRANSFER = "transfer"
    USED = "used"
    RETURNED = "returned"
    COUNTED = "counted"
    REVERSED = "reversed"
    SENT = "sent"  # given to somebody else, who has not said yet that it arrived
    RECEIVED = "received"


class ReservationState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"  # everything promised was used
    RELEASED = "released"  # given back to whoever needs it


class TransferState(StrEnum):
    SENT = "sent"  # on the way
    UNANNOUNCED = "unannounced"  # received, but nobody said yet that they sent it
    RECEIVED = "received"


class DiscrepancyKind(StrEnum):
    """Where ledger and world differ, as far as anybody can tell."""

    NEGATIVE = "negative"  # more was taken than the ledger knew of
    SERIAL_CLASH = "serial_clash"  # one piece was used twice
    COUNT = "count"  # a count found something else than the ledger
    TRANSFER = "transfer"  # what was sent and what was received differ


class DiscrepancyState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Part:
    id: UUID
    sku: str
    name: dict[str, str]  # {"en": …, "zh": …}
    unit: str
    serial_tracked: bool
    price_minor: int  # cents, fen; of one unit
    currency: str

    def check_serial(self, quantity: Decimal, serial: str | None) -> None:
        """Raise SerialNeeded or SerialNotTracked unless a tracked part moves as one named piece."""
        if self.serial_tracked and (serial is None or quantity != 1):
            raise SerialNeeded(sku=self.sku)
        if not self.serial_tracked and serial is not None:
            raise SerialNotTracked(sku=self.sku)


@dataclass(frozen=True)
class Location:
    id: UUID
    kind: LocationKind
    name: str
    person_id: UUID | None

    @property
    def virtual(self) -> bool:
        return self.kind in VIRTUAL


@dataclass(frozen=True)
class VanOf:
    """The van of a person, whichever that is."""

    person: UUID


# How a caller names a location: by its id, as somebody's van, or as the organisation's one of a virtual kind.
type Place = UUID | VanOf | LocationKind

_K = LocationKind
_PHYSICAL = frozenset(LocationKind) - set(VIRTUAL)

# From which kinds of places to which a movement may go for each reason; a reversal goes whichever way undoes.
ENDS: Mapping[Reason, tuple[frozenset[LocationKind], frozenset[LocationKind]]] = {
    Reason.GOODS_IN: (frozenset({_K.SUPPLIER}), _PHYSICAL),
    Reason.TRANSFER: (_PHYSICAL, _PHYSICAL),
    Reason.USED: (_PHYSICAL, frozenset({_K.CONSUMED})),
    Reason.RETURNED: (_PHYSICAL | {_K.CONSUMED}, _PHYSICAL | {_K.SUPPLIER}),
    Reason.COUNTED: (_PHYSICAL | {_K.ADJUSTMENT}, _PHYSICAL | {_K.ADJUSTMENT}),
    Reason.REVERSED: (frozenset(LocationKind), frozenset(LocationKind)),
    Reason.SENT: (_PHYSICAL, frozenset({_K.TRANSIT})),
    Reason.RECEIVED: (frozenset({_K.TRANSIT}), _PHYSICAL),
}

# What was installed or taken back in the field happened, wherever the ledger believed the piece to be.
FIELD = frozenset({Reason.USED, Reason.RETURNED, Reason.REVERSED, Reason.SENT, Reason.RECEIVED})


def check_ends(reason: Reason, source: Location, target: Location) -> None:
    """Raise SameLocation or ReasonDoesNotFit unless this reason moves stock between these kinds of places."""
    if source.id == target.id:
        raise SameLocation
    sources, targets = ENDS[reason]
    if source.kind not in sources or target.kind not in targets:
        raise ReasonDoesNotFit(reason=reason, source=source.kind, target=target.kind)


@dataclass(frozen=True)
class StockLevel:
    location_id: UUID
    location_name: str
    part_id: UUID
    sku: str
    part_name: dict[str, str]
    unit: str
    quantity: Decimal
    reserved: Decimal  # of open reservations, as far as it is not used yet

    @property
    def free(self) -> Decimal:
        return self.quantity - self.reserved


@dataclass(frozen=True)
class Movement:
    id: UUID
    part_id: UUID
    sku: str
    from_id: UUID
    from_name: str
    to_id: UUID
    to_name: str
    quantity: Decimal
    serial: str | None
    reason: Reason
    work_order_id: UUID | None
    visit_id: UUID | None
    reverses_id: UUID | None
    count_id: UUID | None
    why: str | None
    moved_by: UUID
    moved_by_name: str
    device_id: UUID | None
    at: datetime
    recorded_at: datetime


@dataclass(frozen=True)
class FieldPiece:
    """What an engineer used or took back at a customer, as the device recorded it."""

    id: UUID  # minted on the device; becomes the movement's id
    part: UUID
    quantity: Decimal
    serial: str | None
    work_order_id: UUID
    visit_id: UUID | None
    at: datetime
    device: UUID | None
    stream: UUID | None = None
    seq: int | None = None
    reservation: UUID | None = None


@dataclass(frozen=True)
class Known:
    """What a movement under some id is, as far as it decides whether two are the same."""

    part_id: UUID
    from_id: UUID
    to_id: UUID
    quantity: Decimal
    serial: str | None
    reason: Reason
    work_order_id: UUID | None


@dataclass(frozen=True)
class MoveFacts:
    """What has to be known before a movement is written."""

    part: Part | None
    origin: Location | None
    destination: Location | None
    known: Known | None
    reserved: bool  # whether an open reservation of the order waits for this part


@dataclass(frozen=True)
class PlaceAfter:
    """What a physical place holds after a movement, and the counts there that the movement may be older than."""

    id: UUID
    kind: LocationKind
    name: str
    quantity: Decimal
    counts: tuple[UUID, ...]


@dataclass(frozen=True)
class Moved:
    """A movement that was written. `drawn` of it had been promised to the order."""

    part: Part
    origin: Location
    destination: Location
    drawn: Decimal = Decimal(0)
    flags: tuple[str, ...] = ()  # what a reviewer should look at, for example RESERVATION_EXPIRED


@dataclass(frozen=True)
class Reservation:
    id: UUID
    work_order_id: UUID
    part_id: UUID
    sku: str
    location_id: UUID
    location_name: str
    quantity: Decimal
    used: Decimal
    state: ReservationState
    expires_at: datetime | None
    reserved_by: UUID
    at: datetime
    ended_at: datetime | None
    why: str | None

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class Share:
    """What one reservation gave to a movement."""

    reservation_id: UUID
    location_id: UUID
    quantity: Decimal
    state: ReservationState


@dataclass(frozen=True)
class CountTold:
    """What somebody found. serials: of each piece, where the part is tracked by serial number."""

    id: UUID
    location: Place
    part: UUID
    quantity: Decimal
    serials: tuple[str, ...] | None
    at: datetime
    device: UUID | None = None
    stream: UUID | None = None
    seq: int | None = None


@dataclass(frozen=True)
class StockCount:
    id: UUID
    location_id: UUID
    part_id: UUID
    quantity: Decimal
    serials: tuple[str, ...] | None
    counted_by: UUID
    device_id: UUID | None
    at: datetime
    recorded_at: datetime


@dataclass(frozen=True)
class Difference:
    """What still has to be booked for a count: `change` > 0 was found, < 0 was missing."""

    count_id: UUID
    at: datetime
    serial: str | None
    change: Decimal


@dataclass(frozen=True)
class WeighedCount:
    """A count against all that is known of the time before it by now."""

    id: UUID
    location_id: UUID
    part_id: UUID
    found: Decimal
    expected: Decimal
    differs: bool  # also when one piece took the place of another


@dataclass(frozen=True)
class TransferTold:
    """One side of a transfer, as the device recorded it. `id` is the movement's, `transfer` the sender's."""

    id: UUID
    transfer: UUID
    part: UUID
    quantity: Decimal
    serial: str | None
    at: datetime
    device: UUID | None = None
    stream: UUID | None = None
    seq: int | None = None


@dataclass(frozen=True)
class Transfer:
    id: UUID
    part_id: UUID
    serial: str | None
    from_id: UUID | None
    to_id: UUID
    into_id: UUID | None
    state: TransferState
    sent: Decimal | None
    sent_at: datetime | None
    sent_by: UUID | None
    received: Decimal | None
    received_at: datetime | None
    received_by: UUID | None


@dataclass(frozen=True)
class Discrepancy:
    id: UUID
    kind: DiscrepancyKind
    part_id: UUID
    sku: str
    location_id: UUID | None
    location_name: str | None
    serial: str | None
    expected: Decimal | None
    found: Decimal | None
    movement_id: UUID | None
    count_id: UUID | None
    transfer_id: UUID | None
    mutation_id: UUID | None
    work_order_id: UUID | None
    note: str | None
    state: DiscrepancyState
    opened_at: datetime
    opened_by: UUID | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    resolution: str | None


@dataclass(frozen=True)
class PartUsed:
    """What an order consumed of one part: used less returned and reversed."""

    part_id: UUID
    sku: str
    name: dict[str, str]
    unit: str
    quantity: Decimal
    serials: tuple[str, ...]
    price_minor: int
    currency: str


def owner_name(kind: LocationKind) -> str:
    """Name of the organisation's one virtual location of this kind; people see it translated by kind."""
    return kind.value.capitalize()
