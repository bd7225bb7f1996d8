"""Work that is long done, written in a few statements: what somebody learns from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from server.core.db import Row, UnitOfWork
from server.customers.domain import Asset, Site
from server.dispatch.decisions import How
from server.identity.domain import Actor
from tests.factories.customers import a_site


@dataclass(frozen=True)
class Past:
    """An order whose first visit was `engineer_id`'s, so many days ago, and took them `minutes` of work.

    fixed: settled with it; otherwise it was interrupted, and nobody has come again.
    stretches: how many timers the minutes are spread over. corrected: an older revision said something else.
    running: a timer was never stopped. loose: the timer names the order only.
    candidates: the ranking of its decision, with factor values; none means that nobody noted a decision.
    before: engineers it was taken from before, in turn.
    """

    problem_type: str
    engineer_id: UUID
    days_ago: float
    minutes: float = 60
    fixed: bool = True
    stretches: int = 1
    corrected: bool = False
    running: bool = False
    loose: bool = False
    travel: float = 0
    asset: tuple[Site, Asset] | None = None
    how: How = How.MANUAL
    candidates: Sequence[tuple[UUID, Mapping[str, float]]] = ()
    before: Sequence[UUID] = ()
    rating: int | None = None
    reopened: bool = False


async def a_past(uow: UnitOfWork, dispatcher: Actor, crew: Sequence[Actor], past: Sequence[Past]) -> list[Past]:
    site = await a_site(uow)
    names = {it.person: it.name for it in crew}
    first = await uow.value("select coalesce(max(number), 0) from work_order")
    for number, it in enumerate(past, first + 1):
        await _Writing(uow, dispatcher, names, it, it.asset[0] if it.asset else site).order(number)
    return list(past)


@dataclass(frozen=True)
class _Writing:
    uow: UnitOfWork
    dispatcher: Actor
    names: Mapping[UUID, str]
    it: Past
    site: Site

    async def order(self, number: int) -> None:
        uow, it = self.uow, self.it
        order, ended = uow.new_id(), uow.now() - timedelta(days=it.days_ago)
        await self._insert(
            "work_order",
            id=order,
            number=number,
            customer_id=self.site.customer_id,
            site_id=self.site.id,
            asset_id=it.asset[1].id if it.asset else None,
            title="Long ago",
            problem_type=it.problem_type,
            description="",
            priority="normal",
            channel="phone",
            state="closed" if it.fixed else "on_hold",
            reported_at=ended - timedelta(days=1),
            reported_by="-",
            respond_by=ended + timedelta(days=1),
            duration_minutes=60,
            version=1,
            findings="",
        )
        for ordinal, engineer in enumerate(it.before, 1):
            await self._visit(order, ordinal, engineer, "cancelled", ended - timedelta(hours=9))
        visit = await self._visit(
            order, len(it.before) + 1, it.engineer_id, "completed" if it.fixed else "interrupted", ended
        )
        await self._happened(order, visit, "start", ended)
        if it.reopened:
            await self._happened(order, None, "reopen", ended)
        await self._times(order, visit, ended)
        if it.candidates or it.how is not How.MANUAL:
            await self._decision(visit, ended - timedelta(hours=5))
        if it.rating is not None:
            await self._signature(order, visit, ended)

    async def _visit(self, order: UUID, ordinal: int, engineer: UUID, state: str, ended) -> UUID:
        visit = self.uow.new_id()
        await self._insert(
            "visit",
            id=visit,
            work_order_id=order,
            ordinal=ordinal,
            state=state,
            engineer_id=engineer,
            finished_at=ended,
            version=1,
            field_state=state,
            begun_at=ended - timedelta(hours=4),
        )
        return visit

    async def _happened(self, order: UUID, visit: UUID | None, action: str, at) -> None:
        await self._insert(
            "timeline_entry",
            id=self.uow.new_id(),
            work_order_id=order,
            visit_id=visit,
            action=action,
            actor_name="-",
            at=at,
            recorded_at=at,
            facts={},
        )

    async def _times(self, order: UUID, visit: UUID, ended) -> None:
        it = self.it
        for number in range(it.stretches):
            length = timedelta(minutes=it.minutes / it.stretches)
            entry = await self._time(order, visit, "work", ended - length * (number + 1), ended - length * number)
            if it.corrected:
                old = await self._time(order, visit, "work", ended - timedelta(hours=6), ended)
                await self.uow.run("update time_entry set superseded_by = %(new)s where id = %(id)s", new=entry, id=old)
        if it.running:
            await self._time(order, visit, "work", ended, None)
        if it.travel:
            await self._time(order, visit, "travel", ended - timedelta(minutes=it.travel), ended)

    async def _time(self, order: UUID, visit: UUID, kind: str, started, ended) -> UUID:
        entry = self.uow.new_id()
        await self._insert(
            "time_entry",
            id=entry,
            work_order_id=order,
            visit_id=None if self.it.loose else visit,
            person_id=self.it.engineer_id,
            kind=kind,
            started_at=started,
            ended_at=ended,
            flags=[],
            revision=1,
        )
        return entry

    async def _decision(self, visit: UUID, at) -> None:
        it = self.it
        ranked = [engineer for engineer, _ in it.candidates]
        await self._insert(
            "assignment_decision",
            id=self.uow.new_id(),
            visit_id=visit,
            engineer_id=it.engineer_id,
            decided_by=self.dispatcher.person,
            decided_at=at,
            how=it.how,
            chosen_rank=ranked.index(it.engineer_id) + 1 if it.engineer_id in ranked else None,
            weights_version=1,
            candidates=json.dumps([self._line(engineer, values) for engineer, values in it.candidates]),
        )

    def _line(self, engineer: UUID, values: Mapping[str, float]) -> Row:
        """A candidate as dispatch keeps them. The nearest of all is there at once, the promise leaves four hours."""
        raw = {"eta": lambda value: 3600 * (1 - value), "sla": lambda value: 4 * 3600 * value}
        return {
            "engineer_id": str(engineer),
            "name": self.names[engineer],
            "eta_seconds": round(3600 * (1 - values.get("eta", 0))),
            "factors": [
                {"name": name, "weight": 0.1, "value": value, "raw": raw.get(name, float)(value), "unit": "-"}
                for name, value in values.items()
            ],
        }

    async def _signature(self, order: UUID, visit: UUID, at) -> None:
        await self._insert(
            "signature",
            id=self.uow.new_id(),
            work_order_id=order,
            visit_id=visit,
            ending="signed",
            signer_name="-",
            signer_role="-",
            rating=self.it.rating,
            comment="",
            document_hash="-",
            strokes_hash="-",
            attested="missing",
            evidence={},
            captured_by=self.it.engineer_id,
            at_device=at,
            at=at,
            received_at=at,
        )

    async def _insert(self, table: str, **values: object) -> None:
        columns = {"org_id": self.uow.org, **values}
        given = ", ".join(f"%({name})s" for name in columns)
        await self.uow.run(f"insert into {table} ({', '.join(columns)}) values ({given})", **columns)
