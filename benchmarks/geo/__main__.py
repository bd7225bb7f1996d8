"""The figures of roads, positions and fences: `./do bench geo`. Each part is a module that answers figures by name.

Targets that are ratios were taken in the same run, on the same machine, beside what they are measured against.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.geo import eta, ingest, push, replay

type Figures = Mapping[str, float]
# Answers figures, from the folder of shared data and whether to hurry.
type Part = Callable[[Path, bool], Figures]

DATA = Path(__file__).parents[2] / "../shared/data"
PARTS: Mapping[str, Part] = {
    "positions": ingest.figures,
    "fences": replay.figures,
    "eta": eta.figures,
    "push": push.figures,
}
AT_LEAST = {"fixes_per_s": 10_000}
AT_MOST = {"false_exits_per_100h_ours": 3.3, "entry_delay_p50_s": 30, "fence_entry_to_app_p99_ms": 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that has gps/ and osm/")
    parser.add_argument("--only", default="", metavar="PARTS", help=f"some of {', '.join(PARTS)}, by comma")
    given = parser.parse_args()
    wanted = [part for part in given.only.split(",") if part] or list(PARTS)
    if unknown := [part for part in wanted if part not in PARTS]:
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(unknown)}")
    figures: dict[str, float] = {}
    for part in wanted:
        print(f"--- {part}", flush=True)
        figures |= PARTS[part](given.data, given.quick)
    _tell(figures)
    print(json.dumps(figures))


def _tell(figures: Figures) -> None:
    print()
    for name, value in figures.items():
        least, most = AT_LEAST.get(name), AT_MOST.get(name)
        kept = (least is None or value >= least) and (most is None or value <= most)
        limit = f"at least {least:,}" if least is not None else f"at most {most:,}" if most is not None else ""
        print(f"{name:36} {value:>12,.3f}   {limit:>18} {'' if not limit else 'ok' if kept else 'MISSED'}".rstrip())


if __name__ == "__main__":
    main()
