"""The inbox and the devices in a real browser: by mouse and keys, at a desk and on a phone, in both languages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.field import PASSWORD, is_founder
from tests.e2e.test_board import BOARD, DESK, PHONE, browser  # noqa: F401 - one browser for all
from tests.live import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BOARD.is_file(), reason="the board is not built: npm --prefix web run build"),
    pytest.mark.xdist_group("board"),
]


@dataclass
class Field:
    """An engineer's phone on the live system, by HTTP."""

    api: httpx.Client
    device: str
    token: str
    name: str
    stream: str

    def quarantine(self, *bodies: str) -> None:
        """Record notes on an order that never was: none can be taken in."""
        seqs = range(1, len(bodies) + 1)
        batch = {
            "protocol": 1,
            "device": self.device,
            "stream": str(uuid4()),
            "clock": {"now": datetime.now(UTC).isoformat()},
            "mutations": [self._note(seq, body) for seq, body in zip(seqs, bodies, strict=True)],
        }
        answer = self._post("/mobile/v1/sync/push", batch)
        assert {result["status"] for result in answer.json()["results"]} == {"quarantined"}

    @staticmethod
    def _note(seq: int, body: str) -> dict[str, object]:
        args = {"id": str(uuid4()), "wo": str(uuid4()), "body": body}
        at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
        return {"seq": seq, "id": str(uuid4()), "name": "note.add", "v": 1, "args": args, "at": at}

    def report(self, **said: object) -> None:
        self._post("/mobile/v1/sync/health", {"app": "pwa/2026.11.3", "unsent_count": 0, "rows": 214} | said)

    def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.api.post(path, json=body, headers=headers).raise_for_status()


@pytest.fixture
def field(office: httpx.Client) -> Field:
    people = office.get("/api/v1/people", params={"limit": 100}).raise_for_status().json()["items"]
    person = next(one for one in people if one["engineer"] and one["active"] and is_founder(one))
    code = office.post(f"/api/v1/people/{person['id']}/enrolment-codes").raise_for_status().json()["code"]
    about = {"code": code, "name": f"Phone {uuid4().hex[:4]}", "platform": "pwa", "app_version": "pwa/2026.11.3"}
    enrolled = office.post("/mobile/v1/sync/devices", json=about).raise_for_status().json()
    return Field(office, enrolled["device_id"], enrolled["access_token"], str(about["name"]), str(uuid4()))


@pytest.fixture
def opened(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:  # noqa: F811
    pages: list[Page] = []

    def open_page(address: str, size: ViewportSize = DESK, locale: str = "en-GB") -> Page:
        page = browser.new_context(viewport=size, locale=locale).new_page()
        if locale == "zh-CN":  # what was chosen on this machine comes before what the person speaks
            page.add_init_script("localStorage.setItem('callout.language', 'zh')")
        pages.append(page)
        page.goto(f"{live_server.url}/{address}")
        words = ("E-mail", "Password", "Sign in") if locale == "en-GB" else ("电子邮箱", "密码", "登录")
        page.get_by_label(words[0]).fill("admin@riviera.example")
        page.get_by_label(words[1], exact=True).fill(PASSWORD)
        page.get_by_role("button", name=words[2]).click()
        return page

    yield open_page
    for page in pages:
        page.context.close()


def test_what_was_refused_is_read_remarked_on_discarded_and_brought_back_by_keys(
    opened: Callable[..., Page], field: Field
) -> None:
    field.quarantine("first words", "second words")
    page = opened("?page=inbox")
    line = page.locator("[data-item]").first
    expect(line).to_contain_text("Note")
    page.keyboard.press("j")
    case = page.locator("[data-case]")
    expect(case).to_contain_text("What was recorded")
    expect(case).to_contain_text(" words")
    page.keyboard.press("a")
    page.keyboard.type("Asked the engineer.")
    page.get_by_role("button", name="Add remark").click()
    # In the list: keys say nothing while the remark is still on its way.
    expect(case.get_by_role("listitem")).to_contain_text("Asked the engineer.")
    chosen = page.locator("[data-case]").get_attribute("data-case")
    page.locator("h2").click()
    page.keyboard.press("d")
    expect(page.get_by_text("Settled: Discard")).to_be_visible()
    expect(page.locator(f"[data-item='{chosen}']")).to_have_count(0)
    # The list may know before the case does that there is something to undo.
    expect(case.get_by_role("button", name="Undo")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator(f"[data-item='{chosen}']")).to_have_count(1)
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()
    page.keyboard.press("r")
    expect(case).to_contain_text("Outcome: not taken in")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Choose an item")).to_be_visible()


def test_the_inbox_on_a_phone_in_chinese_shows_one_thing_at_a_time(opened: Callable[..., Page], field: Field) -> None:
    field.quarantine("手机上的备注")
    page = opened("", PHONE, "zh-CN")
    page.get_by_role("button", name="账户").click()
    page.get_by_role("menuitem", name="待处理").click()
    page.locator("[data-item]").first.click()
    expect(page.get_by_role("button", name="弃用")).to_be_visible()
    expect(page.locator("[data-item]")).to_have_count(0)
    page.get_by_role("button", name="返回").click()
    expect(page.locator("[data-item]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_device_tells_its_health_and_is_revoked_with_a_reason(opened: Callable[..., Page], field: Field) -> None:
    old = (datetime.now(UTC) - timedelta(hours=30)).isoformat()
    field.report(unsent_count=3, oldest_unsent_at=old, storage_persisted=True, clock_offset_ms=-90_000)
    page = opened("?page=devices")
    page.locator(f"[data-item='{field.device}']").click()
    device = page.locator("[data-device]")
    expect(device).to_contain_text("3 entries")
    expect(device).to_contain_text("Unsent for over a day")
    expect(device).to_contain_text("ahead")
    page.get_by_role("button", name="Show whose data is on it").click()
    expect(device).to_contain_text("As of its last sync")
    page.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Revoke")).to_be_disabled()
    dialog.get_by_label("Stolen").check()
    dialog.get_by_role("button", name="Revoke").click()
    expect(device).to_contain_text("Revoked")
    expect(device).to_contain_text("3 entries were waiting when it last reported")


def test_an_empty_inbox_says_so(opened: Callable[..., Page], office: httpx.Client) -> None:
    # Other tests share this system and leave conflicts behind.
    asked: dict[str, str | int] = {"kind": "conflict", "limit": 100}
    for item in office.get("/api/v1/inbox", params=asked).raise_for_status().json()["items"]:
        office.post(f"/api/v1/inbox/{item['id']}/settle", json={"choice": "accept_theirs"}).raise_for_status()
    page = opened("?page=inbox")
    page.get_by_text("Conflicts", exact=True).click()
    expect(page.get_by_text("Nothing to decide")).to_be_visible()
