"""However a track is cut and shuffled on its way, its crossings come out the same; jitter crosses nothing."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.geo.fences import Crossing, Machine, Sight, Watch, kind_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RADIUS = 500


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def track(*distances: float, every: float = 15, accuracy: float = 10) -> list[Sight]:
    return [Sight(at(index * every), distance, accuracy) for index, distance in enumerate(distances)]


def seen(sights: list[Sight]) -> list[tuple[Crossing, datetime]]:
    times = Watch(Machine(RADIUS)).see(sights).crossed_at
    return [(kind_of(ordinal), time) for ordinal, time in enumerate(times, start=1)]


def test_two_fixes_inside_are_an_arrival():
    assert seen(track(900, 480, 400)) == [(Crossing.ENTERED, at(30))]


def test_one_fix_inside_is_none():
    assert seen(track(900, 400, 900, 400, 900)) == []


def test_three_fixes_beyond_the_buffer_are_a_departure():
    assert seen(track(100, 100, 600, 600, 600)) == [(Crossing.ENTERED, at(15)), (Crossing.LEFT, at(60))]


def test_a_drift_shorter_than_the_dwell_is_no_departure_however_many_fixes_it_has():
    inside, drift = track(100, 100), [Sight(at(16 + second), 700, 5) for second in range(20)]
    assert seen([*inside, *drift, Sight(at(40), 100, 5)]) == [(Crossing.ENTERED, at(15))]


def test_a_fix_whose_error_circle_straddles_the_edge_says_nothing():
    assert seen(track(480, 480, 480, accuracy=30)) == []
    assert seen(track(100, 100, 600, 600, 600, 600, accuracy=60)) == [(Crossing.ENTERED, at(15))]


def test_a_straddling_fix_does_not_interrupt_an_arrival():
    sights = [Sight(at(0), 400, 10), Sight(at(15), 495, 80), Sight(at(30), 300, 10)]
    assert seen(sights) == [(Crossing.ENTERED, at(30))]


def test_two_fixes_of_one_instant_count_once():
    assert seen([Sight(at(0), 100, 5), Sight(at(0), 101, 5)]) == []


@given(
    distance=st.floats(0, 2 * RADIUS),
    accuracy=st.floats(1, 80),
    seed=st.integers(0, 2**32),
    length=st.integers(1, 200),
)
def test_jitter_within_its_stated_accuracy_never_flaps(distance, accuracy, seed, length):
    noise = random.Random(seed)
    sights = [
        Sight(at(15 * step), max(0.0, distance + noise.uniform(-accuracy, accuracy)), accuracy)
        for step in range(length)
    ]
    crossed = [kind for kind, _ in seen(sights)]
    assert crossed in ([], [Crossing.ENTERED])
    if distance > RADIUS:
        assert crossed == []


SIGHTS = st.lists(
    st.builds(
        Sight,
        at=st.integers(0, 60).map(lambda step: at(step * 10)),
        distance_m=st.sampled_from([50.0, 300.0, 480.0, 520.0, 560.0, 900.0]),
        accuracy_m=st.sampled_from([5.0, 15.0, 40.0]),
    ),
    max_size=60,
)


class Recorder:
    """What the database does, in memory: keep everything, go back where a batch asks for it, feed what is newer."""

    def __init__(self) -> None:
        self.watch = Watch(Machine(RADIUS))
        self.kept: list[Sight] = []

    def receive(self, batch: list[Sight]) -> None:
        self.kept += batch
        self.watch = self.watch.back_before(min(sight.at for sight in batch))
        after = self.watch.machine.last_fix_at
        self.watch = self.watch.see([sight for sight in self.kept if after is None or sight.at > after])


@given(sights=SIGHTS, data=st.data())
def test_any_split_in_any_order_gives_the_same_crossings_as_all_at_once(sights, data):
    shuffled = data.draw(st.permutations(sights))
    recorder = Recorder()
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        recorder.receive(shuffled[:size])
        shuffled = shuffled[size:]
    everything = Watch(Machine(RADIUS)).see(sights)
    assert recorder.watch == everything


@given(sights=SIGHTS)
def test_times_of_crossings_only_ever_grow(sights):
    times = Watch(Machine(RADIUS)).see(sights).crossed_at
    assert list(times) == sorted(set(times))
