"""The board's files: safe headers, a first page for every address of the app, and 404 for programs."""

import httpx
import pytest

from callout.asgi import Pages


@pytest.fixture
async def pages(app, tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Callout</title>")
    (tmp_path / "assets" / "app-1234.js").write_text("export {}")
    app.mount("/", Pages(directory=tmp_path, html=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://callout.test") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/orders/0192", "/engineers"])
async def test_every_address_of_the_app_answers_its_first_page_fresh_and_confined(pages, path):
    answer = await pages.get(path)
    assert "Callout" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_hashed_assets_stay_in_caches(pages):
    answer = await pages.get("/assets/app-1234.js")
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/mobile/v1/nothing", "/portal/v1/a/b/c", "/assets/gone.js"])
async def test_unknown_addresses_of_programs_are_problems(pages, path):
    answer = await pages.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nothing_outside_the_folder_is_served(pages):
    for path in ("/../pyproject.toml", "/%2e%2e/pyproject.toml", "/assets/..%2f..%2fetc/passwd"):
        assert "root:" not in (answer := await pages.get(path)).text
        assert "[project]" not in answer.text
