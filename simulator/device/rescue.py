"""Handing in what can't be pushed: through the one door that is open to revoked devices and ancient apps."""

from collections.abc import Sequence

import httpx

from simulator.device.clock import Clock
from simulator.device.errors import ProtocolBroken
from simulator.device.line import Line
from simulator.device.outbox import Json, Outbox, Recorded
from simulator.device.store import Store, canonical

MOST_MUTATIONS = 500
MOST_BYTES = 3_000_000


class Rescue:
    def __init__(self, store: Store, outbox: Outbox, line: Line, clock: Clock, app: str) -> None:
        self._store, self._outbox, self._line, self._clock, self._app = store, outbox, line, clock, app

    async def run(self, reason: str) -> int:
        """Hand in everything that waits; how many mutations. Raises NoConnection with the rest kept for later."""
        handed = 0
        while bundle := self._bundle():
            await self._send(bundle, reason)
            self._outbox.hand_in(bundle)
            handed += len(bundle)
        return handed

    def _bundle(self) -> Sequence[Recorded]:
        """The oldest that fit into one request, at least one."""
        bundle: list[Recorded] = []
        size = 0
        for recorded in self._outbox.batch(MOST_MUTATIONS):
            size += len(canonical(recorded.envelope).encode())
            if bundle and size > MOST_BYTES:
                break
            bundle.append(recorded)
        return bundle

    async def _send(self, bundle: Sequence[Recorded], reason: str) -> None:
        response = await self._line.hand_in("POST", "/sync/rescue", json=self._request(bundle, reason))
        if not response.is_success:
            raise ProtocolBroken(f"rescue refused with {response.status_code}: {response.text}")

    def _request(self, bundle: Sequence[Recorded], reason: str) -> Json:
        return {
            "device": self._store.setting("device_id"),
            "stream": self._outbox.stream,
            "app": self._app,
            "reason": reason,
            "now": self._clock.now().isoformat(),
            "mutations": [recorded.envelope for recorded in bundle],
        }

    async def confirm_wiped(self, token: str, device: str, unsent_left: int) -> bool:
        """Tell that all is deleted; whether the server has heard it."""
        said = {"device": device, "unsent_left": unsent_left}
        response = await self._line.hand_in("POST", "/sync/wiped", token=token, json=said)
        return response.status_code == httpx.codes.NO_CONTENT
