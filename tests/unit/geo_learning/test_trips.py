"""What of a track is driving."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from server.geo.learning.trips import SHORTEST_S, STOP_S, trips_of
from server.geo.matching import Fix

METRE = 1 / 111_195
EVERY = 15


def track(*metres: float, accuracy: float = 8.0, start: float = 0.0) -> list[Fix]:
    """A fix each 15 s, so many metres north of somewhere."""
    return [Fix(7.0, 43.0 + north * METRE, start + EVERY * n, accuracy) for n, north in enumerate(metres)]


def driving(minutes: int, since: float = 0.0, mps: float = 10.0) -> list[float]:
    return [since + mps * EVERY * n for n in range(minutes * 60 // EVERY + 1)]


def standing(minutes: float, at: float) -> list[float]:
    return [at + (n % 3) * 4 for n in range(int(minutes * 60 / EVERY))]


def test_a_drive_begins_when_somebody_leaves_and_ends_when_they_arrive():
    way = driving(6)
    fixes = track(*standing(20, 0), *way, *standing(20, way[-1]))
    (trip,) = trips_of(fixes)
    assert trip[0].at == fixes[80].at
    assert trip[-1].at - trip[0].at == 6 * 60


def test_a_light_is_part_of_the_drive_and_a_stop_parts_two():
    first = driving(5)
    then = driving(5, since=first[-1])
    assert len(trips_of(track(*first, *standing(2, first[-1]), *then))) == 1
    one, other = trips_of(track(*first, *standing(STOP_S / 60 + 1, first[-1]), *then))
    assert other[0].at - one[-1].at >= STOP_S


def test_a_receiver_that_wanders_while_standing_leaves_one_fix():
    way = driving(4)
    (trip,) = trips_of(track(*way, *standing(2, way[-1]), *driving(4, since=way[-1])))
    norths = [round((fix.lat - 43) / METRE) for fix in trip]
    assert norths == sorted(set(norths))


def test_a_silence_parts_two_drives():
    one, other = track(*driving(5)), track(*driving(5, since=9_000), start=10_000)
    assert [len(trip) for trip in trips_of(other + one)] == [21, 21]


def test_bad_fixes_jumps_and_short_walks_are_no_drives():
    assert trips_of(track(*driving(5), accuracy=90)) == []
    assert trips_of(track(*driving(2))) == []
    assert trips_of(track(*driving(10, mps=0.5))) == []
    way = driving(5)
    jumped = track(*way[:10], 50_000, *way[11:])
    (trip,) = trips_of(jumped)
    assert len(trip) == len(way) - 1
    assert trips_of([]) == []


@given(st.permutations(range(40)))
@settings(max_examples=25, deadline=None)
def test_fixes_may_come_in_any_order_and_twice(order):
    fixes = track(*standing(3, 0), *driving(7))[:40]
    assert trips_of([fixes[n] for n in order] + fixes[:5]) == trips_of(fixes)


@given(st.lists(st.floats(-3000, 3000), max_size=120))
@settings(max_examples=50, deadline=None)
def test_every_trip_is_long_enough_and_in_order_whatever_the_track(metres):
    for trip in trips_of(track(*metres)):
        assert trip[-1].at - trip[0].at >= SHORTEST_S
        assert all(one.at < other.at for one, other in pairwise(trip))
