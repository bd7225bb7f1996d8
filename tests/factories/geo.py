"""Phones that move: devices, shifts, and tracks of fixes around a place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from server.core.db import UnitOfWork
from server.geo.domain import EARTH_RADIUS, Point
from server.geo.positions import Fix, Interval
from server.identity import queries as identity
from server.identity.domain import Actor, Audience

SITE = Point(7.4246, 43.7384)
_METRES_PER_DEGREE = EARTH_RADIUS * 3.14159265 / 180


def north_of(place: Point, metres: float) -> Point:
    return Point(place.lon, place.lat + metres / _METRES_PER_DEGREE)


async def with_phone(uow: UnitOfWork, person: Actor) -> Actor:
    """Give the person a device and answer them acting through it."""
    device = uow.new_id()
    await identity.insert_device(
        uow,
        device=device,
        person=person.person,
        name="Phone",
        platform="test",
        app_version="1.0.0",
        public_key=None,
        storage_persisted=True,
    )
    return replace(person, device=device, audience=Audience.MOBILE)


def device_of(actor: Actor) -> UUID:
    assert actor.device is not None
    return actor.device


@dataclass(frozen=True)
class Track:
    """Fixes every `every` from `start`, at these metres north of the site."""

    start: datetime
    every: timedelta = timedelta(seconds=15)
    accuracy_m: int = 8
    around: Point = SITE

    def at(self, step: int) -> datetime:
        return self.start + step * self.every

    def fixes(self, *metres: float, first_seq: int = 1) -> list[Fix]:
        return [
            Fix(first_seq + step, self.at(step), north_of(self.around, north), self.accuracy_m, 180, 30)
            for step, north in enumerate(metres)
        ]


def all_day(now: datetime) -> Sequence[Interval]:
    return [Interval(now - timedelta(hours=12), now + timedelta(hours=12))]
