"""Every statement about drives and what was learnt from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import numpy as np

from server.core.db import UnitOfWork
from server.geo.domain import Point
from server.geo.learning.domain import KEPT, Night, Outcome
from server.geo.learning.engine import Way
from server.geo.matching import Fix

_DAY = timedelta(days=1)
_NIGHT = """
    id, region, outcome, progress, began_at, ended_at, drives, trained_from, trained_until, back_test, sets
"""


# --- tracks -----------------------------------------------------------------------------------------------------------


async def days_made(uow: UnitOfWork) -> set[date]:
    return {row["day"] for row in await uow.rows("select day from travel_day")}


async def people_tracked(uow: UnitOfWork, begins: datetime) -> list[UUID]:
    """Answer whose track has a fix in the day from then on."""
    rows = await uow.rows(
        """
        select id from person p where exists (
            select from position_track t
            where t.org_id = p.org_id and t.person_id = p.id and t.fixed_at >= %(begins)s and t.fixed_at < %(ends)s)
        order by id
        """,
        begins=begins,
        ends=begins + _DAY,
    )
    return [row["id"] for row in rows]


async def track(uow: UnitOfWork, person: UUID, begins: datetime) -> list[Fix]:
    """Answer a person's fixes of the day from then on."""
    return await uow.all_of(
        Fix,
        """
        select st_x(place::geometry) as lon, st_y(place::geometry) as lat, extract(epoch from fixed_at)::float8 as at,
               accuracy_m::float8 as accuracy
        from position_track
        where person_id = %(person)s and fixed_at >= %(begins)s and fixed_at < %(ends)s
        order by fixed_at
        """,
        person=person,
        begins=begins,
        ends=begins + _DAY,
    )


# --- drives -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """A drive as stored: what it drove, and both its ends."""

    began_at: datetime
    seconds: float
    origin: Point
    destination: Point
    turns: float
    from_nodes: Sequence[int]
    to_nodes: Sequence[int]
    took: Sequence[float]
    free_flow: Sequence[float]

    @property
    def way(self) -> Way:
        return Way(
            np.array(self.from_nodes, dtype=np.int64),
            np.array(self.to_nodes, dtype=np.int64),
            np.array(self.took, dtype=np.float64),
            np.array(self.free_flow, dtype=np.float64),
            self.turns,
        )


async def keep_drives(uow: UnitOfWork, person: UUID, drives: Sequence[Kept]) -> None:
    """Store a person's drives under names that say the same drive again, and not whose it was."""
    assert uow.org is not None, "drives belong to an organisation"
    await uow.run_many(
        """
        insert into travel_drive
            (org_id, id, began_at, seconds, origin, destination, turns, from_nodes, to_nodes, took, free_flow)
        values (%(org)s, %(id)s, %(began)s, %(seconds)s, st_point(%(lon)s, %(lat)s, 4326)::geography,
                st_point(%(to_lon)s, %(to_lat)s, 4326)::geography, %(turns)s, %(from_nodes)s::bigint[],
                %(to_nodes)s::bigint[], %(took)s::real[], %(free_flow)s::real[])
        on conflict do nothing
        """,
        [
            {
                "org": uow.org,
                "id": uuid5(uow.org, f"{person} {it.began_at.timestamp()}"),
                "began": it.began_at,
                "seconds": it.seconds,
                "lon": it.origin.lon,
                "lat": it.origin.lat,
                "to_lon": it.destination.lon,
                "to_lat": it.destination.lat,
                "turns": it.turns,
                "from_nodes": list(it.from_nodes),
                "to_nodes": list(it.to_nodes),
                "took": list(it.took),
                "free_flow": list(it.free_flow),
            }
            for it in drives
        ],
    )


async def note_day(uow: UnitOfWork, day: date, drives: int) -> None:
    await uow.run(
        "insert into travel_day (org_id, day, drives) values (%(org)s, %(day)s, %(drives)s) on conflict do nothing",
        org=uow.org,
        day=day,
        drives=drives,
    )


async def forget_drives(uow: UnitOfWork) -> None:
    """Delete what is older than tracks may be."""
    oldest = uow.now() - KEPT
    await uow.run("delete from travel_drive where began_at < %(oldest)s", oldest=oldest)
    await uow.run("delete from travel_day where day < %(oldest)s", oldest=oldest.astimezone(UTC).date())


async def drives(uow: UnitOfWork, most: int) -> list[Kept]:
    """Answer the organisation's newest drives, so many at most."""
    return await uow.all_of(
        Kept,
        """
        select began_at, seconds, array[st_x(origin::geometry), st_y(origin::geometry)] as origin,
               array[st_x(destination::geometry), st_y(destination::geometry)] as destination,
               turns, from_nodes, to_nodes, took, free_flow
        from travel_drive order by began_at desc, id limit %(most)s
        """,
        most=most,
    )


# --- nights -----------------------------------------------------------------------------------------------------------


async def begin_night(uow: UnitOfWork, region: str | None) -> UUID:
    """Note that a night's learning has begun. One that was begun before and never ended was interrupted."""
    await uow.run(
        f"""
        update travel_learning set outcome = '{Outcome.FAILED}', progress = 'interrupted', ended_at = %(now)s
        where outcome = '{Outcome.RUNNING}'
        """,
        now=uow.now(),
    )
    night = uow.new_id()
    await uow.run(
        f"""
        insert into travel_learning (id, region, outcome, progress, began_at, drives)
        values (%(id)s, %(region)s, '{Outcome.RUNNING}', '', %(now)s, 0)
        """,
        id=night,
        region=region,
        now=uow.now(),
    )
    return night


async def tell_progress(uow: UnitOfWork, night: UUID, progress: str) -> None:
    await uow.run("update travel_learning set progress = %(progress)s where id = %(id)s", progress=progress, id=night)


async def end_night(
    uow: UnitOfWork,
    night: UUID,
    outcome: Outcome,
    *,
    progress: str = "",
    drives: int = 0,
    trained: tuple[date, date] | None = None,
    back_test: Mapping[str, Any] | None = None,
    sets: Mapping[str, Any] | None = None,
) -> None:
    trained_from, trained_until = trained or (None, None)
    await uow.run(
        """
        update travel_learning
        set outcome = %(outcome)s, progress = %(progress)s, ended_at = %(now)s, drives = %(drives)s,
            trained_from = %(trained_from)s, trained_until = %(trained_until)s, back_test = %(back_test)s,
            sets = %(sets)s
        where id = %(id)s
        """,
        id=night,
        outcome=outcome,
        progress=progress,
        now=uow.now(),
        drives=drives,
        trained_from=trained_from,
        trained_until=trained_until,
        back_test=dict(back_test) if back_test else None,
        sets=dict(sets) if sets else None,
    )


async def last_change(uow: UnitOfWork, region: str) -> Night | None:
    """Answer the last night that changed what is in force in a region."""
    return await uow.one_of(
        Night,
        f"""
        select {_NIGHT} from travel_learning
        where region = %(region)s and outcome in ('{Outcome.IN_FORCE}', '{Outcome.WITHDRAWN}')
        order by began_at desc limit 1
        """,
        region=region,
    )


async def nights(uow: UnitOfWork, limit: int) -> list[Night]:
    """Answer the last runs, the newest first."""
    return await uow.all_of(
        Night, f"select {_NIGHT} from travel_learning order by began_at desc, id desc limit %(limit)s", limit=limit
    )
