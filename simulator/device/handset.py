"""A phone that several people use, one after another.

Each person has a database of their own: whoever signs in sees nothing of the others, and pushes nothing of theirs.
"""

from pathlib import Path
from random import Random

import httpx

from simulator.device.attestation import DeviceKey
from simulator.device.clock import Clock
from simulator.device.device import Device
from simulator.device.enrolment import exchange
from simulator.device.push import APP
from simulator.device.store import Store


class Handset:
    """The databases live in `folder`. At most one person is signed in."""

    def __init__(self, folder: Path, http: httpx.AsyncClient, clock: Clock, rng: Random) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._http, self._clock, self._rng = folder, http, clock, rng
        self.device: Device | None = None

    async def sign_in(self, code: str, name: str) -> Device:
        """Open the database of whoever the code belongs to; what they left unsent there goes on under their token.

        Raises EnrolmentRefused, NoConnection.
        """
        key = DeviceKey.draw(self._rng)
        identity = await exchange(self._http, code, name, APP, key.public)
        self.sign_out()
        self.device = Device(self._path(identity["person"]["id"]), self._http, self._clock, self._rng)
        self.device.become(identity, key)
        return self.device

    def sign_out(self) -> None:
        if self.device is not None:
            self.device.close()
            self.device = None

    def unsent_of_others(self) -> int:
        """How many mutations of people who are not signed in wait here: the banner says the number and no more."""
        own = self._path(self.device.person.id) if self.device else None
        return sum(_unsent(path) for path in sorted(self._folder.glob("*.db")) if path != own)

    def _path(self, person: str) -> Path:
        return self._folder / f"{person}.db"


def _unsent(path: Path) -> int:
    store = Store(path)
    try:
        row = store.one("select count(*) from outbox where status is null")
        return int(row[0]) if row else 0
    finally:
        store.close()
