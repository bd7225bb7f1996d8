from datetime import UTC, datetime, timedelta

import pytest

from simulator.world import uncovered

MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)


def hours(*pairs: tuple[float, float]) -> list[tuple[datetime, datetime]]:
    return [(MORNING + timedelta(hours=begin), MORNING + timedelta(hours=end)) for begin, end in pairs]


@pytest.mark.parametrize(
    ("planned", "missing"),
    [
        ([], [(0, 8)]),
        ([(0, 8)], []),
        ([(-2, 20)], []),
        ([(-2, 3)], [(3, 8)]),
        ([(6, 9), (1, 2)], [(0, 1), (2, 6)]),
        ([(1, 3), (2, 4)], [(0, 1), (4, 8)]),
    ],
)
def test_shifts_are_added_only_where_there_are_none(
    planned: list[tuple[float, float]], missing: list[tuple[float, float]]
) -> None:
    assert uncovered(hours((0, 8))[0], hours(*planned)) == hours(*missing)
