"""One engineer, a round and a drawn fence, batches in any order: what was told in the end is what happened."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from server.geo.fences import Crossing, Machine, Sight, Watch
from tests.vectors.fences.model import crossings, metres_to_area, metres_to_circle, radius_of_area

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SITE = (7.4246, 43.7384)
CIRCLE_M = 300
YARD = [
    (7.4206, 43.7354),
    (7.4286, 43.7354),
    (7.4286, 43.7384),
    (7.4246, 43.7384),
    (7.4246, 43.7414),
    (7.4206, 43.7414),
    (7.4206, 43.7354),
]
RADII = {"circle": CIRCLE_M, "yard": radius_of_area(YARD)}

type Place = tuple[float, float]
type Fix = tuple[int, Place, int]

# In the yard, in both, in the circle only, near the edges, and far off.
PLACES: list[Place] = [
    (7.4226, 43.7364),
    SITE,
    (7.4266, 43.7395),
    (7.4206, 43.7384),
    (7.4247, 43.7410),
    (7.4400, 43.7500),
]
FIXES = st.tuples(st.integers(0, 120), st.sampled_from(PLACES), st.sampled_from([5, 15, 60]))


def edge_of(fence: str, place: Place) -> float:
    return metres_to_circle(place, SITE, CIRCLE_M) if fence == "circle" else metres_to_area(place, YARD)


class Watched:
    """One fence with what the database keeps of it: its watch, what was ever announced, what its subject was told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.watch = Watch(Machine(RADII[name]))
        self.announced: set[tuple[int, Crossing]] = set()
        self.told: dict[tuple[int, Crossing], datetime] = {}
        self.tellings: dict[tuple[int, Crossing], int] = {}

    def receive(self, kept: list[Fix], batch: list[Fix]) -> None:
        self.watch = self.watch.back_before(min(at(fix) for fix in batch))
        after = self.watch.machine.last_fix_at
        fresh = [self.sight(fix) for fix in kept if after is None or at(fix) > after]
        # What the database leaves out: fixes of which none lies inside, while nothing is pending.
        if fresh and self.watch.machine.rests and all(sight.edge_m > 0 for sight in fresh):
            self.watch = self.watch.passed_over(max(sight.at for sight in fresh))
        else:
            self.watch = self.watch.see(fresh)
        self.announced |= {(it.stay, it.kind) for it in self.watch.crossings}

    def tell(self) -> None:
        standing = {(it.stay, it.kind): it.at for it in self.watch.crossings}
        for key in standing.keys() | self.told.keys():
            if standing.get(key) != self.told.get(key):
                self.tellings[key] = self.tellings.get(key, 0) + 1
        self.told = standing

    def sight(self, fix: Fix) -> Sight:
        return Sight(at(fix), edge_of(self.name, fix[1]), fix[2])


def at(fix: Fix) -> datetime:
    return NOON + timedelta(seconds=15 * fix[0])


class LateBatches(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.kept: list[Fix] = []
        self.fences = [Watched("circle"), Watched("yard")]

    @rule(batch=st.lists(FIXES, min_size=1, max_size=30))
    def a_batch_arrives(self, batch: list[Fix]) -> None:
        self.kept += batch
        for fence in self.fences:
            fence.receive(self.kept, batch)

    @rule(place=st.sampled_from(PLACES), since=st.integers(0, 100), steps=st.integers(2, 25))
    def somebody_stood_somewhere(self, place: Place, since: int, steps: int) -> None:
        self.a_batch_arrives([(since + step, place, 5) for step in range(steps)])

    @rule()
    def the_subject_is_told(self) -> None:
        for fence in self.fences:
            fence.tell()

    @invariant()
    def what_stands_is_what_the_whole_track_says(self) -> None:
        for fence in self.fences:
            fixes = [(15.0 * fix[0], edge_of(fence.name, fix[1]), float(fix[2])) for fix in self.kept]
            whole = [tuple(it) for it in crossings(RADII[fence.name], fixes)]
            standing = [(it.stay, str(it.kind), (it.at - NOON).total_seconds()) for it in fence.watch.crossings]
            assert standing == whole

    @invariant()
    def everything_that_stands_was_announced(self) -> None:
        for fence in self.fences:
            assert {(it.stay, it.kind) for it in fence.watch.crossings} <= fence.announced
            assert fence.told.keys() <= fence.announced

    def teardown(self) -> None:
        for fence in self.fences:
            fence.tell()
            before = dict(fence.tellings)
            fence.tell()
            assert fence.tellings == before, "who was told hears nothing again"


TestLateBatches = LateBatches.TestCase
TestLateBatches.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
