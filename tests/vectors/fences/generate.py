"""Writes the fence vectors from the model: `python -m tests.vectors.fences.generate`; `--check` only compares."""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors.fences.model import crossings, metres_to_area, metres_to_circle, radius_of_area

FOLDER = Path(__file__).parent
FILES = ("machine", "late", "edges")
type Json = dict[str, Any]
type Fixes = list[list[float]]

_IN, _OUT = -300.0, 300.0


def _steady(fixes: int, since: int, every: int, edge_m: float, accuracy_m: float) -> Fixes:
    return [[since + every * step, edge_m, accuracy_m] for step in range(fixes)]


# Told in words, each for one rule; seconds, metres to the edge, accuracy.
_TOLD: dict[str, Fixes] = {
    "two fixes inside are an arrival": [[0, _OUT, 10], [15, -20, 10], [30, -100, 10]],
    "one fix inside is none": [[0, _OUT, 10], [15, -100, 10], [30, _OUT, 10], [45, -100, 10], [60, _OUT, 10]],
    "a circle of error that touches the edge from inside is inside": [[0, -10, 10], [15, -10, 10]],
    "one that straddles it says nothing": [[0, -9, 10], [15, -9, 10], [30, -9, 10]],
    "what says nothing interrupts nothing": [[0, -100, 10], [15, -5, 80], [30, -200, 10]],
    "three fixes beyond the buffer are a departure": [
        [0, _IN, 5],
        [15, _IN, 5],
        *_steady(3, 30, 15, 80, 5),
    ],
    "within the buffer nobody has left": [[0, _IN, 5], [15, _IN, 5], *_steady(9, 30, 15, 45, 5)],
    "a drift of less than half a minute is no departure": [
        [0, _IN, 5],
        [15, _IN, 5],
        *_steady(20, 16, 1, 200, 5),
        [40, _IN, 5],
    ],
    "a fix inside begins the count anew": [
        [0, _IN, 5],
        [15, _IN, 5],
        [30, 200, 5],
        [45, 200, 5],
        [60, _IN, 5],
        [75, 200, 5],
        [90, 200, 5],
    ],
    "who is inside after five minutes dwells, once": [[60 * n, _IN, 10] for n in range(12)],
    "only a fix inside proves dwelling": [
        [0, _IN, 10],
        [15, _IN, 10],
        *_steady(7, 120, 60, -5, 50),
        [600, _IN, 10],
    ],
    "every stay has its own dwelling": [
        *_steady(8, 0, 60, _IN, 10),
        *_steady(4, 600, 15, _OUT, 10),
        *_steady(8, 1200, 60, _IN, 10),
    ],
    "two fixes of one instant count once": [[0, -400, 5], [0, -399, 5]],
    "in whichever order they are read": [[30, -100, 10], [0, _OUT, 10], [15, -20, 10]],
    "nobody was ever here": [],
}
_RING = [
    [7.4206, 43.7354],
    [7.4286, 43.7354],
    [7.4286, 43.7384],
    [7.4246, 43.7384],
    [7.4246, 43.7414],
    [7.4206, 43.7414],
]
_CENTRE = [7.4246, 43.7384]


def document(name: str) -> str:
    """One case a line, so that a change shows as the lines it changes."""
    cases = {"machine": _machine, "late": _late, "edges": _edges}[name]()
    body = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    return f'{{"theme":"{name}","cases":[\n{body}\n]}}\n'


def _machine() -> Iterator[Json]:
    for name, fixes in _TOLD.items():
        yield _case(name, 500, fixes)
    yield _case("a small fence's buffer is 25 m", 50, [[0, -40, 5], [15, -40, 5], *_steady(3, 30, 15, 30, 5)])
    yield _case("a large one's a tenth", 5000, [[0, -40, 5], [15, -40, 5], *_steady(5, 30, 15, 400, 5)])
    for seed in range(60):
        chance = random.Random(seed)
        yield _case(f"by chance {seed}", chance.choice([50, 200, 500]), _wander(chance, chance.randint(5, 60)))


def _case(name: str, radius_m: int, fixes: Fixes) -> Json:
    return {"name": name, "radius_m": radius_m, "fixes": fixes, "crossings": crossings(radius_m, fixes)}


def _wander(chance: random.Random, steps: int) -> Fixes:
    fixes: Fixes = []
    at = 0
    for _ in range(steps):
        at += chance.choice([1, 15, 15, 15, 60, 300])
        fixes.append([at, chance.choice([-450, -300, -60, -15, 15, 40, 120, 400]), chance.choice([5, 10, 30])])
    return fixes


def _late() -> Iterator[Json]:
    """What stands after each batch is what the fixes up to it say, however late they came."""
    for seed in range(40):
        chance = random.Random(1000 + seed)
        fixes = _wander(chance, chance.randint(6, 40))
        chance.shuffle(fixes)
        batches = []
        while fixes:
            size = chance.randint(1, 12)
            batches.append(fixes[:size])
            fixes = fixes[size:]
        heard: Fixes = []
        stands = []
        for batch in batches:
            heard += batch
            stands.append(crossings(500, heard))
        yield {"name": f"by chance {seed}", "radius_m": 500, "batches": batches, "stands": stands}


def _edges() -> Iterator[Json]:
    chance = random.Random(7)
    ring = [*_RING, _RING[0]]
    for _ in range(40):
        place = [round(chance.uniform(7.415, 7.435), 6), round(chance.uniform(43.731, 43.746), 6)]
        circle, area = metres_to_circle(place, _CENTRE, 500), metres_to_area(place, ring)
        yield {
            "place": place,
            "circle": {"centre": _CENTRE, "radius_m": 500, "edge_m": round(circle, 1)},
            "area": {"coordinates": [ring], "radius_m": radius_of_area(ring), "edge_m": round(area, 1)},
        }


def main() -> int:
    stale = 0
    for name in FILES:
        path, text = FOLDER / f"{name}.json", document(name)
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale += 1
            sys.stderr.write(f"{path.name} is not what the model says: python -m tests.vectors.fences.generate\n")
    return stale


if __name__ == "__main__":
    sys.exit(main())
