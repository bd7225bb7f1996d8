"""The planning figures: `./do bench plan`. Peers solve the same days in the same run, one thread and equal time each.

Nobody's own numbers count: every answer, ours too, is driven again by `judge` or the technicians' checker.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.plan import live, offers, ours, rank, technicians, urgent
from benchmarks.plan.judge import BrokenRuleError, judged
from benchmarks.plan.peers import PEERS, Answer, ask
from benchmarks.plan.shape import Day, day
from benchmarks.plan.technicians import Best, Instance

type Measure = Callable[[Path, int], float]

DATA = Path(__file__).parents[2] / "../shared/data"
LIMITS = {  # DISPATCH.md, figures to reach
    "cost_over_best_peer_100x10_3s_ratio": 1.00,
    "cost_over_best_peer_500x50_3s_ratio": 1.00,
    "cost_over_best_peer_100x10_10s_ratio": 1.00,
    "cost_over_best_peer_500x50_10s_ratio": 0.86,
    "cost_over_best_peer_1000x100_10s_ratio": 0.68,
    "cost_over_best_peer_2000x200_60s_ratio": 0.66,
    "trsp_gap_10s_pct": 0.2,
    "trsp_gap_60s_pct": 0.0,
    "praxedo_gap_10s_pct": 0.0,
    "dyn_rejected_10pct": 0.27,
    "dyn_rejected_50pct": 2.68,
    "dyn_rejected_90pct": 4.95,
    "insert_200_routes_p99_ms": 1.0,
    "insert_200_routes_with_database_p99_ms": 20,
    "rank_10k_p99_ms": 100,
}
_SOME = ("C101", "R201", "RC101")  # in towns, scattered with long days, and a mixture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two small days and three instances, 3 s each")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that has routing/")
    parser.add_argument(
        "--only", default="", metavar="NAMES", help="figures with one of these, by comma, in their name"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the searches; the days are always the same")
    given = parser.parse_args()
    asked = given.only.split(",")
    measures = _measures(quick=given.quick)
    wanted = {name: measure for name, measure in measures.items() if any(part in name for part in asked)}
    if not wanted:
        parser.error(f"--only must name some of {', '.join(measures)}")
    print(f"{'instance':10} {'who':9} {'cost':>14} {'unserved':>9} {'seconds':>8}", flush=True)
    figures = {name: measure(given.data, given.seed) for name, measure in wanted.items()}
    _tell(figures)
    print(json.dumps(figures))


def _measures(*, quick: bool) -> dict[str, Measure]:
    """Answer what to call for each figure; a figure that is measured elsewhere gets a line here and a limit above."""
    if quick:
        return {
            "cost_over_best_peer_100x10_3s_ratio": partial(_over_best_peer, 100, 10, 3),
            "cost_over_best_peer_500x50_3s_ratio": partial(_over_best_peer, 500, 50, 3),
            "trsp_some_gap_3s_pct": partial(_trsp_gap, 3, _SOME),
        }
    return {
        "cost_over_best_peer_100x10_10s_ratio": partial(_over_best_peer, 100, 10, 10),
        "cost_over_best_peer_500x50_10s_ratio": partial(_over_best_peer, 500, 50, 10),
        "cost_over_best_peer_1000x100_10s_ratio": partial(_over_best_peer, 1000, 100, 10),
        "cost_over_best_peer_2000x200_60s_ratio": partial(_over_best_peer, 2000, 200, 60),
        "trsp_gap_10s_pct": partial(_trsp_gap, 10, ()),
        "trsp_gap_60s_pct": partial(_trsp_gap, 60, ()),
        "praxedo_gap_10s_pct": partial(_praxedo_gap, 10),
        "dyn_rejected_10pct": partial(_rejected, 10),
        "dyn_rejected_50pct": partial(_rejected, 50),
        "dyn_rejected_90pct": partial(_rejected, 90),
        "rank_10k_p99_ms": rank.p99_ms,
        "rank_10k_over_plain_sql_ratio": rank.over_plain_sql,
        "insert_200_routes_p99_ms": _insertion,
        "insert_200_routes_with_database_p99_ms": offers.p99_ms,
    }


# --- days shaped like field service -----------------------------------------------------------------------------------


def _over_best_peer(jobs: int, engineers: int, seconds: float, _: Path, seed: int) -> float:
    """Answer our cost over the cheapest of the peers that have an answer. Raises BrokenRuleError for ours only."""
    shaped = day(jobs, engineers)
    theirs = [_theirs(peer, shaped, seconds, seed) for peer in PEERS]
    answered = [cost for cost in theirs if cost is not None]
    if not answered:
        raise RuntimeError(f"no peer has an answer for {shaped.name}")
    return _told("ours", shaped, ours.on_day(shaped, seconds, seed)) / min(answered)


def _theirs(peer: str, shaped: Day, seconds: float, seed: int) -> int | None:
    answer = ask(peer, shaped, seconds, seed)
    try:
        return _told(peer, shaped, answer)
    except BrokenRuleError as broken:
        _row(shaped.name, peer, None, None, answer.seconds, str(broken))
        return None


def _told(who: str, shaped: Day, answer: Answer) -> int:
    if answer.routes is None:
        raise BrokenRuleError(answer.why)
    verdict = judged(shaped, answer.routes)
    _row(shaped.name, who, verdict.cost, verdict.unserved, answer.seconds, answer.why)
    return verdict.cost


def _insertion(_: Path, seed: int) -> float:
    return urgent.insertion_ms(2000, 200, 10, seed)


# --- technicians ------------------------------------------------------------------------------------------------------


def _trsp_gap(seconds: float, names: Sequence[str], data: Path, seed: int) -> float:
    """Answer the mean gap of the instances with these names, of all 56 without any."""
    instances = [it for it in technicians.crew25(data) if not names or it.name in names]
    return statistics.fmean(_gaps(instances, technicians.best_of_2012(data), seconds, seed))


def _praxedo_gap(seconds: float, data: Path, seed: int) -> float:
    """Answer the worst gap of the six days."""
    return max(_gaps(technicians.praxedo(data), technicians.PRAXEDO, seconds, seed))


def _gaps(instances: Sequence[Instance], best: dict[str, Best], seconds: float, seed: int) -> list[float]:
    gaps = []
    for it, toured in zip(instances, ours.on_instances(instances, seconds, seed), strict=True):
        worked = technicians.checked(it, toured.tours)
        gaps.append(worked.gap(best[it.name]))
        _row(it.name, "ours", worked.time, worked.unserved, toured.seconds, f"gap {gaps[-1]:.3f} %")
    return gaps


def _rejected(dynamic: int, data: Path, seed: int) -> float:
    """Answer how many requests of a day are refused on average of the 56."""
    days = live.live_days(data, dynamic)
    counts = []
    for it, done in zip(days, ours.on_live_days(days, before=5, each=0.1, seed=seed), strict=True):
        counts.append(live.refused(it, done.moves))
        _row(it.instance.name, "ours", None, counts[-1], done.slowest, f"{dynamic} % come that day; slowest answer")
    return statistics.fmean(counts)


# --- telling ----------------------------------------------------------------------------------------------------------


def _row(instance: str, who: str, cost: float | None, unserved: int | None, seconds: float, remark: str) -> None:
    shown_cost = "-" if cost is None else f"{cost:,.2f}"
    shown_unserved = "-" if unserved is None else f"{unserved}"
    line = f"{instance:10} {who:9} {shown_cost:>14} {shown_unserved:>9} {seconds:>8.1f}  {remark}"
    print(line.rstrip(), flush=True)


def _tell(figures: dict[str, float]) -> None:
    print()
    for name, value in figures.items():
        limit = LIMITS.get(name)
        kept = "" if limit is None else "ok" if value <= limit else "MISSED"
        print(f"{name:40} {value:>10.3f}   {'' if limit is None else f'limit {limit:,}':>12} {kept}")


if __name__ == "__main__":
    main()
