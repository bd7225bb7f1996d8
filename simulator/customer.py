"""Customers: things break at random moments of the day, and they say so in the portal."""

from random import Random

import httpx

from simulator.clock import DayClock
from simulator.office import Refused
from simulator.phone import HOUR, MINUTE
from simulator.tally import Tally
from simulator.world import Site, World

_PER_ENGINEER_AND_HOUR = 0.6
_AT_DAWN_PER_ENGINEER = 0.7  # what was reported over night
_LAST_REPORT = 0.85  # of the day
_URGENCIES, _WEIGHTS = ("urgent", "high", "normal"), (10, 25, 65)
_FAULTS = (
    "It stopped during the night and does not start again.",
    "Loud knocking since this morning.",
    "显示故障代码 E4，无法运行。",
    "It leaks, there is water on the floor.",
    "Doors open and close without end.",
    "温度一直上不去。",
    "Yearly service is due.",
    "It smells burnt. Please come quickly!",
)


class Customers:
    """`problem_types` are what may be reported."""

    def __init__(self, http: httpx.AsyncClient, world: World, day: DayClock, rng: Random, tally: Tally) -> None:
        self._http, self._world, self._day, self._rng, self._tally = http, world, day, rng, tally

    async def run(self, hours: float) -> None:
        """Report faults as a Poisson process until late in the day."""
        engineers = len(self._world.staff)
        for _ in range(max(1, round(engineers * _AT_DAWN_PER_ENGINEER))):
            await self._day.sleep(self._rng.expovariate(1 / MINUTE))
            await self._report()
        while True:
            await self._day.sleep(self._rng.expovariate(engineers * _PER_ENGINEER_AND_HOUR / HOUR))
            if self._day.elapsed() > hours * HOUR * _LAST_REPORT:
                return
            await self._report()

    async def _report(self) -> None:
        site = self._rng.choice(self._world.sites)
        try:
            response = await self._http.post(f"/portal/v1/{self._world.slug}/requests", json=self._request(site))
        except httpx.TransportError as broken:
            self._tally.problem(f"a customer could not reach the portal: {broken!r}")
            return
        if response.is_success:
            self._tally.orders += 1
        else:
            self._tally.problem(f"a customer could not report a fault: {Refused(response)}")

    def _request(self, site: Site) -> dict[str, object]:
        request: dict[str, object] = {
            "name": site.customer_name,
            "customer_number": site.customer_number,
            "site_id": site.id,
            "problem_type": self._rng.choice(self._world.skills),
            "description": self._rng.choice(_FAULTS),
            "urgency": self._rng.choices(_URGENCIES, _WEIGHTS)[0],
        }
        if site.serials and self._rng.random() < 0.7:  # noqa: PLR2004 - most people find the plate
            request["asset_serial"] = self._rng.choice(site.serials)
        return request
