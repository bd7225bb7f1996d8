"""What a day came to: promises kept, lateness, ways, overtime, idleness. From the server's answers and the drives."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from simulator.measured.engineer import Trip, Worked
from simulator.measured.script import Call, Shape
from simulator.phone import HOUR, MINUTE


@dataclass(frozen=True)
class Outcome:
    """One order at the end of the day, in seconds of the day: `promised` is when it was to be answered at the latest.

    began: the work on site, as the order's history has it; ended: of the visit.
    """

    call: Call
    promised: float
    began: float | None
    ended: float | None

    @property
    def due(self) -> float:
        """When work was to begin at the latest."""
        return min(self.promised, self.call.window[1]) if self.call.window else self.promised

    @property
    def kept(self) -> bool:
        opens = self.call.window[0] if self.call.window else 0.0
        return self.began is not None and opens - MINUTE <= self.began <= self.due

    def late(self, over: float) -> float:
        """Seconds; what was never begun is late by whatever was left of the day."""
        return max(0.0, (over if self.began is None else self.began) - self.due)


@dataclass(frozen=True)
class Account:
    """orders: all; promised: those whose promise or window ended within the day. Lateness is over those."""

    orders: int
    done: int
    promised: int
    kept: int
    urgent: int
    urgent_kept: int
    windowed: int
    windowed_kept: int
    travel_minutes: float
    travel_km: float
    work_minutes: float
    late_mean_minutes: float
    late_p90_minutes: float
    overtime_minutes: float
    idle_pct: float
    wait_mean_minutes: float

    @property
    def travel_minutes_per_job(self) -> float:
        return self.travel_minutes / max(1, self.done)

    @property
    def kept_pct(self) -> float:
        return 100 * self.kept / max(1, self.promised)

    def as_figures(self) -> dict[str, float]:
        plain = {name: round(value, 2) for name, value in asdict(self).items()}
        per_job = round(self.travel_minutes_per_job, 2)
        return plain | {"travel_minutes_per_job": per_job, "kept_pct": round(self.kept_pct, 1)}


def account(outcomes: Sequence[Outcome], trips: Sequence[Trip], works: Sequence[Worked], shape: Shape) -> Account:
    promised = [it for it in outcomes if it.due < shape.over]
    urgent = [it for it in promised if it.call.priority == "urgent"]
    windowed = [it for it in promised if it.call.window]
    late = sorted(it.late(shape.over) / MINUTE for it in promised)
    waited = [(it.began - max(it.call.comes, shape.begins)) / MINUTE for it in outcomes if it.began is not None]
    on_shift = sum(_within(it.left, it.arrived, shape) for it in trips)
    on_shift += sum(_within(it.began, it.ended, shape) for it in works)
    return Account(
        orders=len(outcomes),
        done=sum(1 for it in outcomes if it.ended is not None and it.ended <= shape.over),
        promised=len(promised),
        kept=sum(it.kept for it in promised),
        urgent=len(urgent),
        urgent_kept=sum(it.kept for it in urgent),
        windowed=len(windowed),
        windowed_kept=sum(it.kept for it in windowed),
        travel_minutes=sum(it.arrived - it.left for it in trips) / MINUTE,
        travel_km=sum(it.metres for it in trips) / 1000,
        work_minutes=sum(it.ended - it.began for it in works) / MINUTE,
        late_mean_minutes=statistics.fmean(late) if late else 0.0,
        late_p90_minutes=late[int(0.9 * (len(late) - 1))] if late else 0.0,
        overtime_minutes=sum(max(0.0, it.arrived - shape.ends) for it in trips if it.call is None) / MINUTE,
        idle_pct=100 * (1 - on_shift / (shape.engineers * shape.hours * HOUR)),
        wait_mean_minutes=statistics.fmean(waited) if waited else 0.0,
    )


def _within(begins: float, ends: float, shape: Shape) -> float:
    return max(0.0, min(ends, shape.ends) - max(begins, shape.begins))
