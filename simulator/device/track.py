"""Positions: the one lossy stream. Kept while there is no signal, sent late, known by device and number."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from simulator.device.errors import ProtocolBroken
from simulator.device.line import Line
from simulator.device.store import Store, canonical

MOST_FIXES = 1000


class Track:
    def __init__(self, store: Store, line: Line) -> None:
        self._store, self._line = store, line

    def record(self, fixes: Iterable[Mapping[str, Any]]) -> None:
        """Each fix: at, lon, lat, accuracy_m, heading?, speed_kmh?."""
        with self._store.transaction() as db:
            db.executemany("insert into fix (at, data) values (?, ?)", [(fix["at"], canonical(fix)) for fix in fixes])

    def waiting(self) -> int:
        row = self._store.one("select count(*) from fix")
        return int(row[0]) if row else 0

    async def send(self) -> None:
        """Send what is kept, oldest first. Raises NoConnection; sending the same fixes again is harmless."""
        while rows := self._store.all("select seq, data from fix order by seq limit ?", MOST_FIXES):
            fixes = [{"seq": seq, **json.loads(data)} for seq, data in rows]
            request = {"device": self._store.setting("device_id"), "fixes": fixes}
            response = await self._line.ask("POST", "/positions", json=request)
            if not response.is_success:
                raise ProtocolBroken(f"positions refused with {response.status_code}: {response.text}")
            with self._store.transaction() as db:
                db.execute("delete from fix where seq <= ?", (rows[-1][0],))
