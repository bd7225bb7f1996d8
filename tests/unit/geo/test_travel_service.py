"""The wire of the travel service, and when a service that failed is asked again."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.geo.domain import Point
from server.geo.errors import TravelServiceRuns
from server.geo.estimate import EstimatedTravel
from server.geo.journey import Matrix, Route, Snapped, Source
from server.geo.matching import Fix, Matched, Passage, SnappedFix
from server.geo.travel_service import wire
from server.geo.travel_service.circuit import Circuit
from server.geo.travel_service.client import ServedTravel
from server.geo.travel_service.process import serve_travel

HERE, THERE = Point(7.4216, 43.7345), Point(7.4280, 43.7393)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

points = st.builds(Point, st.floats(-180, 180), st.floats(-90, 90))
amounts = st.integers(0, 2**31 - 1)
reals = st.floats(0, 1e10)
sources = st.sampled_from(Source)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
questions = st.one_of(
    st.builds(wire.AskedRoute, points, points, instants),
    st.builds(wire.AskedTable, st.lists(points, max_size=5), st.lists(points, max_size=5), instants),
    st.builds(wire.AskedSnap, points),
    st.builds(wire.AskedMatch, st.lists(st.builds(Fix, reals, reals, reals, reals), max_size=5)),
)
nodes = st.integers(1, 2**53)
passages = st.builds(Passage, nodes, nodes, reals, reals, reals, reals)


@given(questions)
def test_a_question_is_understood_as_it_was_asked(asked: wire.Question) -> None:
    assert wire.read_question(wire.question(asked)) == asked


@given(st.builds(Route, amounts, amounts, amounts, st.lists(points, min_size=2, max_size=9).map(tuple), sources))
def test_a_route_arrives_as_it_was_answered(route: Route) -> None:
    assert wire.read_route(wire.answer(route)) == route


@given(st.builds(Snapped, points, amounts, sources))
def test_a_snapped_point_arrives_as_it_was_answered(snapped: Snapped) -> None:
    assert wire.read_snapped(wire.answer(snapped)) == snapped


@given(
    st.lists(passages, max_size=5).map(tuple),
    st.lists(st.none() | st.builds(SnappedFix, points, amounts), max_size=5).map(tuple),
    st.floats(0, 1),
)
def test_a_match_arrives_as_it_was_answered(
    driven: tuple[Passage, ...], snapped: tuple[SnappedFix | None, ...], confidence: float
) -> None:
    matched = Matched(driven, snapped, confidence)
    assert wire.read_matched(wire.answer(matched)) == matched


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (3, 7)])
def test_a_table_arrives_as_it_was_answered(shape: tuple[int, int]) -> None:
    dice = np.random.default_rng(7)
    seconds, p90, metres = (dice.integers(0, 2**31 - 1, shape, dtype=np.int32) for _ in range(3))
    sent = Matrix(seconds, p90, metres, dice.random(shape) < 0.5)
    got = wire.read_table(wire.answer(sent))
    for name in ("seconds", "p90_seconds", "metres", "estimated"):
        assert getattr(got, name).dtype == getattr(sent, name).dtype
        assert np.array_equal(getattr(got, name), getattr(sent, name))
    got.seconds[...] = 0  # whoever asked may write into it


@given(st.binary(max_size=100))
def test_what_is_no_question_is_refused(content: bytes) -> None:
    with suppress(wire.Garbled):
        wire.read_question(content)


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_after_a_failure_one_caller_tries_and_the_others_do_without() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    assert circuit.may_ask()
    circuit.failed()
    assert not circuit.may_ask()
    clock.at = 0.3
    assert [circuit.may_ask() for _ in range(3)] == [True, False, False]
    circuit.succeeded()
    assert circuit.is_whole
    assert circuit.may_ask()


def test_the_longer_a_service_is_away_the_less_often_it_is_tried_but_never_less_than_every_five_seconds() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    tried = 0
    circuit.failed()
    for step in range(6_000):
        clock.at = step / 100
        if circuit.may_ask():
            tried += 1
            circuit.failed()
    assert 12 <= tried <= 18


def test_a_caller_who_gives_up_while_trying_leaves_the_trial_to_another() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    circuit.failed()
    clock.at = 1.0
    assert circuit.may_ask()
    clock.at = 7.0
    assert circuit.may_ask()


def test_a_service_that_speaks_another_version_is_not_listened_to(socket_path) -> None:
    async def talk() -> Route:
        async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"callout-travel-0" + bytes(100))
            await writer.drain()
            writer.close()

        async with await asyncio.start_unix_server(stranger, socket_path):
            return await ServedTravel(socket_path).route(HERE, THERE, NOON)

    assert asyncio.run(talk()).source is Source.ESTIMATE


class Choking(EstimatedTravel):
    """Cannot snap."""

    async def snap(self, *_) -> Snapped:
        raise RuntimeError("no such segment")


class Slow(EstimatedTravel):
    """Takes a table's time, and says whether it was let finish."""

    finished = False

    async def table(self, *asked) -> Matrix:
        await asyncio.sleep(0.3)
        self.finished = True
        return await super().table(*asked)


def test_a_question_that_the_service_chokes_on_costs_the_others_nothing(socket_path) -> None:
    async def talk() -> tuple[Snapped, bool]:
        told = asyncio.Event()
        serving = asyncio.create_task(serve_travel(Choking(), socket_path, told))
        await listening(socket_path)
        travel = ServedTravel(socket_path)
        snapped = await travel.snap(HERE)
        whole = travel._circuit.is_whole
        told.set()
        await serving
        return snapped, whole

    snapped, whole = asyncio.run(talk())
    assert snapped == Snapped(HERE, 0, Source.ESTIMATE)
    assert whole


@pytest.mark.parametrize("leaves", [True, False])
def test_a_table_is_finished_before_the_service_stops_but_not_for_nobody(socket_path, leaves: bool) -> None:
    async def talk(slow: Slow) -> None:
        told = asyncio.Event()
        serving = asyncio.create_task(serve_travel(slow, socket_path, told))
        await listening(socket_path)
        asking = asyncio.create_task(ServedTravel(socket_path).table([HERE], [THERE], NOON))
        await asyncio.sleep(0.1)
        if leaves:
            asking.cancel()
        told.set()
        await asyncio.gather(serving, asking, return_exceptions=True)

    slow = Slow()
    asyncio.run(talk(slow))
    assert slow.finished is not leaves
    assert not socket_path.exists()


def test_a_second_service_on_the_same_socket_says_that_one_runs(socket_path) -> None:
    async def both() -> None:
        told = asyncio.Event()
        serving = asyncio.create_task(serve_travel(EstimatedTravel(), socket_path, told))
        await listening(socket_path)
        try:
            await serve_travel(EstimatedTravel(), socket_path, told)
        finally:
            told.set()
            await serving

    with pytest.raises(TravelServiceRuns):
        asyncio.run(both())


async def listening(socket_path) -> None:
    while not socket_path.is_socket():  # noqa: ASYNC110 - the service has no use for an event
        await asyncio.sleep(0.01)
