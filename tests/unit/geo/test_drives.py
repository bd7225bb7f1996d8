from server.geo.domain import Point
from server.geo.drives import Drive, Drives

HERE, THERE = Point(7.0, 43.0), Point(7.1, 43.1)


def drive(points: int) -> Drive:
    return 60.0, 900.0, (HERE,) * points


def test_a_drive_on_other_roads_is_another_drive() -> None:
    drives = Drives()
    drives.keep(("build-1", "", HERE, THERE), drive(2))
    assert ("build-2", "", HERE, THERE) not in drives
    assert ("build-1", "morning", HERE, THERE) not in drives
    assert drives["build-1", "", HERE, THERE] == drive(2)


def test_that_there_is_no_way_is_remembered_too() -> None:
    drives = Drives()
    drives.keep(("build", "", HERE, THERE), None)
    assert ("build", "", HERE, THERE) in drives
    assert drives["build", "", HERE, THERE] is None


def test_what_was_asked_longest_ago_is_forgotten_first() -> None:
    drives = Drives(most_points=30)
    for build in ("a", "b", "c"):
        drives.keep((build, "", HERE, THERE), drive(8))
    assert drives["a", "", HERE, THERE]
    drives.keep(("d", "", HERE, THERE), drive(8))
    assert [build for build in "abcd" if (build, "", HERE, THERE) in drives] == ["a", "c", "d"]


def test_a_drive_longer_than_all_the_room_is_not_kept() -> None:
    drives = Drives(most_points=30)
    drives.keep(("a", "", HERE, THERE), drive(100))
    assert ("a", "", HERE, THERE) not in drives
