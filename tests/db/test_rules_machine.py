"""Chance plays two phones and an office on one order; the server must answer and stand as the model does."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from server.core.db import Database, UnitOfWork
from server.core.errors import Problem
from server.identity.domain import Actor
from server.sync.domain import Mutation, Occurrence
from server.workorders import queries, service
from server.workorders.domain import Action, HoldReason
from tests.db.rules_model import BECOMES, Model
from tests.factories.identity import found_company
from tests.factories.workforce import an_engineer
from tests.factories.workorders import FIELD, an_order
from tests.fakes.clock import MONDAY_MORNING, FakeClock

ENGINEERS = ("engineer", "team_lead")
WAY = ["dispatched", "accepted", "travelling", "on_site", "working", "completed"]
ACTION_TO = dict(zip(WAY[1:], ("accept", "travel", "arrive", "start", "resolve"), strict=True))
SAID: dict[str, dict[str, Any]] = {
    "resolve": {"note": "Done"},
    "hold": {"note": "Waiting", "hold_reason": "parts"},
    "decline": {"reason": "Ill"},
}


class Rules(RuleBasedStateMachine):
    """Each run is one transaction that is undone; every rule takes a minute."""

    database: Database
    runner: asyncio.Runner
    people: dict[str, Actor]

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(MONDAY_MORNING)
        self.model = Model()
        self.outbox: dict[str, list[tuple[int, str, int]]] = {name: [] for name in ENGINEERS}
        self.minute = 0
        self.notes = 0
        self._open()

    def _open(self) -> None:
        async def begin() -> None:
            self.connection = await self.database.pool.getconn()
            self.transaction = self.connection.transaction(force_rollback=True)
            await self.transaction.__aenter__()
            self.uow = UnitOfWork(self.connection, self.clock, self.database.mint, None)
            await self.uow.enter(self.people["dispatcher"].org)
            for name in ENGINEERS:
                await an_engineer(self.uow, self.people[name])
            self.order = await an_order(self.uow, self.people["dispatcher"])

        self.runner.run(begin())

    def teardown(self) -> None:
        async def end() -> None:
            await self.transaction.__aexit__(None, None, None)
            await self.database.pool.putconn(self.connection)

        self.runner.run(end())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def passes(self) -> None:
        self.minute += 1
        self.clock.forward(timedelta(minutes=1))

    # The office

    def decides(self, act: Callable[[], Coroutine[Any, Any, Any]]) -> bool:
        async def tried() -> bool:
            try:
                async with self.uow.savepoint():
                    await act()
            except Problem:
                return False
            return True

        self.passes()
        return bool(self.run(tried()))

    def does(self, action: Action) -> bool:
        return self.decides(
            lambda: service.perform(
                self.uow,
                self.people["dispatcher"],
                work_order_id=self.order.id,
                action=action,
                reason="So",
                hold_reason=HoldReason.CUSTOMER,
            )
        )

    @initialize(name=st.sampled_from(ENGINEERS))
    def begin(self, name: str) -> None:
        self.assign(name)

    @rule(name=st.sampled_from(ENGINEERS))
    def assign(self, name: str) -> None:
        done = self.decides(
            lambda: service.schedule_visit(
                self.uow,
                self.people["dispatcher"],
                work_order_id=self.order.id,
                engineer_id=self.people[name].person,
                planned_start=self.clock.now(),
            )
        )
        assert done == self.model.assign(name, self.minute)

    @rule(how=st.sampled_from(["cancel", "suspend", "unschedule"]))
    def stop(self, how: str) -> None:
        done = self.does(Action(how))
        match how:
            case "cancel":
                assert done == self.model.cancel(self.minute)
            case "suspend":
                assert done == self.model.suspend()
            case _:
                assert done == self.model.unschedule(self.minute)

    # The phones

    @rule(number=st.integers(0, 9), action=st.sampled_from(sorted(BECOMES)), online=st.booleans())
    def do_anything(self, number: int, action: str, *, online: bool) -> None:
        """Somebody presses any button on a visit that was theirs."""
        self._note_down(number % len(self.model.visits), [action], online=online)

    @rule(number=st.integers(0, 9), steps=st.integers(1, 6), online=st.booleans())
    def go_on(self, number: int, steps: int, *, online: bool) -> None:
        """Somebody works on as one does, from where their phone has them."""
        number %= len(self.model.visits)
        done = [action for it, action, _ in self.outbox[self.model.visits[number].engineer] if it == number]
        told = BECOMES[done[-1]] if done else self.model.visits[number].told
        self._note_down(number, WAY[WAY.index(told) + 1 :][:steps] if told in WAY else [], online=online)

    def _note_down(self, number: int, steps: Sequence[str], *, online: bool) -> None:
        name = self.model.visits[number].engineer
        for step in steps:
            self.passes()
            self.outbox[name].append((number, ACTION_TO.get(step, step), self.minute))
        if online:
            self.connect(name)

    @rule(name=st.sampled_from(ENGINEERS))
    def connect(self, name: str) -> None:
        """A phone finds a signal: all it recorded arrives, in its order."""
        self.passes()
        waiting, self.outbox[name] = self.outbox[name], []
        for number, action, at in waiting:
            expected = self.model.push(number, action, at)
            assert self.run(self._push(name, number, action, at)) == expected, (action, at)

    async def _push(self, name: str, number: int, action: str, at: int) -> tuple[str, str | None]:
        visits = await queries.visits(self.uow, self.order.id)
        args = {"wo": str(self.order.id), "visit": str(visits[number].id), "to": action, **SAID.get(action, {})}
        happened = MONDAY_MORNING + timedelta(minutes=at)
        occurrence = Occurrence(happened, happened, 2_000, self.clock.now())
        mutation = Mutation(uuid4(), at, "wo.transition", 1, {}, uuid4(), uuid4(), occurrence, None)
        mutator = FIELD.mutators["wo.transition", 1]
        outcome = await mutator.handle(
            self.uow, self.people[name], mutation, mutator.args.model_validate_json(json.dumps(args))
        )
        return str(outcome.status), outcome.code

    @rule(name=st.sampled_from(ENGINEERS))
    def write_a_note(self, name: str) -> None:
        """Evidence is kept, whatever became of the order, from whoever was ever assigned."""
        if all(visit.engineer != name for visit in self.model.visits):
            return
        self.passes()
        self.run(self._note(name))
        self.notes += 1

    async def _note(self, name: str) -> None:
        mutator = FIELD.mutators["note.add", 1]
        args = mutator.args.model_validate({"id": str(uuid4()), "wo": str(self.order.id), "body": "told"})
        now = self.clock.now()
        mutation = Mutation(uuid4(), 1, "note.add", 1, {}, uuid4(), uuid4(), Occurrence(now, now, 0, now), None)
        assert (await mutator.handle(self.uow, self.people[name], mutation, args)).status == "applied"

    @invariant()
    def stands_as_the_model(self) -> None:
        async def look() -> tuple[str, list[str], int]:
            order = await queries.order(self.uow, self.order.id)
            assert order is not None
            visits = await queries.visits(self.uow, self.order.id)
            notes = await self.uow.value(
                "select count(*) from note where work_order_id = %(id)s and body = 'told'", id=order.id
            )
            return str(order.state), [str(visit.state) for visit in visits], int(notes)

        expected = (self.model.state, [visit.state for visit in self.model.visits], self.notes)
        assert self.run(look()) == expected


def test_whatever_two_phones_and_an_office_do_the_server_answers_as_the_rules_say(test_database) -> None:
    with asyncio.Runner() as runner:
        database = Database(test_database.url, FakeClock(MONDAY_MORNING), min_size=0, max_size=2)
        runner.run(database.open())
        company = runner.run(found_company(database))
        machine = type("Rules", (Rules,), {"database": database, "runner": runner, "people": company.people})
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=40,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.close())
