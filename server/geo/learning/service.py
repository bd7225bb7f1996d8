"""A night of learning: tracks become drives, drives become speeds, and speeds that err less are put in force.

Every step is kept by itself, so a night that was interrupted is taken up where it was; no transaction waits while
something is reckoned.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import numpy as np

from server.core.db import Database, UnitOfWork
from server.geo.congestion import P90_OVER_MEDIAN
from server.geo.domain import Point
from server.geo.errors import RegionProblem
from server.geo.learning import queries
from server.geo.learning.domain import AGAIN_AFTER, MOST_DRIVES, Night, Outcome, begins, days_due, is_enough
from server.geo.learning.engine import EmptyRoads, Way
from server.geo.learning.files import median_of_sets, write_sets
from server.geo.learning.hours import PARTS
from server.geo.learning.judging import MARGIN, Drives, InForce, Lesson, learn, setting_of
from server.geo.learning.material import Driven, drives_from
from server.geo.learning.network import Roads
from server.geo.learning.queries import Kept
from server.geo.learning.speeds import Setting
from server.geo.learning.trips import Trip, trips_of
from server.geo.matching import Fix
from server.geo.recustomising import recustomise
from server.geo.region import Region

_NIGHTS_SHOWN = 30

type _Tell = Callable[[str], Awaitable[None]]


async def learn_tonight(database: Database, region: Region | None) -> Outcome:
    """Learn from everybody's drives in a region, and put what errs less in force. Safe to run twice."""
    async with database.unit_of_work() as uow:
        night = await queries.begin_night(uow, region.name if region else None)

    async def tell(progress: str) -> None:
        async with database.unit_of_work() as uow:
            await queries.tell_progress(uow, night, progress)

    found = await _learn(database, region, tell)
    async with database.unit_of_work() as uow:
        await queries.end_night(uow, night, **vars(found))
    return found.outcome


async def nights(uow: UnitOfWork) -> list[Night]:
    """Answer the last nights, the newest first."""
    return await queries.nights(uow, _NIGHTS_SHOWN)


@dataclass(frozen=True)
class _Found:
    """What a night ends with; the fields are those of `queries.end_night`."""

    outcome: Outcome
    drives: int = 0
    trained: tuple[date, date] | None = None
    back_test: Mapping[str, Any] | None = None
    sets: Mapping[str, Any] | None = None
    progress: str = ""


async def _learn(database: Database, region: Region | None, tell: _Tell) -> _Found:
    if region is None:
        return _Found(Outcome.NO_ROADS)
    kept = await make_drives(database, region, tell)
    if not is_enough(len(kept), len({it.began_at.date() for it in kept})):
        return _Found(Outcome.TOO_LITTLE, len(kept))
    async with database.unit_of_work() as uow:
        change, now = await queries.last_change(uow, region.name), uow.now()
    if change and region.dayparts and change.ended_at and now - change.ended_at < AGAIN_AFTER:
        return _Found(Outcome.TOO_SOON, len(kept))
    await tell("learning")
    until = change.trained_until if change and region.dayparts else None
    return await asyncio.to_thread(study, region, kept, until)


# --- tracks to drives -------------------------------------------------------------------------------------------------


async def make_drives(database: Database, region: Region, tell: _Tell) -> list[Kept]:
    """Make the tracks of every day that is due into drives, and answer all that are kept."""
    roads = await asyncio.to_thread(EmptyRoads, region.osrm_base)
    found: list[Kept] = []
    organisations = await database.organisations()
    for number, org in enumerate(organisations, start=1):
        async with database.unit_of_work(org) as uow:
            await queries.forget_drives(uow)
            made, today = await queries.days_made(uow), uow.now().astimezone(UTC).date()
        for day in [it for it in days_due(today) if it not in made]:
            await tell(f"organisation {number}: {day}")
            many = await _make_drives(database, org, roads, begins(day, region.bounds.centre))
            async with database.unit_of_work(org) as uow:
                await queries.note_day(uow, day, many)
        async with database.unit_of_work(org) as uow:
            found += await queries.drives(uow, MOST_DRIVES // len(organisations))
    return found


async def _make_drives(database: Database, org: UUID, roads: EmptyRoads, since: datetime) -> int:
    """Make the tracks of the day from then on into drives; how many there were."""
    async with database.unit_of_work(org) as uow:
        people = await queries.people_tracked(uow, since)
    many = 0
    for person in people:
        async with database.unit_of_work(org) as uow:
            track = await queries.track(uow, person, since)
        drives = await asyncio.to_thread(match, roads, track)
        async with database.unit_of_work(org) as uow:
            await queries.keep_drives(uow, person, drives)
        many += len(drives)
    return many


def match(roads: EmptyRoads, track: Sequence[Fix]) -> list[Kept]:
    """Blocking: some ms a drive."""
    found = [(trip, roads.driven(trip)) for trip in trips_of(track)]
    return [_kept(trip, way) for trip, way in found if way is not None]


def _kept(trip: Trip, way: Way) -> Kept:
    first, last = trip[0], trip[-1]
    return Kept(
        datetime.fromtimestamp(first.at, UTC),
        last.at - first.at,
        Point(first.lon, first.lat),
        Point(last.lon, last.lat),
        way.turns,
        way.from_node.tolist(),
        way.to_node.tolist(),
        way.seconds.tolist(),
        way.free_flow.tolist(),
    )


# --- drives to speeds -------------------------------------------------------------------------------------------------


def study(region: Region, kept: Sequence[Kept], learnt_until: date | None) -> _Found:
    """Learn, and put in force what errs less. Blocking: seconds for a town, minutes for a country.

    learnt_until: the last day that what is in force was learnt from; None where nothing is.
    """
    roads = Roads.read(region.osrm_base)
    setting, drives = setting_of(roads), drives_from(roads, driven(region, kept))
    in_force = _in_force(region, setting, drives, learnt_until) if learnt_until else None
    lesson = learn(setting, drives, in_force)
    if lesson is None:
        return _Found(Outcome.TOO_LITTLE, len(drives))
    try:
        return _decided(region, drives, lesson)
    except RegionProblem as problem:
        return _told(lesson, Outcome.FAILED, progress=str(problem))


def driven(region: Region, kept: Sequence[Kept]) -> list[Driven]:
    """The drives with what would have been the fastest way; those without one are left out."""
    roads = EmptyRoads(region.osrm_base)
    found = [(it, roads.fastest(it.origin, it.destination)) for it in kept]
    return [Driven(it.began_at, it.seconds, it.origin, it.way, way) for it, way in found if way is not None]


def _in_force(region: Region, setting: Setting, drives: Drives, until: date) -> InForce:
    sets = {part: it.learnt for part, it in region.dayparts.items()}
    part = setting.part[drives.hour]
    median = median_of_sets(setting.roads, sets, drives, part)
    median = np.where(np.isnan(median), drives.free_flow * np.exp(setting.usual[drives.hour]), median)
    over = [sets[it].p90_over_median if it in sets else P90_OVER_MEDIAN for it in PARTS]
    return InForce(until, median, median * np.array(over)[part])


def _decided(region: Region, drives: Drives, lesson: Lesson) -> _Found:
    if lesson.better:
        with TemporaryDirectory(prefix="speeds-") as folder:
            sets = write_sets(lesson.model, drives, Path(folder))
            recustomise(region, sets, lambda _: None)
        told = {
            str(part): {"factor": it.factor, "p90_over_median": it.p90_over_median, "drives": it.trips}
            for part, it in sets.items()
        }
        return _told(lesson, Outcome.IN_FORCE, sets=told)
    judged = lesson.back_test
    if "in_force" in judged and MARGIN * judged["in_force"]["mape"] > judged["usual"]["mape"]:
        recustomise(region, {}, lambda _: None)
        return _told(lesson, Outcome.WITHDRAWN)
    return _told(lesson, Outcome.NOT_BETTER)


def _told(lesson: Lesson, outcome: Outcome, *, sets: Mapping[str, Any] | None = None, progress: str = "") -> _Found:
    trained = (lesson.trained_from, lesson.trained_until)
    return _Found(outcome, lesson.drives, trained, lesson.back_test, sets, progress)
