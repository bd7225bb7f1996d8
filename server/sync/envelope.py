"""Reading what a device sent, verbatim: the bytes that are hashed are the ones that are kept."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationError

from server.core.wire import Instant, PlaceIn, Sha256, WireIn, refuse_hostile_values
from server.sync.domain import Occurrence
from server.sync.errors import MalformedMutation

# Within one boot the monotonic clock tells the age of an act to about the length of a request.
SAME_BOOT_UNCERTAINTY = timedelta(seconds=2)
# Clocks drift, but an offset measured in the same boot is good to about this.
KNOWN_BOOT_UNCERTAINTY = timedelta(seconds=30)
# Otherwise all we have is the wall clock a person may have set.
UNKNOWN_UNCERTAINTY = timedelta(minutes=5)
# More than drift: somebody set the clock, or it was corrected by the network.
_CLOCK_WAS_SET = timedelta(seconds=5)


class GeoIn(PlaceIn):
    accuracy_m: Annotated[float, Field(ge=0, le=1e6)] | None = None


class Envelope(WireIn):
    """The fixed part of a mutation; `args` is read by its mutator."""

    seq: Annotated[int, Field(ge=1, lt=2**53)]
    id: UUID
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    v: Annotated[int, Field(ge=1, le=10_000)]
    args: dict[str, Any]
    base: dict[str, Any] = {}
    at: Instant
    mono: Annotated[float, Field(ge=0)] | None = None
    boot: Annotated[str, StringConstraints(max_length=100)] | None = None
    geo: GeoIn | None = None
    blobs: Annotated[list[str], Field(max_length=100)] = []
    prev: Sha256 | None = None


@dataclass(frozen=True)
class Sent:
    """One mutation as it arrived: `raw` verbatim, `envelope` read.

    unreadable: why its arguments can't be looked at (NUL, lone surrogates, bottomless nesting); the envelope then has
        none. Such a mutation is quarantined like any other bad one: it must not hold up those behind it.
    """

    raw: Mapping[str, Any]
    envelope: Envelope
    payload_hash: str
    unreadable: str | None = None

    @property
    def kept(self) -> dict[str, Any]:
        """What the log stores: the mutation itself, or its JSON as text where no column could hold its values."""
        return dict(self.raw) if self.unreadable is None else {"json": json.dumps(self.raw)}


@dataclass(frozen=True)
class DeviceClock:
    """What the device's clocks said when it sent the batch. `mono` is milliseconds since `boot`."""

    now: datetime
    mono: float | None
    boot: str | None


@dataclass(frozen=True)
class Batch:
    device: UUID
    stream: UUID
    acked: int
    clock: DeviceClock
    received_at: datetime
    mutations: Sequence[Sent]


def canonical(value: Mapping[str, Any]) -> bytes:
    """The form that is hashed: keys sorted, no white space, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def read(raw: Mapping[str, Any], index: int) -> Sent:
    """Raises MalformedMutation: the envelope is the client's own work, so this is its bug."""
    unreadable = _why_unreadable(raw.get("args"))
    try:
        envelope = Envelope.model_validate({**raw, "args": {}} if unreadable else raw)
    except ValidationError as wrong:
        raise MalformedMutation(index=index, why=first_error(wrong)) from None
    return Sent(raw, envelope, hashlib.sha256(canonical(raw)).hexdigest(), unreadable)


def _why_unreadable(args: Any) -> str | None:
    try:
        refuse_hostile_values(args)
    except ValueError as hostile:
        return str(hostile)
    return None


def first_error(wrong: ValidationError) -> str:
    error = wrong.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in error['loc'])} {error['msg']}".strip()[:300]


def occurrence(
    envelope: Envelope, clock: DeviceClock, received_at: datetime, offsets: Mapping[str, timedelta]
) -> Occurrence:
    """Estimate when something happened on the server's clock.

    Order never depends on device clocks: what would lie in the future is taken as now and flagged. Within the boot of
    this batch the monotonic clock tells the age, and shows when somebody set the wall clock in between. For an
    earlier boot the offset measured then counts (`offsets`, by boot), else today's, with a wide uncertainty.
    """
    flags: list[str] = []
    elapsed = _elapsed(envelope, clock)
    if elapsed is not None:
        estimate, uncertainty = received_at - elapsed, SAME_BOOT_UNCERTAINTY
        if abs((clock.now - envelope.at) - elapsed) > _CLOCK_WAS_SET:
            flags.append("CLOCK_JUMP")
    elif envelope.boot is not None and envelope.boot in offsets:
        estimate, uncertainty = envelope.at + offsets[envelope.boot], KNOWN_BOOT_UNCERTAINTY
    else:
        estimate, uncertainty = envelope.at + (received_at - clock.now), UNKNOWN_UNCERTAINTY
    if estimate > received_at + SAME_BOOT_UNCERTAINTY:
        flags.append("CLOCK_FUTURE")
    return Occurrence(
        at_device=envelope.at,
        at=min(estimate, received_at),
        uncertainty_ms=int(uncertainty.total_seconds() * 1000),
        received_at=received_at,
        flags=tuple(flags),
    )


def _elapsed(envelope: Envelope, clock: DeviceClock) -> timedelta | None:
    """Answer how long ago it happened by the clock nobody can set, if that counted then as it does now."""
    if clock.boot is None or envelope.boot != clock.boot or clock.mono is None or envelope.mono is None:
        return None
    if envelope.mono > clock.mono:
        return None
    return timedelta(milliseconds=min(clock.mono - envelope.mono, 1e12))
