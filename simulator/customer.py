"""Customers: things break at random moments of the day, and they say so in the portal or by telephone."""

from random import Random

import httpx

from simulator.clock import DayClock
from simulator.office import Office, Refused
from simulator.phone import HOUR, MINUTE
from simulator.tally import Tally
from simulator.world import Fault, Site, World

_PER_ENGINEER_AND_HOUR = 0.6
_AT_DAWN_PER_ENGINEER = 0.7  # what was reported over night
_LAST_REPORT = 0.85  # of the day
_URGENCIES, _WEIGHTS = ("urgent", "high", "normal"), (10, 25, 65)
_BY_TELEPHONE = 0.4
_FINDS_THE_PLATE = 0.7
_COMPLAINTS = (
    "It stopped during the night and does not start again.",
    "Loud knocking since this morning.",
    "显示故障代码 E4，无法运行。",
    "It leaks, there is water on the floor.",
    "温度一直上不去。",
    "Yearly service is due.",
    "It smells burnt. Please come quickly!",
)


class Customers:
    """`agent` takes the telephone calls."""

    def __init__(
        self, http: httpx.AsyncClient, agent: Office, world: World, day: DayClock, rng: Random, tally: Tally
    ) -> None:
        self._http, self._agent = http, agent
        self._world, self._day, self._rng, self._tally = world, day, rng, tally

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
        fault = self._rng.choice(site.faults or (self._something_new(),))
        try:
            await (self._call if self._rng.random() < _BY_TELEPHONE else self._write)(site, fault)
        except (Refused, httpx.TransportError) as wrong:
            self._tally.problem(f"a customer could not report a fault: {wrong!r}")
        else:
            self._tally.orders += 1

    async def _write(self, site: Site, fault: Fault) -> None:
        request: dict[str, object] = {
            "name": site.customer_name,
            "customer_number": site.customer_number,
            "site_id": site.id,
            "problem_type": fault.problem_type,
            "description": self._rng.choice((fault.description, *_COMPLAINTS)),
            "urgency": self._urgency(),
        }
        if site.serials and self._rng.random() < _FINDS_THE_PLATE:
            request["asset_serial"] = self._rng.choice(site.serials)
        response = await self._http.post(f"/portal/v1/{self._world.slug}/requests", json=request)
        if not response.is_success:
            raise Refused(response)

    async def _call(self, site: Site, fault: Fault) -> None:
        """On the telephone the agent asks back: what it takes to repair is known from the beginning."""
        order: dict[str, object] = {
            "site_id": site.id,
            "asset_id": fault.asset,
            "title": fault.title,
            "problem_type": fault.problem_type,
            "description": fault.description,
            "priority": self._urgency(),
            "duration_minutes": fault.minutes,
            "skills": [{"key": key, "level": level} for key, level in fault.skills],
            "procedure_key": fault.procedure,
            "channel": "phone",
        }
        await self._agent.post("/work-orders", order)

    def _urgency(self) -> str:
        return self._rng.choices(_URGENCIES, _WEIGHTS)[0]

    def _something_new(self) -> Fault:
        complaint = self._rng.choice(_COMPLAINTS)
        return Fault(complaint[:60], complaint, self._rng.choice(self._world.skills), 60, None, None, ())
