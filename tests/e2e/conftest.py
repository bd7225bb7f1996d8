"""A system for the browser alone: what others throw at theirs must not show up on the board."""

from collections.abc import Iterator

import pytest

from server.geo.region import Region
from tests.live import LiveServer, live_system


@pytest.fixture(scope="session")
def live_server(
    admin_url: str, template: str, monaco: Region, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    with live_system(admin_url, template, monaco, tmp_path_factory.mktemp("board")) as server:
        yield server
