"""Time between two fixes is shared among the segments driven."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.geo.matching import Fix, Leg, passages_of
from server.geo.osrm import RoadEngine, pieces
from server.geo.region import Region

amounts = st.one_of(st.just(0.0), st.floats(0.1, 500))


@st.composite
def ways(draw: st.DrawFn) -> list[Leg]:
    """Legs that follow each other in time and on the road."""
    legs: list[Leg] = []
    at, node = draw(st.floats(0, 1e9)), 1
    for _ in range(draw(st.integers(1, 6))):
        count = draw(st.integers(1, 5))
        ended = at + draw(st.floats(1, 100))
        parts = [draw(st.lists(amounts, min_size=count, max_size=count)) for _ in range(2)]
        legs.append(Leg(at, ended, [node + step for step in range(count + 1)], *parts))
        at, node = ended, node + count - 1  # the next leg begins on the segment that this one ended on
    return legs


@given(ways())
def test_no_second_and_no_metre_is_lost_and_no_segment_counted_twice(legs: list[Leg]) -> None:
    passages = list(passages_of(legs))
    assert sum(passage.seconds for passage in passages) == pytest.approx(legs[-1].ended - legs[0].begun, abs=1e-3)
    assert sum(passage.metres for passage in passages) == pytest.approx(sum(sum(leg.metres) for leg in legs))
    assert all(there.from_node == here.to_node for here, there in pairwise(passages))
    assert all(passage.seconds >= 0 for passage in passages)


def test_a_gap_in_time_is_not_driven() -> None:
    before = Leg(0, 10, [1, 2], [100.0], [10.0])
    after = Leg(900, 910, [1, 2], [100.0], [10.0])
    assert [passage.seconds for passage in passages_of([before, after])] == [10, 10]


def test_whoever_stands_spends_the_time_where_they_stand() -> None:
    (first, second) = passages_of([Leg(0, 60, [1, 2, 3], [0.0, 0.0], [0.0, 0.0])])
    assert (first.seconds, second.seconds) == (60, 0)


@given(st.lists(st.floats(0, 500), max_size=300))
def test_every_fix_that_is_later_than_the_one_before_is_in_a_piece(times: list[float]) -> None:
    fixes = [Fix(7.0, 43.0, at, 10.0) for at in times]
    found = list(pieces(fixes))
    assert all(int(fixes[a].at) < int(fixes[b].at) for piece in found for a, b in pairwise(piece))
    assert all(there[0] == here[-1] for here, there in pairwise(found))
    assert all(len(piece) <= 50 for piece in found)
    later = len({int(at) for at in times}) if times == sorted(times) else 0
    assert len({index for piece in found for index in piece}) >= (later if later > 1 else 0)


def test_a_trace_off_every_road_matches_nothing(monaco: Region) -> None:
    at_sea = [Fix(7.4480, 43.7240 + 0.0001 * step, 10.0 * step, 5.0) for step in range(5)]
    matched = RoadEngine(monaco.osrm_base).match(at_sea)
    assert matched.snapped == (None,) * 5
    assert not matched.passages
