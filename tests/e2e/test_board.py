"""The dispatcher's board in a real browser, against the real system."""

import io
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.e2e.field import PASSWORD
from tests.live import LiveServer

CHROMIUM = os.environ.get("CALLOUT_CHROMIUM", "/usr/bin/chromium")
BOARD = Path(__file__).parents[2] / "web" / "apps" / "board" / "dist" / "index.html"
WEBGL = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
DESK = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
PATIENCE_MS = 20_000

expect.set_options(timeout=PATIENCE_MS)  # a busy machine is no fault of the board's

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BOARD.is_file(), reason="the board is not built: npm --prefix web run build"),
    pytest.mark.skipif(not Path(CHROMIUM).is_file(), reason="no Chromium: set CALLOUT_CHROMIUM to its path"),
    pytest.mark.xdist_group("board"),
]


@dataclass
class Seen:
    """A page, and what it did that a person would not see."""

    page: Page
    home: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda problem: self.errors.append(str(problem)))
        self.page.on("request", lambda request: self._judge(request.url))

    def _judge(self, url: str) -> None:
        if not url.startswith((f"{self.home}/", f"blob:{self.home}/")):
            self.strangers.append(url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=WEBGL)
        yield started
        started.close()


@pytest.fixture(scope="module")
def office(office: httpx.Client) -> httpx.Client:
    """The same, with every engineer on shift now."""
    now = datetime.now(UTC)
    shift = {"starts_at": (now - timedelta(hours=1)).isoformat(), "ends_at": (now + timedelta(hours=9)).isoformat()}
    people = office.get("/api/v1/people", params={"limit": 100}).raise_for_status().json()["items"]
    for person in people:
        if person["engineer"] and person["active"]:
            # One that overlaps a shift of theirs may be refused: then they are on shift already.
            office.post(f"/api/v1/people/{person['id']}/shifts", json=shift)
    return office


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Seen]:
    yield from _visit(browser, live_server, DESK)


@pytest.fixture
def phone_visit(browser: Browser, live_server: LiveServer) -> Iterator[Seen]:
    yield from _visit(browser, live_server, PHONE)


def _visit(browser: Browser, server: LiveServer, size: ViewportSize) -> Iterator[Seen]:
    context = browser.new_context(viewport=size, locale="en-GB", has_touch=size is PHONE)
    context.set_default_timeout(PATIENCE_MS)
    seen = Seen(context.new_page(), server.url)
    seen.watch()
    yield seen
    context.close()


def sign_in(seen: Seen, address: str = "/", expected: str = "Live") -> Page:
    page = seen.page
    page.goto(seen.home + address)
    page.get_by_label("E-mail").fill("dispatcher@riviera.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("status").filter(has_text=expected)).to_be_visible()
    return page


def report(office: httpx.Client, title: str, priority: str = "urgent") -> dict[str, str]:
    """A customer's call, taken down by somebody else."""
    site = office.get("/api/v1/sites", params={"limit": 1}).raise_for_status().json()["items"][0]
    order = {
        "site_id": site["id"],
        "title": title,
        "problem_type": "heating",
        "description": "No hot water since this morning.",
        "priority": priority,
    }
    opened: dict[str, str] = office.post("/api/v1/work-orders", json=order).raise_for_status().json()
    return opened


def a_title() -> str:
    return f"No hot water {uuid4().hex[:8]}"


def row_of(page: Page, title: str):
    return page.get_by_test_id("order-row").filter(has_text=title)


def open_order(page: Page, title: str) -> None:
    page.get_by_label("Search orders").fill(title)
    row_of(page, title).click()
    expect(page.get_by_test_id("order-detail").get_by_role("heading", name=title)).to_be_visible()


def test_a_wrong_password_is_answered_with_a_sentence(visit):
    page = visit.page
    page.goto(visit.home)
    page.get_by_label("E-mail").fill("dispatcher@riviera.example")
    page.locator("input[name=password]").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("E-mail or password is not right")


def test_the_map_draws_land_sea_and_pins_without_asking_any_other_host(visit, office):
    report(office, a_title())
    page = sign_in(visit)
    expect(page.locator("[data-testid=map][data-idle=true]")).to_be_attached(timeout=60_000)
    picture = Image.open(io.BytesIO(page.get_by_test_id("map").screenshot())).convert("RGB")
    counted = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_counts=True)
    painted = counted[0][counted[1] > 200].astype(int)
    assert len(painted) > 8, "a map in one colour shows nothing"
    assert (painted[:, 2] > painted[:, 0] + 10).any(), "the sea is missing"
    assert visit.strangers == []
    assert visit.errors == []


def test_the_best_candidate_is_assigned_the_timeline_says_so_and_undo_takes_it_back(visit, office):
    title = a_title()
    report(office, title, "high")  # an urgent one is offered to whoever has room today
    page = sign_in(visit)
    open_order(page, title)
    detail = page.get_by_test_id("order-detail")

    detail.get_by_role("tab", name="Candidates").click()
    best = detail.get_by_test_id("candidate").first
    expect(best).to_contain_text("Best")
    expect(best.get_by_role("table")).to_contain_text("Travel time")
    name = best.locator("strong").first.inner_text()
    best.get_by_test_id("assign").click()

    expect(page.get_by_role("alert")).to_contain_text(name)
    expect(row_of(page, title)).to_contain_text("Dispatched")
    detail.get_by_role("tab", name="Timeline").click()
    expect(detail.get_by_test_id("timeline-entry").first).to_contain_text("Dispatched")
    expect(detail.get_by_test_id("timeline-entry").first).to_contain_text(name)

    page.get_by_role("button", name="Undo").click()
    expect(row_of(page, title)).to_contain_text("Triaged")
    expect(detail.get_by_test_id("timeline-entry").first).to_contain_text("undone on the board")
    assert visit.errors == []


def test_a_new_order_and_its_changes_appear_without_a_reload(visit, office):
    page = sign_in(visit)
    page.evaluate("window.stayed = true")
    title = a_title()
    order = report(office, title)
    expect(row_of(page, title)).to_be_visible()

    triage = {"action": "triage"}
    office.post(f"/api/v1/work-orders/{order['id']}/actions", json=triage).raise_for_status()
    expect(row_of(page, title)).to_contain_text("Triaged")
    assert page.evaluate("window.stayed") is True
    assert visit.errors == []


def test_a_lost_link_is_told_and_the_board_stays_usable_until_it_is_back(visit, office):
    title = a_title()
    report(office, title)
    page = visit.page
    page.route("**/board/events", lambda route: route.abort())
    sign_in(visit, expected="Offline since")
    expect(page.get_by_text("What you see may be out of date")).to_be_visible()
    expect(row_of(page, title)).to_be_visible()
    assert page.get_by_test_id("map").bounding_box()["height"] > 600, "the notice pushed the board away"
    page.unroute("**/board/events")
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=60_000)  # the pauses had grown to 15 s
    expect(page.get_by_text("What you see may be out of date")).to_have_count(0)


def test_an_action_that_needs_a_reason_asks_for_it_and_keeps_it(visit, office):
    title = a_title()
    order = report(office, title, "normal")
    page = sign_in(visit, f"/?order={order['id']}")
    detail = page.get_by_test_id("order-detail")
    detail.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Cancel the order").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_role("dialog")).to_contain_text("This is needed")
    page.get_by_label("Why is the order cancelled?").fill("The customer repaired it")
    page.get_by_role("dialog").get_by_role("button", name="Cancel the order").click()
    expect(detail).to_contain_text("Cancelled")
    detail.get_by_role("tab", name="Timeline").click()
    expect(detail.get_by_test_id("timeline-entry").first).to_contain_text("The customer repaired it")


def test_keys_walk_through_the_list_and_the_address_leads_back(visit, office):
    report(office, a_title())
    report(office, a_title())
    page = sign_in(visit)
    rows = page.get_by_test_id("order-row")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    heading = page.get_by_test_id("order-detail").get_by_role("heading", level=2).inner_text()

    page.reload()
    expect(page.get_by_test_id("order-detail").get_by_role("heading", level=2)).to_have_text(heading)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("order-detail")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_label("Search orders")).to_be_focused()
    page.keyboard.type("zzzz nothing is called this")
    expect(page.get_by_text("No order fits")).to_be_visible()


def a_customer_with_one_site(office: httpx.Client) -> str:
    sites = office.get("/api/v1/sites", params={"limit": 100}).raise_for_status().json()["items"]
    owners = Counter(site["customer_id"] for site in sites)
    owner = next(customer for customer, many in owners.items() if many == 1)
    name: str = office.get(f"/api/v1/customers/{owner}").raise_for_status().json()["name"]
    return name


def test_a_dispatcher_opens_an_order_and_lands_on_its_candidates(visit, office):
    title, customer = a_title(), a_customer_with_one_site(office)
    page = sign_in(visit)
    page.get_by_role("button", name="New order").click()
    dialog = page.get_by_role("dialog")
    offered = page.locator("[data-combobox-option]:visible")
    dialog.get_by_role("combobox", name="Customer").fill(customer)
    offered.filter(has_text=customer).first.click()
    expect(dialog.get_by_role("combobox", name="Site")).not_to_have_value("")
    expect(offered).to_have_count(0)
    dialog.get_by_label("Title").fill(title)
    dialog.get_by_role("combobox", name="Kind of problem").click()
    offered.first.click()
    dialog.get_by_text("Urgent").click()
    dialog.get_by_role("button", name="Create order").click()
    expect(page.get_by_test_id("order-detail").get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_test_id("offer").or_(page.get_by_test_id("candidate")).first).to_be_visible()
    assert visit.errors == []


def test_everything_changes_to_chinese_and_stays_so(visit, office):
    report(office, a_title())
    page = sign_in(visit)
    page.get_by_role("button", name="中文").first.click()
    expect(page.get_by_role("tab", name="工单").first).to_be_visible()
    expect(page.get_by_text("实时", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("tab", name="工单").first).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_on_a_phone_list_map_and_details_are_one_touch_apart(phone_visit, office):
    title = a_title()
    report(office, title)
    page = sign_in(phone_visit)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "the page scrolls sideways"
    open_order(page, title)
    page.get_by_role("button", name="Back", exact=True).click()
    expect(page.get_by_test_id("order-detail")).to_have_count(0)
    page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator("[data-testid=map][data-idle=true]")).to_be_attached(timeout=60_000)
    page.get_by_role("button", name="Engineers", exact=True).click()
    expect(page.get_by_test_id("engineer-row").first).to_be_visible()
    assert phone_visit.strangers == []
    assert phone_visit.errors == []
