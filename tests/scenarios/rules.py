"""One order, two engineers with phones, and an office that decides things meanwhile.

Time is told in moments, short ones, so that no access token expires within a scenario.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from server.core.db import Database
from server.identity.domain import Actor
from server.workorders import service
from server.workorders.domain import Action, Visit, WorkOrder
from tests.factories.workorders import a_visit
from tests.fakes.clock import FakeClock
from tests.scenarios.handset import Handset

_MOMENT = timedelta(seconds=6)


@dataclass
class Job:
    """`visits` by the role of the engineer they were given to."""

    database: Database
    office: Actor
    clock: FakeClock
    order: WorkOrder
    began: datetime
    visits: dict[str, Visit] = field(default_factory=dict)

    def at(self, moment: int) -> str:
        """As a phone with a right clock writes it."""
        return (self.began + moment * _MOMENT).isoformat()

    def later(self, moment: int) -> None:
        """Let it be so late."""
        self.clock.at = self.began + moment * _MOMENT

    async def give_to(self, role: str, engineer: Actor) -> Visit:
        async with self.database.unit_of_work(self.office.org) as uow:
            self.visits[role] = await a_visit(uow, self.office, engineer, self.order)
        return self.visits[role]

    async def decide(self, action: Action, **said: Any) -> None:
        async with self.database.unit_of_work(self.office.org) as uow:
            await service.perform(
                uow, self.office, work_order_id=self.order.id, action=action, **{"reason": "The office says so", **said}
            )

    async def sql(self, statement: str, **params: object) -> list[dict[str, Any]]:
        async with self.database.unit_of_work(self.office.org) as uow:
            return await uow.rows(statement, order=self.order.id, **params)

    async def state(self) -> str:
        return str((await self.sql("select state from work_order where id = %(order)s"))[0]["state"])

    async def visit_states(self) -> list[str]:
        rows = await self.sql("select state from visit where work_order_id = %(order)s order by ordinal")
        return [row["state"] for row in rows]

    async def events(self, name: str) -> int:
        found = await self.sql("select 1 from event where subject_id = %(order)s and name = %(name)s", name=name)
        return len(found)

    async def count(self, table: str) -> int:
        return len(await self.sql(f"select 1 from {table} where work_order_id = %(order)s"))

    async def conflicts(self) -> list[dict[str, Any]]:
        return await self.sql("select * from conflict where work_order_id = %(order)s order by id")


def does(phone: Handset, visit: Visit, to: str, at: str, **said: Any) -> dict[str, Any]:
    """Record one step on the phone, without a signal."""
    return phone.record("wo.transition", {"wo": str(phone.order), "visit": str(visit.id), "to": to, **said}, at=at)


def whole_job(phone: Handset, visit: Visit, job: Job, *moments: int) -> None:
    """Record accepting, setting out, arriving, starting and finishing at these moments."""
    for to, moment in zip(("accept", "travel", "arrive", "start", "resolve"), moments, strict=True):
        said = {"note": "Done all the same"} if to == "resolve" else {}
        does(phone, visit, to, job.at(moment), **said)


def evidence(phone: Handset, name: str, at: str, **said: Any) -> dict[str, Any]:
    return phone.record(name, {"id": str(uuid4()), "wo": str(phone.order), **said}, at=at)


async def reconnect(phone: Handset, job: Job) -> httpx.Response:
    """The phone finds a signal and sends all it has."""
    return await phone.push(clock={"now": job.clock.now().isoformat()})


async def settle(client: httpx.AsyncClient, office: dict[str, str], conflict: UUID, choice: str) -> httpx.Response:
    return await client.post(f"/api/v1/inbox/{conflict}/settle", json={"choice": choice}, headers=office)
