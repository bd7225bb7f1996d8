"""However a track is cut and shuffled on its way, its crossings come out the same; jitter crosses nothing."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.geo.fences import DWELL, Crossing, Machine, Sight, Watch

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RADIUS = 500


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def track(*distances: float, every: float = 15, accuracy: float = 10) -> list[Sight]:
    return [sight(index * every, distance, accuracy) for index, distance in enumerate(distances)]


def sight(seconds: float, distance: float, accuracy: float = 10) -> Sight:
    """Metres from the middle of the circle."""
    return Sight(at(seconds), distance - RADIUS, accuracy)


def seen(sights: list[Sight]) -> list[tuple[Crossing, datetime]]:
    return [(it.kind, it.at) for it in Watch(Machine(RADIUS)).see(sights).crossings]


def test_two_fixes_inside_are_an_arrival():
    assert seen(track(900, 480, 400)) == [(Crossing.ENTERED, at(30))]


def test_one_fix_inside_is_none():
    assert seen(track(900, 400, 900, 400, 900)) == []


def test_three_fixes_beyond_the_buffer_are_a_departure():
    assert seen(track(100, 100, 600, 600, 600)) == [(Crossing.ENTERED, at(15)), (Crossing.LEFT, at(60))]


def test_a_drift_shorter_than_the_dwell_is_no_departure_however_many_fixes_it_has():
    inside, drift = track(100, 100), [sight(16 + second, 700, 5) for second in range(20)]
    assert seen([*inside, *drift, sight(40, 100, 5)]) == [(Crossing.ENTERED, at(15))]


def test_a_fix_whose_error_circle_straddles_the_edge_says_nothing():
    assert seen(track(480, 480, 480, accuracy=30)) == []
    assert seen(track(100, 100, 600, 600, 600, 600, accuracy=60)) == [(Crossing.ENTERED, at(15))]


def test_a_straddling_fix_does_not_interrupt_an_arrival():
    sights = [sight(0, 400), sight(15, 495, 80), sight(30, 300)]
    assert seen(sights) == [(Crossing.ENTERED, at(30))]


def test_two_fixes_of_one_instant_count_once():
    assert seen([sight(0, 100, 5), sight(0, 101, 5)]) == []


def test_who_is_still_inside_after_a_while_dwells_once():
    every_minute = [sight(60 * minute, 100) for minute in range(12)]
    assert seen(every_minute) == [(Crossing.ENTERED, at(60)), (Crossing.DWELT, at(60 + DWELL.total_seconds()))]


def test_only_a_fix_inside_proves_dwelling():
    unclear = [sight(60 * minute, 495, 50) for minute in range(2, 9)]
    assert seen([*track(100, 100), *unclear]) == [(Crossing.ENTERED, at(15))]
    assert seen([*track(100, 100), *unclear, sight(600, 100)])[1:] == [(Crossing.DWELT, at(600))]


def test_every_stay_has_its_own_dwelling():
    stay = [sight(60 * minute, 100) for minute in range(8)]
    away = [sight(600 + 15 * step, 900) for step in range(4)]
    again = [sight(1200 + 60 * minute, 100) for minute in range(8)]
    watch = Watch(Machine(RADIUS)).see([*stay, *away, *again])
    assert [(it.stay, it.kind) for it in watch.crossings] == [
        (1, Crossing.ENTERED),
        (1, Crossing.DWELT),
        (1, Crossing.LEFT),
        (2, Crossing.ENTERED),
        (2, Crossing.DWELT),
    ]


def test_fixes_that_can_change_nothing_may_be_passed_over():
    sights = track(900, 800, 700, 900)
    watch = Watch(Machine(RADIUS))
    assert watch.machine.rests
    assert watch.passed_over(sights[-1].at) == watch.see(sights)


@given(
    distance=st.floats(0, 2 * RADIUS),
    accuracy=st.floats(1, 80),
    seed=st.integers(0, 2**32),
    length=st.integers(1, 200),
)
def test_jitter_within_its_stated_accuracy_never_flaps(distance, accuracy, seed, length):
    noise = random.Random(seed)
    sights = [
        sight(15 * step, max(0.0, distance + noise.uniform(-accuracy, accuracy)), accuracy) for step in range(length)
    ]
    crossed = [kind for kind, _ in seen(sights) if kind is not Crossing.DWELT]
    assert crossed in ([], [Crossing.ENTERED])
    if distance > RADIUS:
        assert crossed == []


SIGHTS = st.lists(
    st.builds(
        Sight,
        at=st.integers(0, 60).map(lambda step: at(step * 15)),
        edge_m=st.sampled_from([-450.0, -200.0, -20.0, 20.0, 60.0, 400.0]),
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
    times = [it.at for it in Watch(Machine(RADIUS)).see(sights).crossings]
    assert times == sorted(set(times))


@given(sights=SIGHTS)
def test_a_stay_is_entered_dwelt_at_most_once_and_left_in_this_order(sights):
    stays: dict[int, str] = {}
    for crossed in Watch(Machine(RADIUS)).see(sights).crossings:
        stays[crossed.stay] = stays.get(crossed.stay, "") + crossed.kind[0]
    assert list(stays) == list(range(1, len(stays) + 1))
    assert set(stays.values()) <= {"e", "ed", "el", "edl"}
    assert all(stay.endswith("l") for stay in list(stays.values())[:-1])
