"""A system for the browser alone: what others throw at theirs must not show up on the board."""

from collections.abc import Iterator

import httpx
import pytest

from server.geo.region import Region
from tests.e2e.field import PASSWORD
from tests.live import LiveServer, live_system


@pytest.fixture(scope="session")
def live_server(
    admin_url: str, template: str, monaco: Region, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    with live_system(admin_url, template, monaco, tmp_path_factory.mktemp("board")) as server:
        yield server


@pytest.fixture(scope="module")
def office(live_server: LiveServer) -> Iterator[httpx.Client]:
    """The API in the administrator's name."""
    with httpx.Client(base_url=live_server.url, timeout=30) as client:
        login = {"email": "admin@riviera.example", "password": PASSWORD}
        session = client.post("/api/v1/auth/login", json=login).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {session['access_token']}"
        yield client
