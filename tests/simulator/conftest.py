"""A day of one's own: nobody else's data in the verdict."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.geo.region import Region
from tests.live import live_system


@pytest.fixture
def base_url(admin_url: str, template: str, monaco: Region, tmp_path: Path) -> Iterator[str]:
    """Where a freshly seeded system of this test alone answers."""
    with live_system(admin_url, template, monaco, tmp_path) as server:
        yield server.url
