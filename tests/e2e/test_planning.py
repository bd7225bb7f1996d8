"""The timeline and the plans in a real browser: by mouse, by keys and by touch, in both languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.e2e.field import act
from tests.e2e.test_board import BOARD, DESK, PHONE, Seen, _visit, browser, sign_in  # noqa: F401 - one browser for all
from tests.live import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BOARD.is_file(), reason="the board is not built: npm --prefix web run build"),
    pytest.mark.xdist_group("board"),
]

ZONE = ZoneInfo("Europe/Monaco")
PLANNED_MS = 240_000  # a machine's first plan waits until the planner is compiled
_STILL = 8  # looks a tenth of a second apart
_days_ahead = count(3)  # a day for each test: what others move about is not on it


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Seen]:  # noqa: F811 - a fixture
    yield from _visit(browser, live_server, DESK)


@pytest.fixture
def phone_visit(browser: Browser, live_server: LiveServer) -> Iterator[Seen]:  # noqa: F811 - a fixture
    yield from _visit(browser, live_server, PHONE)


@dataclass
class Day:
    """A day on which Anna and Bruno work from eight to five."""

    office: httpx.Client
    begins: datetime
    anna: dict[str, Any]
    bruno: dict[str, Any]

    @property
    def address(self) -> str:
        return f"/?page=timeline&day={self.begins:%Y-%m-%d}"

    def at(self, clock: str) -> datetime:
        hours, minutes = map(int, clock.split(":"))
        return self.begins.replace(hour=hours, minute=minutes)

    def order(self, title: str, **more: object) -> dict[str, Any]:
        """An order that nobody has and that belongs on this day only."""
        site = self.office.get("/api/v1/sites", params={"limit": 1}).raise_for_status().json()["items"][0]
        asked = {
            "site_id": site["id"],
            "title": title,
            "problem_type": "hvac",
            "description": "The boiler rumbles.",
            "window_start": self.at("08:00").isoformat(),
            "window_end": self.at("17:00").isoformat(),
            "duration_minutes": 60,
        } | more
        order: dict[str, Any] = self.office.post("/api/v1/work-orders", json=asked).raise_for_status().json()
        if order["state"] == "new":
            act(self.office, order, action="triage")
        return order

    def booked(self, title: str, clock: str) -> dict[str, Any]:
        """An order that Anna has for an hour."""
        order = self.order(title)
        times = {
            "planned_start": self.at(clock).isoformat(),
            "planned_end": (self.at(clock) + timedelta(hours=1)).isoformat(),
        }
        body = {"engineer_id": self.anna["id"]} | times
        given: dict[str, Any] = (
            self.office.post(f"/api/v1/work-orders/{order['id']}/assign", json=body).raise_for_status().json()
        )
        return given

    def booking(self, order: dict[str, Any]) -> tuple[str | None, str | None]:
        """Whose it is and when it begins there, as the server has it."""
        now = self.office.get(f"/api/v1/work-orders/{order['id']}").raise_for_status().json()
        if now["visit_state"] in {None, "cancelled"}:  # once it was withdrawn it still names who had it
            return None, None
        return now["engineer_name"], f"{datetime.fromisoformat(now['planned_start']).astimezone(ZONE):%H:%M}"


@pytest.fixture(scope="module")
def crew(office: httpx.Client) -> list[dict[str, Any]]:
    home = {"lon": 7.4213, "lat": 43.7372}
    engineer = {"home": home, "skills": [{"key": "hvac", "level": 5}]}
    return [
        office.post(
            "/api/v1/people",
            json={
                "email": f"{uuid4().hex}@later.example",
                "name": name,
                "roles": ["engineer"],
                "engineer": engineer,
            },
        )
        .raise_for_status()
        .json()
        for name in ("Anna Moretti", "Bruno Keller")
    ]


def on_shift(office: httpx.Client, crew: list[dict[str, Any]], begins: datetime) -> Day:
    shift = {
        "starts_at": begins.replace(hour=8).isoformat(),
        "ends_at": begins.replace(hour=17).isoformat(),
        "break_opens": begins.replace(hour=12).isoformat(),
        "break_closes": begins.replace(hour=13).isoformat(),
        "break_minutes": 30,
    }
    for person in crew:
        office.post(f"/api/v1/people/{person['id']}/shifts", json=shift).raise_for_status()
    return Day(office, begins, *crew)


def midnight(days_ahead: int) -> datetime:
    today = datetime.now(UTC).astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days_ahead)


@pytest.fixture
def day(office: httpx.Client, crew: list[dict[str, Any]]) -> Day:
    return on_shift(office, crew, midnight(next(_days_ahead)))


def a_title() -> str:
    return f"Boiler rumbles {uuid4().hex[:6]}"


def bar(page: Page, order: dict[str, Any]) -> Locator:
    return page.locator(f"[data-testid=visit][data-order='{order['id']}']")


def row(page: Page, name: str) -> Locator:
    return page.get_by_test_id("timeline-row").filter(has=page.get_by_text(name, exact=True))


def at_rest(place: Locator) -> FloatRect:
    """Where something is once it has stopped moving: hours get their width when the whole day is known."""
    before, same = None, 0
    for _ in range(100):
        box = place.bounding_box()
        same = same + 1 if box is not None and box == before else 0
        if box is not None and same >= _STILL:
            return box
        before = box
        place.page.wait_for_timeout(100)
    raise AssertionError("it never comes to rest")


def middle(place: Locator) -> tuple[float, float]:
    box = at_rest(place)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def carry(page: Page, what: Locator, *, by: float = 0, to: tuple[float, float] | None = None) -> None:
    """Take something up in its middle; put it down so far to the right, or at a place."""
    what.scroll_into_view_if_needed()
    x, y = middle(what)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*(to or (x + by, y)), steps=8)


def test_a_visit_is_dragged_to_somebody_else_the_strip_says_so_and_undo_puts_it_back(visit, day):
    order = day.booked(a_title(), "09:00")
    page = sign_in(visit, day.address)
    x, _ = middle(bar(page, order))
    hour = at_rest(bar(page, order))["width"] + 1  # a pixel stays free after it
    _, below = middle(row(page, "Bruno Keller"))
    carry(page, bar(page, order), to=(x + 2 * hour, below))
    expect(page.get_by_test_id("ghost")).to_contain_text("11:00–12:00 · Bruno Keller")
    page.mouse.up()

    expect(page.get_by_test_id("move-strip")).to_contain_text(f"Moved #{order['number']} to Bruno Keller")
    expect(row(page, "Bruno Keller").get_by_test_id("visit")).to_have_count(1)
    assert day.booking(order) == ("Bruno Keller", "11:00")

    page.get_by_test_id("move-strip").get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("move-strip")).to_contain_text("is where it was")
    expect(row(page, "Anna Moretti").get_by_test_id("visit")).to_have_count(1)
    assert day.booking(order) == ("Anna Moretti", "09:00")
    assert visit.errors == []


def test_keys_move_a_visit_enter_confirms_and_escape_puts_it_back(visit, day):
    order = day.booked(a_title(), "10:00")
    page = sign_in(visit, day.address)
    bar(page, order).focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.get_by_test_id("ghost")).to_contain_text("10:40–11:40 · Bruno Keller")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("ghost")).to_have_count(0)
    assert day.booking(order) == ("Anna Moretti", "10:00")

    for key in ("ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_test_id("move-strip")).to_contain_text("to Anna Moretti")
    expect(bar(page, order)).to_be_focused()
    assert day.booking(order) == ("Anna Moretti", "09:50")
    page.keyboard.press("u")
    expect(page.get_by_test_id("move-strip")).to_contain_text("is where it was")
    assert day.booking(order) == ("Anna Moretti", "10:00")


def test_an_order_goes_from_the_tray_to_an_engineer_and_a_pin_holds_it_there(visit, day):
    order = day.order(a_title())
    page = sign_in(visit, day.address)
    card = page.get_by_test_id("tray-order").filter(has_text=order["title"])
    x, y = middle(row(page, "Anna Moretti"))
    carry(page, card, to=(x, y))
    expect(page.get_by_test_id("ghost")).to_contain_text("Anna Moretti")
    page.mouse.up()
    expect(page.get_by_test_id("move-strip")).to_contain_text("to Anna Moretti")
    expect(bar(page, order)).to_be_visible()
    expect(card).to_have_count(0)
    assert day.booking(order)[0] == "Anna Moretti"

    bar(page, order).click(button="right")
    page.get_by_role("menuitem", name="Take off the engineer").click()
    expect(card).to_be_visible()
    expect(page.get_by_test_id("move-strip")).to_contain_text("is unassigned")
    page.get_by_test_id("move-strip").get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("move-strip")).to_contain_text("is where it was")

    bar(page, order).click(button="right")
    page.get_by_role("menuitem", name="Pin to engineer and time").click()
    expect(page.get_by_test_id("move-strip")).to_contain_text("is pinned")
    before = day.booking(order)
    carry(page, bar(page, order), by=120)
    page.mouse.up()
    expect(page.get_by_role("alert").filter(has_text="unpin it first")).to_be_visible()
    assert day.booking(order) == before


def test_tomorrow_is_planned_looked_at_taken_in_part_and_taken_back(visit, office, crew):
    day = on_shift(office, crew, midnight(1))
    mine, other = day.order(a_title()), day.order(a_title())
    page = sign_in(visit, "/?page=plans")
    page.get_by_test_id("new-plan").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Engineers").fill("Anna Moretti")
    page.get_by_role("option", name="Anna Moretti").click()
    page.keyboard.press("Escape")
    dialog.get_by_text("Quick").click()
    dialog.get_by_role("button", name="Make a plan").click()

    plan = page.get_by_test_id("plan")
    expect(plan.get_by_role("heading").first).to_contain_text("Tomorrow")
    expect(page.get_by_test_id("accept")).to_be_visible(timeout=PLANNED_MS)
    expect(page.get_by_test_id("figures")).to_contain_text("Driving")
    line = page.get_by_test_id("plan-line").filter(has_text=mine["title"])
    expect(line).to_contain_text("Anna Moretti")

    line.get_by_role("button", name=mine["title"]).click()
    expect(page.get_by_test_id("order-detail")).to_contain_text(mine["title"])
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("order-detail")).to_have_count(0)

    page.get_by_role("checkbox", name="All of: Gets an engineer").uncheck()
    line.get_by_role("checkbox").check()
    page.get_by_role("button", name="Accept 1 selected").click()
    expect(line).to_contain_text("In effect")
    expect(plan).to_contain_text("1 in effect")
    assert day.booking(mine)[0] == "Anna Moretti"
    assert day.booking(other)[0] is None

    plan.get_by_text("Days before and after").click()
    expect(page.get_by_test_id("tour").filter(has_text="Anna Moretti")).to_be_visible()
    plan.get_by_text("Changes", exact=True).click()
    page.get_by_role("button", name="Undo 1 change").click()
    expect(line).to_contain_text("Undone")
    assert day.booking(mine)[0] is None
    assert visit.errors == []


def test_a_day_without_shifts_says_why_it_can_not_be_planned(visit, office):
    begins = midnight(40)
    asked = {"begins": begins.isoformat(), "until": (begins + timedelta(days=1)).isoformat()}
    plan = office.post("/api/v1/plans", json=asked).raise_for_status().json()
    page = sign_in(visit, f"/?page=plans&item={plan['id']}")
    expect(page.get_by_test_id("plan")).to_contain_text("Nobody is on shift in this span", timeout=PLANNED_MS)
    expect(page.get_by_role("button", name="Plan again…")).to_be_visible()


def test_on_a_phone_each_engineer_has_a_list_and_a_visit_moves_by_two_fields(phone_visit, day):
    order = day.booked(a_title(), "09:00")
    page = sign_in(phone_visit, day.address)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "the page scrolls sideways"
    expect(row(page, "Anna Moretti")).to_contain_text(order["title"])
    page.get_by_role("button", name=f"Menu of #{order['number']}").tap()
    page.get_by_role("menuitem", name="Move to…").tap()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Engineer").fill("Bruno")
    page.get_by_role("option", name="Bruno Keller").tap()
    dialog.get_by_label("Begins at").fill(f"{day.at('14:00'):%Y-%m-%dT%H:%M}")
    dialog.get_by_role("button", name="Move", exact=True).tap()
    expect(page.get_by_test_id("move-strip")).to_contain_text("to Bruno Keller")
    expect(row(page, "Bruno Keller")).to_contain_text(order["title"])
    assert day.booking(order) == ("Bruno Keller", "14:00")
    bar(page, order).tap()
    expect(page.get_by_test_id("order-detail")).to_contain_text(order["title"])
    assert phone_visit.errors == []


def test_timeline_and_plans_speak_chinese(visit, day):
    order = day.booked(a_title(), "09:00")
    page = sign_in(visit, day.address)
    page.get_by_role("button", name="中文").first.click()
    expect(page.get_by_role("button", name="今天", exact=True)).to_be_visible()
    expect(bar(page, order)).to_have_attribute("aria-label", re.compile("已派出"))
    page.get_by_role("button", name="计划…").click()
    expect(page.get_by_role("dialog")).to_contain_text("寻优时长")
