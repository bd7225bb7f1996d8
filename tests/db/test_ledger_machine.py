"""The ledger against a small pure model: phones tell what they did in any order, late, and more than once."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from server.core.db import Database, UnitOfWork
from server.inventory import discrepancies, queries, reservations, service, transfer_queries
from server.inventory.domain import DiscrepancyKind, DiscrepancyState, LocationKind
from server.inventory.errors import UnknownMovement
from server.sync.domain import Outcome
from tests.factories.confirmation import from_phone
from tests.factories.identity import found_company
from tests.factories.inventory import a_part, a_warehouse, goods_in
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_visit, an_occurrence, an_order
from tests.fakes.clock import MONDAY_MORNING, FakeClock

OUTSIDE = -1
VAN, OTHER, DEPOT = range(3)
STOCKED, PROMISED = Decimal(50), Decimal(5)

quantities = st.integers(1, 8000).map(lambda thousandths: Decimal(thousandths) / 1000)
minutes = st.integers(1, 30)
vans = st.sampled_from([VAN, OTHER])
lateness = st.booleans()
field_words = st.sampled_from(["part.use", "part.return"])
field_words = st.sampled_from(["part.use", "part.return"])


@dataclass(frozen=True)
class Word:
    """One thing a phone tells. `place` is whose van it is about; `about` an earlier word's key."""

    name: str
    place: int
    quantity: Decimal
    minute: int
    to: int = OUTSIDE
    about: UUID | None = None
    key: UUID = field(default_factory=uuid4)


@dataclass
class Model:
    """What must be true, by what was heard so far. `moves` are (place left, place reached, quantity, minute)."""

    heard: dict[UUID, Word] = field(default_factory=dict)
    moves: list[tuple[int, int, Decimal, int]] = field(default_factory=list)
    drawn: dict[UUID, Decimal] = field(default_factory=dict)
    reversed: set[UUID] = field(default_factory=set)
    sent: dict[UUID, Decimal] = field(default_factory=dict)
    received: dict[UUID, Decimal] = field(default_factory=dict)

    @property
    def used(self) -> Decimal:
        return sum(self.drawn.values(), Decimal(0))

    def hear(self, word: Word) -> str:
        """Take a word in and answer how the ledger must have ended it."""
        if word.key in self.heard:
            return "merged"
        match word.name:
            case "part.reverse" if word.about not in self.heard:
                return "refused"
            case "part.reverse" if word.about in self.reversed:
                return "merged"
            case "part.receive" if word.about in self.received:
                return "merged" if self.received[word.about] == word.quantity else "quarantined"
        self.heard[word.key] = word
        getattr(self, f"_{word.name.removeprefix('part.')}")(word)
        return "applied"

    def _use(self, word: Word) -> None:
        self.moves.append((word.place, OUTSIDE, word.quantity, word.minute))
        self.drawn[word.key] = min(word.quantity, PROMISED - self.used)

    def _return(self, word: Word) -> None:
        self.moves.append((OUTSIDE, word.place, word.quantity, word.minute))

    def _reverse(self, word: Word) -> None:
        assert word.about
        undone = self.heard[word.about]
        self.reversed.add(undone.key)
        self.drawn.pop(undone.key, None)
        ends = (OUTSIDE, undone.place) if undone.name == "part.use" else (undone.place, OUTSIDE)
        self.moves.append((*ends, undone.quantity, undone.minute))

    def _count(self, word: Word) -> None:
        pass

    def _transfer(self, word: Word) -> None:
        self.moves.append((word.place, OUTSIDE, word.quantity, word.minute))
        self.sent[word.key] = word.quantity

    def _receive(self, word: Word) -> None:
        assert word.about
        self.moves.append((OUTSIDE, word.place, word.quantity, word.minute))
        self.received[word.about] = word.quantity

    def counts_at(self, place: int) -> list[Word]:
        told = [word for word in self.heard.values() if (word.name, word.place) == ("part.count", place)]
        return sorted(told, key=lambda word: (word.minute, word.key))

    def moved(self, place: int, after: int, until: int) -> Decimal:
        """What a place gained by movements later than `after` and not later than `until`."""
        within = [move for move in self.moves if after < move[3] <= until]
        return sum((q * ((to == place) - (source == place)) for source, to, q, _ in within), Decimal(0))

    def stock(self, place: int) -> Decimal:
        start = Decimal(0) if place == OTHER else STOCKED
        counts = self.counts_at(place)
        if not counts:
            return start + self.moved(place, 0, 99)
        return counts[-1].quantity + self.moved(place, counts[-1].minute, 99)

    def differing(self, place: int) -> set[UUID]:
        """Counts that found something else than was to be expected."""
        expected, since, found = Decimal(0) if place == OTHER else STOCKED, 0, set()
        for count in self.counts_at(place):
            expected += self.moved(place, since, count.minute)
            if expected != count.quantity:
                found.add(count.key)
            expected, since = count.quantity, count.minute
        return found

    @property
    def on_the_way(self) -> Decimal:
        gone = sum((q for key, q in self.sent.items() if key not in self.received), Decimal(0))
        return gone - sum((q for key, q in self.received.items() if key not in self.sent), Decimal(0))

    @property
    def clashing(self) -> set[UUID]:
        return {key for key, q in self.received.items() if self.sent.get(key) != q}


class Ledger(RuleBasedStateMachine):
    """Words are recorded by one rule and heard by another: in any order, any number of times."""

    words = Bundle("words")
    usages = Bundle("usages")
    sendings = Bundle("sendings")
    database: Database
    runner: asyncio.Runner
    company: Any

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize()
    def scene(self) -> None:
        self.run(self._set())

    async def _set(self) -> None:
        self._connection = self.database.pool.connection()
        connection = await self._connection.__aenter__()
        self._transaction = connection.transaction(force_rollback=True)
        await self._transaction.__aenter__()
        self.uow = UnitOfWork(connection, self.database.clock, self.database.mint, None)
        await self.uow.enter(self.company.id)
        uow, office = self.uow, self.company.actor("administrator")
        self.people = [self.company.actor("engineer"), self.company.actor("team_lead")]
        self.part, depot = await a_part(uow), await a_warehouse(uow)
        self.places = [
            *[await service.give_van(uow, who.person, who.name) for who in self.people],
            depot,
        ]
        self.order = await an_order(uow, self.company.actor("dispatcher"))
        for who in self.people:
            await an_engineer(uow, who)
            await a_visit(uow, self.company.actor("dispatcher"), who, self.order)
        clock: Any = self.database.clock
        clock.forward(-timedelta(days=1))
        for place in (VAN, DEPOT):
            await goods_in(uow, office, self.part, self.places[place], int(STOCKED))
        clock.forward(timedelta(days=1))
        self.reservation = await reservations.reserve(
            uow,
            office,
            work_order_id=self.order.id,
            part_id=self.part.id,
            location_id=depot.id,
            quantity=PROMISED,
        )

    def teardown(self) -> None:
        if hasattr(self, "_transaction"):
            self.run(self._clear())

    async def _clear(self) -> None:
        await self._transaction.__aexit__(None, None, None)
        await self._connection.__aexit__(None, None, None)

    @rule(targets=(words, usages), name=field_words, van=vans, quantity=quantities, minute=minutes, late=lateness)
    def work(self, name: str, van: int, quantity: Decimal, minute: int, *, late: bool) -> Word:
        return self._recorded(Word(name, van, quantity, minute), late=late)

    @rule(target=words, van=vans, quantity=quantities, minute=minutes, late=lateness)
    def count(self, van: int, quantity: Decimal, minute: int, *, late: bool) -> Word:
        return self._recorded(Word("part.count", van, quantity, minute), late=late)

    @rule(targets=(words, sendings), van=vans, depot=st.booleans(), quantity=quantities, minute=minutes, late=lateness)
    def send(self, van: int, *, depot: bool, quantity: Decimal, minute: int, late: bool) -> Word:
        to = DEPOT if depot else OTHER - van
        return self._recorded(Word("part.transfer", van, quantity, minute, to=to), late=late)

    @rule(target=words, sent=sendings, van=vans, less=st.booleans(), minute=minutes, late=lateness)
    def receive(self, sent: Word, van: int, *, less: bool, minute: int, late: bool) -> Word:
        quantity = max(sent.quantity - 1, Decimal("0.001")) if less else sent.quantity
        return self._recorded(Word("part.receive", van, quantity, minute, about=sent.key), late=late)

    @rule(target=words, undone=usages, late=lateness)
    def take_back(self, undone: Word, *, late: bool) -> Word:
        reversal = Word("part.reverse", undone.place, undone.quantity, undone.minute, about=undone.key)
        return self._recorded(reversal, late=late)

    @rule(word=words)
    def hear(self, word: Word) -> None:
        self._hear(word)

    def _recorded(self, word: Word, *, late: bool) -> Word:
        """Keep a word on the phone, or have it heard at once."""
        if not late:
            self._hear(word)
        return word

    def _hear(self, word: Word) -> None:
        before = self._receiver(word)
        expected = self.model.hear(word)
        if expected == "merged" and before not in {None, word.place}:
            expected = "quarantined"
        assert self.run(self._tell(word)) == expected

    def _receiver(self, word: Word) -> int | None:
        """Whose van a transfer arrived in, where this word tells an arrival that is known."""
        if word.name != "part.receive" or word.key in self.model.heard:
            return None
        known = [it for it in self.model.heard.values() if it.name == "part.receive" and it.about == word.about]
        return known[0].place if known else None

    async def _tell(self, word: Word) -> str:
        happened = an_occurrence(self.uow.now(), ago=timedelta(hours=1) - timedelta(minutes=word.minute))
        who = self.people[word.place]
        try:
            outcome: Outcome = await from_phone(self.uow, who, word.name, self._args(word), occurrence=happened)
        except UnknownMovement:
            return "refused"
        return str(outcome.status)

    def _args(self, word: Word) -> dict[str, Any]:
        args: dict[str, Any] = {"id": word.key, "part": self.part.id, "quantity": word.quantity}
        match word.name:
            case "part.use" | "part.return":
                return args | {"wo": self.order.id}
            case "part.transfer":
                return args | {"to": self.places[word.to].id}
            case "part.receive":
                return args | {"transfer": word.about}
            case "part.reverse":
                return {"id": word.key, "movement": word.about, "why": "mistake"}
        return args

    @invariant()
    def ledger_and_model_agree(self) -> None:
        if hasattr(self, "uow"):
            self.run(self._compare())

    async def _compare(self) -> None:
        uow, model = self.uow, self.model
        assert await service.ledger_sum(uow) == 0
        assert await service.balances_match(uow)
        for number, place in enumerate(self.places):
            assert await queries.quantity_at(uow, place.id, self.part.id) == model.stock(number), place.name
        assert await transfer_queries.in_transit(uow) == model.on_the_way == await self._in_transit()
        reservation = await reservations.find(uow, self.reservation.id)
        assert reservation.used == model.used
        assert (reservation.state == "closed") == (model.used == PROMISED)
        assert await uow.value("select coalesce(sum(quantity), 0) from reservation_use") == model.used
        tasks = await self._open_tasks()
        counts = {task.count_id for task in tasks if task.kind is DiscrepancyKind.COUNT}
        assert counts == model.differing(VAN) | model.differing(OTHER)
        told = {task.transfer_id for task in tasks if task.transfer_id and not task.mutation_id}
        assert told == model.clashing

    async def _open_tasks(self) -> list[Any]:
        page = await discrepancies.list_discrepancies(
            self.uow,
            state=DiscrepancyState.OPEN,
            kind=None,
            location_id=None,
            part_id=None,
            cursor=None,
            limit=200,
        )
        return page.items

    async def _in_transit(self) -> Decimal:
        outside = await service.ensure_virtual_locations(self.uow)
        return Decimal(
            await self.uow.value(
                """
                select coalesce(sum(case when to_id = %(at)s then quantity when from_id = %(at)s then -quantity end), 0)
                from stock_movement
                """,
                at=outside[LocationKind.TRANSIT].id,
            )
        )


@pytest.fixture
def ledger(test_database):
    """The machine on a database of its own; every run of it is undone."""
    runner = asyncio.Runner()
    database = Database(test_database.url, FakeClock(MONDAY_MORNING), min_size=0, max_size=2)
    runner.run(database.open())
    Ledger.database, Ledger.runner = database, runner
    Ledger.company = runner.run(found_company(database))
    yield Ledger
    runner.run(database.close())
    runner.close()


def test_whatever_phones_tell_in_whatever_order_the_ledger_says_what_the_model_says(ledger):
    run_state_machine_as_test(
        ledger,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
