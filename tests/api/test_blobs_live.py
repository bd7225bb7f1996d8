"""The whole way of a photo through API and worker as they really run."""

import time
from io import BytesIO

import httpx
import pytest
from PIL import Image

from callout.seeding import DEMO_PASSWORD
from tests.factories.media import a_photo, metadata

pytestmark = [pytest.mark.xdist_group("live"), pytest.mark.slow]

BLOBS = "/mobile/v1/blobs"


@pytest.fixture
def phone(live_server):
    with httpx.Client(base_url=live_server.url, timeout=30) as http:
        login = {"email": "admin@riviera.example", "password": DEMO_PASSWORD}
        office = {"Authorization": f"Bearer {http.post('/api/v1/auth/login', json=login).json()['access_token']}"}
        people = http.get("/api/v1/people", params={"limit": 200}, headers=office).json()["items"]
        engineer = next(person["id"] for person in people if person["engineer"])
        code = http.post(f"/api/v1/people/{engineer}/enrolment-codes", headers=office).json()["code"]
        about = {"code": code, "name": "Camera", "platform": "test", "app_version": "1"}
        http.headers["Authorization"] = (
            f"Bearer {http.post('/mobile/v1/sync/devices', json=about).json()['access_token']}"
        )
        yield http


def test_a_photo_sent_in_one_request_can_soon_be_shown_small(phone):
    file = a_photo(77, 900, 600)
    headers = {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Length": str(len(file.content)),
        "Upload-Metadata": metadata(sha256=file.sha256, filetype="image/jpeg", purpose="photo"),
    }
    sent = phone.post(BLOBS, content=file.content, headers=headers)
    assert (sent.status_code, sent.json()["state"]) == (201, "ready")
    until = time.monotonic() + 30
    while (small := phone.get(f"{BLOBS}/{file.sha256}", params={"v": "thumb"})).status_code != 200:
        assert small.json()["code"] == "blob.no_small_copy"
        assert time.monotonic() < until
        time.sleep(0.3)
    assert small.headers["content-type"] == "image/webp"
    assert Image.open(BytesIO(small.content)).size == (320, 213)
