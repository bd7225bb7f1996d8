"""The travel service is killed, halted and given other roads while everybody asks it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callout.supervisor import Child, Supervisor
from server.geo.builds import use_region
from server.geo.domain import Point
from server.geo.journey import Route, Source
from server.geo.preparing import prepare_region
from server.geo.region import Region, RegionInUse
from server.geo.travel import Travel, TravelInUse
from server.geo.travel_service.client import ServedTravel
from tests.regions import (
    CALLOUT,
    LADDER_EAST,
    LADDER_WEST,
    travel_environment,
    travel_process,
    write_ladder,
)

HARBOUR, CASINO, STADIUM = Point(7.4216, 43.7345), Point(7.4280, 43.7393), Point(7.4155, 43.7276)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CALLERS = 8
BACK_WITHIN_S = 30


async def until_on_roads(travel: Travel) -> None:
    async with asyncio.timeout(BACK_WITHIN_S):
        while (await travel.route(STADIUM, CASINO, NOON)).source is not Source.ROADS:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)


@asynccontextmanager
async def under_load(travel: Travel) -> AsyncIterator[list[Source]]:
    """Callers who ask one question after the other; whoever is not answered fails the test."""
    answers: list[Source] = []
    over = asyncio.Event()

    async def caller() -> None:
        while not over.is_set():
            answers.append((await travel.route(STADIUM, CASINO, NOON)).source)
            table = await travel.table([HARBOUR, STADIUM], [CASINO, HARBOUR, STADIUM], NOON)
            answers.append(table.source(0, 0))
            answers.append((await travel.snap(HARBOUR)).source)
            await asyncio.sleep(0)  # an estimate is made without ever giving others a turn

    async with asyncio.TaskGroup() as callers:
        for _ in range(CALLERS):
            callers.create_task(caller())
        try:
            yield answers
        finally:
            over.set()


@asynccontextmanager
async def kept_service(monaco: Region, socket: Path, said: list[str]) -> AsyncIterator[Supervisor]:
    """The service as the demo runs it."""
    (socket.parent / "state").mkdir()
    (socket.parent / "state" / "regions").symlink_to(monaco.folder.parents[1])
    supervisor = Supervisor(socket.parent / "logs", said.append)
    await supervisor.keep(Child("travel", (str(CALLOUT), "travel"), travel_environment(socket)))
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def hit(supervisor: Supervisor, how: signal.Signals) -> None:
    os.kill(supervisor._kept[0].running.process.pid, how)


def test_a_killed_service_leaves_nobody_without_an_answer_and_comes_back(monaco: Region, socket_path: Path) -> None:
    said: list[str] = []

    async def play() -> list[Source]:
        travel = ServedTravel(socket_path)
        async with kept_service(monaco, socket_path, said) as supervisor:
            await until_on_roads(travel)
            async with under_load(travel) as answers:
                for _ in range(2):
                    await asyncio.sleep(0.3)
                    hit(supervisor, signal.SIGKILL)
                    await asyncio.sleep(0.3)
                    await until_on_roads(travel)
                await asyncio.sleep(0.2)
            return answers

    answers = asyncio.run(play())
    assert set(answers) == {Source.ROADS, Source.ESTIMATE}
    assert answers[-1] is Source.ROADS
    assert len([line for line in said if "was ended by SIGKILL" in line]) == 2


def test_a_halted_service_keeps_nobody_waiting_for_ever(monaco: Region, socket_path: Path) -> None:
    async def play() -> tuple[Route, Route]:
        travel = ServedTravel(socket_path)
        async with kept_service(monaco, socket_path, []) as supervisor:
            await until_on_roads(travel)
            hit(supervisor, signal.SIGSTOP)
            halted = await asyncio.gather(*(travel.route(STADIUM, CASINO, NOON) for _ in range(CALLERS)))
            assert {route.source for route in halted} == {Source.ESTIMATE}
            hit(supervisor, signal.SIGCONT)
            await until_on_roads(travel)
            return halted[0], await travel.route(STADIUM, CASINO, NOON)

    halted, back = asyncio.run(play())
    assert len(halted.line) == 2 < len(back.line)


@pytest.mark.parametrize("served", [False, True], ids=["in process", "served"])
def test_other_roads_are_changed_to_under_load_and_every_answer_is_of_the_one_or_the_other(
    tmp_path: Path, socket_path: Path, served: bool
) -> None:
    regions = tmp_path / "regions"
    slow, fast = (write_ladder(tmp_path / f"{kmh}.osm.pbf", kmh) for kmh in (30, 60))
    prepare_region(slow, regions, "slow", print)

    async def play(travel: Travel) -> list[Route]:
        answers: list[Route] = []
        over = asyncio.Event()

        async def caller() -> None:
            while not over.is_set():
                answers.append(await travel.route(LADDER_WEST, LADDER_EAST, NOON))
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(caller())
            await asyncio.to_thread(prepare_region, fast, regions, "fast", print)
            for turn in range(20):
                await asyncio.sleep(0.02)
                use_region(regions, ("slow", "fast")[turn % 2])
            answered = len(answers)
            while len(answers) < answered + 10 * CALLERS:  # noqa: ASYNC110 - an event an answer says no more
                await asyncio.sleep(0.01)
            over.set()
        return answers

    if served:
        with travel_process(regions, socket_path):
            answers = asyncio.run(play(ServedTravel(socket_path)))
    else:
        answers = asyncio.run(play(TravelInUse(RegionInUse(regions))))
    assert {answer.source for answer in answers} == {Source.ROADS}
    slower, faster = sorted({answer.seconds for answer in answers}, reverse=True)
    assert slower > 1.5 * faster
    assert {answer.seconds for answer in answers[-CALLERS:]} == {faster}
