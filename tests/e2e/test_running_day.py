"""The day as it runs, in a real browser: who is sick, the repair of it, and who can take an urgent order now."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.field import act, set_planning_policy
from tests.e2e.test_board import BOARD, DESK, PHONE, Seen, _visit, browser, sign_in  # noqa: F401 - one browser for all
from tests.e2e.test_planning import PLANNED_MS, ZONE, bar, row
from tests.live import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BOARD.is_file(), reason="the board is not built: npm --prefix web run build"),
    pytest.mark.xdist_group("board"),
]

HOME = {"lon": 7.4213, "lat": 43.7372}
HOUR = timedelta(hours=1)


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Seen]:  # noqa: F811 - a fixture
    yield from _visit(browser, live_server, DESK)


@pytest.fixture
def phone_visit(browser: Browser, live_server: LiveServer) -> Iterator[Seen]:  # noqa: F811 - a fixture
    yield from _visit(browser, live_server, PHONE)


@dataclass
class Crew:
    """Two who work now and alone can do what these tests ask for: what others do with theirs is nothing to them."""

    office: httpx.Client
    skill: str
    first: dict[str, Any]
    second: dict[str, Any]

    def order(self, title: str, **more: object) -> dict[str, Any]:
        site = self.office.get("/api/v1/sites", params={"limit": 1}).raise_for_status().json()["items"][0]
        asked = {
            "site_id": site["id"],
            "title": title,
            "problem_type": self.skill,
            "description": "The lift stops between floors.",
            "skills": [{"key": self.skill, "level": 1}],
            "duration_minutes": 45,
        } | more
        order: dict[str, Any] = self.office.post("/api/v1/work-orders", json=asked).raise_for_status().json()
        if order["state"] == "new":
            act(self.office, order, action="triage")
        return order

    def booked(self, title: str, engineer: dict[str, Any], hours: float) -> dict[str, Any]:
        order, start = self.order(title), datetime.now(UTC) + timedelta(hours=hours)
        times = {"planned_start": start.isoformat(), "planned_end": (start + timedelta(minutes=45)).isoformat()}
        body = {"engineer_id": engineer["id"]} | times
        given: dict[str, Any] = (
            self.office.post(f"/api/v1/work-orders/{order['id']}/assign", json=body).raise_for_status().json()
        )
        return given

    def day_of(self, order: dict[str, Any]) -> str:
        """The timeline on which an order's visit stands."""
        return f"/?page=timeline&day={datetime.fromisoformat(order['planned_start']).astimezone(ZONE):%Y-%m-%d}"

    def now(self, order: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.office.get(f"/api/v1/work-orders/{order['id']}").raise_for_status().json()
        return found

    def holder(self, order: dict[str, Any]) -> str | None:
        now = self.now(order)
        return None if now["visit_state"] in {None, "cancelled"} else now["engineer_name"]

    def disruptions(self) -> list[dict[str, Any]]:
        items = self.office.get("/api/v1/disruptions").raise_for_status().json()["items"]
        ours = {self.first["id"], self.second["id"]}
        return [it for it in items if it["engineer_id"] in ours]


@pytest.fixture
def crew(office: httpx.Client) -> Iterator[Crew]:
    skill = f"lift_{uuid4().hex[:8]}"
    office.post("/api/v1/skills", json={"key": skill, "name": {"en": "Lifts", "zh": "电梯"}}).raise_for_status()
    now = datetime.now(UTC)
    shift = {"starts_at": (now - timedelta(hours=1)).isoformat(), "ends_at": (now + timedelta(hours=8)).isoformat()}
    people = []
    for name in ("Clara", "Dario"):
        about = {
            "email": f"{uuid4().hex}@today.example",
            "name": f"{name} {uuid4().hex[:5]}",
            "roles": ["engineer"],
            "engineer": {"home": HOME, "skills": [{"key": skill, "level": 3}]},
        }
        person = office.post("/api/v1/people", json=about).raise_for_status().json()
        office.post(f"/api/v1/people/{person['id']}/shifts", json=shift).raise_for_status()
        people.append(person)
    set_planning_policy(office, automatic=False)  # repairs wait for a person
    crew = Crew(office, skill, *people)
    yield crew
    for it in crew.disruptions():  # the next test's day begins undisturbed
        office.post(f"/api/v1/disruptions/{it['id']}/ignore").raise_for_status()


def a_title() -> str:
    return f"Lift stuck {uuid4().hex[:6]}"


def menu_of(page: Page, name: str, label: str = "Report for") -> Locator:
    return row(page, name).get_by_role("button", name=re.compile(label))


def disruption(page: Page, name: str) -> Locator:
    return page.get_by_test_id("disruption").filter(has_text=name)


def test_who_is_sick_is_reported_the_repair_is_seen_accepted_and_the_tour_changes(visit, crew):
    sick, other = crew.first["name"], crew.second["name"]
    order = crew.booked(a_title(), crew.first, 1)
    page = sign_in(visit, crew.day_of(order))
    expect(row(page, sick)).to_be_attached()
    page.get_by_role("searchbox").fill(order["title"])
    menu_of(page, sick).focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Sick or away").click()
    form = page.get_by_test_id("report")
    form.get_by_label("Why").fill("Flu")
    form.get_by_role("button", name="Report", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text=f"{sick} is reported absent")).to_be_visible()
    expect(row(page, sick).get_by_test_id("disturbed-mark")).to_contain_text("Absent")
    expect(row(page, sick).get_by_test_id("disturbance")).to_be_visible()

    notice = page.get_by_test_id("repair-notice")
    expect(notice).to_contain_text(sick, timeout=PLANNED_MS)
    page.get_by_test_id("disturbed").click()
    expect(disruption(page, sick)).to_contain_text("waits for your decision")
    expect(disruption(page, sick)).to_contain_text("Flu")
    disruption(page, sick).get_by_role("button", name="Look at the repair").click()

    plan = page.get_by_test_id("plan")
    expect(plan).to_contain_text("Repair")
    line = page.get_by_test_id("plan-line").filter(has_text=order["title"])
    expect(line).to_contain_text(other)
    page.get_by_test_id("accept").click()
    expect(line).to_contain_text("In effect")
    assert crew.holder(order) == other

    page.get_by_test_id("disturbed").click()
    expect(disruption(page, sick)).to_contain_text("Repair accepted: 1 change")
    page.goto(visit.home + crew.day_of(crew.now(order)))  # late in the evening it has moved to tomorrow
    expect(row(page, other).locator(f"[data-order='{order['id']}']")).to_be_visible()
    assert visit.errors == []


def test_a_report_that_was_wrong_is_undone_at_once_and_ended_later(visit, crew):
    name = crew.first["name"]
    crew.booked(a_title(), crew.first, 3)
    page = sign_in(visit, f"/?engineer={crew.first['id']}&pane=engineers")
    card = page.get_by_test_id("engineer-card")
    card.get_by_role("button", name=f"Report for {name}").click()
    page.get_by_role("menuitem", name="Van broken down").click()
    form = page.get_by_test_id("report")
    form.get_by_label("Where the van is").fill("A8, exit 57")
    form.get_by_role("button", name="Report", exact=True).click()
    told = page.get_by_role("alert").filter(has_text="breakdown is reported")
    expect(card).to_contain_text("Van broken down until")
    told.get_by_role("button", name="Undo").click()
    expect(card).not_to_contain_text("Van broken down until")
    assert [it["state"] for it in crew.disruptions()] == ["ignored"]

    card.get_by_role("button", name=f"Report for {name}").press("Enter")
    page.get_by_role("menuitem", name="Runs late").click()
    form.get_by_role("button", name="Report", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("at no visit now")
    form.get_by_role("button", name="Report as away").click()
    form.get_by_role("button", name="Report", exact=True).click()
    expect(card).to_contain_text("Absent until")
    card.get_by_role("button", name="No longer so").click()
    expect(card).not_to_contain_text("Absent until")
    assert {it["state"] for it in crew.disruptions()} == {"ignored"}


def test_a_customer_who_was_not_there_is_told_from_the_visit_and_undo_sends_the_same_person(visit, crew):
    name = crew.first["name"]
    order = crew.booked(a_title(), crew.first, 1)
    page = sign_in(visit, crew.day_of(order))
    page.get_by_role("searchbox").fill(order["title"])
    bar(page, order).focus()
    page.keyboard.press("m")
    page.get_by_role("menuitem", name="Customer not there").click()
    form = page.get_by_test_id("report")
    form.get_by_label("Why").fill("Rang twice")
    form.get_by_role("button", name="Report", exact=True).click()
    told = page.get_by_role("alert").filter(has_text="waits for another time")
    expect(told).to_be_visible()
    assert crew.holder(order) is None
    told.get_by_role("button", name="Undo").click()
    expect(bar(page, order)).to_be_visible()
    assert crew.holder(order) == name
    assert visit.errors == []


def test_an_urgent_order_is_offered_taken_by_one_press_and_undone(visit, crew):
    waits = crew.booked(a_title(), crew.first, 0.5)
    order = crew.order(a_title(), priority="urgent")
    page = sign_in(visit, f"/?order={order['id']}&tab=candidates")
    detail = page.get_by_test_id("order-detail")
    offers = detail.get_by_test_id("offer")
    expect(detail).to_contain_text("Who can take it now")
    expect(offers).to_have_count(2)
    expect(offers.first).to_contain_text(re.compile(r"there \d\d:\d\d\s*≤ \d\d:\d\d"))
    expect(detail.get_by_test_id("candidate")).to_have_count(0)  # nobody is named twice
    name = offers.first.locator("strong").inner_text()
    offers.first.get_by_test_id("take-offer").click()
    done = page.get_by_role("alert").filter(has_text=name)
    expect(done).to_be_visible()
    assert crew.holder(order) == name
    expect(offers).to_have_count(0)
    done.get_by_role("button", name="Undo").click()
    expect(offers).to_have_count(2)
    assert crew.holder(order) is None
    assert crew.holder(waits) == crew.first["name"]
    assert visit.errors == []


def test_on_a_phone_in_chinese_somebody_sick_is_reported_and_an_urgent_order_given(phone_visit, crew):
    sick, other = crew.first["name"], crew.second["name"]
    order = crew.booked(a_title(), crew.first, 1)
    page = sign_in(phone_visit, crew.day_of(order))
    page.evaluate("localStorage.setItem('callout.language', 'zh')")
    page.reload()
    page.get_by_role("searchbox").fill(order["title"])
    menu_of(page, sick, "报告").tap()
    page.get_by_role("menuitem", name="生病或缺勤").tap()
    form = page.get_by_test_id("report")
    form.get_by_label("原因").fill("流感")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "the page scrolls sideways"
    form.get_by_role("button", name="报告", exact=True).tap()
    expect(row(page, sick).get_by_test_id("disturbed-mark")).to_contain_text("缺勤，至")

    notice = page.get_by_test_id("repair-notice")
    expect(notice).to_contain_text(sick, timeout=PLANNED_MS)
    expect(notice).to_contain_text("修复方案待您决定")
    notice.get_by_role("button", name="查看修复方案").tap()
    page.get_by_test_id("accept").tap()
    expect(page.get_by_test_id("plan-line").filter(has_text=order["title"])).to_contain_text("已生效")
    assert crew.holder(order) == other
    page.get_by_test_id("disturbed").tap()
    expect(disruption(page, sick)).to_contain_text("修复方案已采纳")

    urgent = crew.order(a_title(), priority="urgent")
    page.goto(f"{phone_visit.home}/?order={urgent['id']}&tab=candidates")
    offer = page.get_by_test_id("offer").first
    expect(offer).to_contain_text(other)
    offer.get_by_test_id("take-offer").tap()
    expect(page.get_by_role("alert").filter(has_text=other)).to_be_visible()
    assert crew.holder(urgent) == other
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "the page scrolls sideways"
    assert phone_visit.errors == []


def test_what_would_break_is_said_in_the_readers_language_and_the_organisations_time(visit, crew):
    closes = datetime.now(UTC) + timedelta(minutes=5)
    crew.booked(a_title(), crew.first, 0)
    order = crew.order(a_title(), window_start=(closes - HOUR).isoformat(), window_end=closes.isoformat())
    page = sign_in(visit, f"/?order={order['id']}&tab=candidates")
    card = page.get_by_test_id("candidate").filter(has_text=crew.first["name"])
    expect(card).to_be_visible()
    if card.get_attribute("data-open") != "true":
        card.get_by_role("button").first.click()
    card.get_by_role("button", name="What happens if").click()
    clock = f"{closes.astimezone(ZONE):%H:%M}"
    expect(card.get_by_test_id("what-if")).to_contain_text(f"after the customer’s window closed at {clock}")
    page.get_by_role("button", name="中文").first.click()
    expect(card.get_by_test_id("what-if")).to_contain_text(f"比客户时间窗结束的 {clock} 晚")
    assert visit.errors == []
