"""The region that tests drive in: Monaco, made once per machine and kept under `.state`; and little worlds."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import osmium
import osmium.osm.mutable as osm
import pytest

from server.geo.demo_extract import demo_extract
from server.geo.domain import Point
from server.geo.preparing import prepare_region
from server.geo.region import Region

STATE = Path(__file__).parents[1] / ".state"
CALLOUT = Path(sys.executable).with_name("callout")
LADDER_WEST, LADDER_EAST = Point(7.0, 43.0), Point(7.0025, 43.0)  # the ends of a ladder's first rung, 200 m apart

_READY_WITHIN_S = 30


@pytest.fixture(scope="session")
def monaco_extract() -> Path:
    """The demo's `.osm.pbf`; fetched from the package index on a machine's first run."""
    return demo_extract(STATE / "extracts", print)


@pytest.fixture(scope="session")
def monaco(monaco_extract: Path) -> Region:
    """Monaco prepared: 68 km of roads. Beside the demo's regions, not among them: a test run must not change those.

    Safe under xdist: workers wait for the one that builds, then find it built.
    """
    return prepare_region(monaco_extract, STATE / "test-regions", "monaco", print)


def write_world(path: Path, *, roads: Iterable[dict[str, str]]) -> Path:
    """An extract with a ladder of parallel roads, 200 m long and joined at both ends, one for each set of tags."""
    with osmium.SimpleWriter(path) as world:
        rows = list(enumerate(roads))
        for row, _ in rows:
            for side in (0, 1):
                world.add_node(osm.Node(id=2 * row + side + 1, location=(7 + 0.0025 * side, 43 + 0.001 * row)))
        for row, tags in rows:
            world.add_way(osm.Way(id=row + 1, nodes=[2 * row + 1, 2 * row + 2], tags=tags))
        for row, tags in rows[1:]:
            for side in (0, 1):
                rung = [2 * row + side - 1, 2 * row + side + 1]
                world.add_way(osm.Way(id=1000 + 2 * row + side, nodes=rung, tags=tags))
    return path


def write_ladder(path: Path, kmh: int, rows: int = 4) -> Path:
    """A ladder on which everybody may drive that fast."""
    return write_world(path, roads=[{"highway": "residential", "maxspeed": str(kmh)}] * rows)


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """Where a travel service may listen: short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="callout-", dir="/tmp") as folder:
        yield Path(folder) / "travel.sock"


@contextmanager
def travel_process(regions_dir: Path, socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `callout travel` on a socket, ready; killed in the end if it still runs."""
    (socket.parent / "state").mkdir(exist_ok=True)
    link = socket.parent / "state" / "regions"
    if not link.is_symlink():
        link.symlink_to(regions_dir.absolute())
    with (socket.parent / "log").open("ab") as log:
        process = subprocess.Popen([CALLOUT, "travel"], env=travel_environment(socket), stdout=log)
    try:
        _wait_for(socket, process)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def travel_environment(socket: Path) -> dict[str, str]:
    return os.environ | {"CALLOUT_STATE_DIR": str(socket.parent / "state"), "CALLOUT_TRAVEL_SOCKET": str(socket)}


def _wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while not socket.is_socket():
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"the travel service did not start: {(socket.parent / 'log').read_text()}")
        time.sleep(0.02)


@pytest.fixture(scope="module")
def travel_socket(monaco: Region) -> Iterator[Path]:
    """Where a travel service answers for Monaco."""
    with tempfile.TemporaryDirectory(prefix="callout-", dir="/tmp") as folder:
        socket = Path(folder) / "travel.sock"
        with travel_process(monaco.folder.parents[1], socket):
            yield socket
