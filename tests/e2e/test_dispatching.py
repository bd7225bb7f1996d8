"""How dispatch decides, and what the office arranges for an order, in a real browser against the real system."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.e2e.field import PASSWORD, is_founder, set_planning_policy
from tests.e2e.test_board import BOARD, DESK, PHONE, browser  # noqa: F401 - one browser for all
from tests.live import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BOARD.is_file(), reason="the board is not built: npm --prefix web run build"),
    pytest.mark.xdist_group("board"),
]

type Order = dict[str, Any]
type OpenPage = Callable[..., Page]

ADMIN = "admin@riviera.example"
DISPATCHER = "dispatcher@riviera.example"


@pytest.fixture(scope="module")
def office(office: httpx.Client) -> httpx.Client:
    """The same, with every engineer on shift today and tomorrow."""
    now = datetime.now(UTC)
    spans = ((now - timedelta(hours=1), 9), (now + timedelta(hours=16), 8))
    for person in _engineers(office):
        for begins, hours in spans:
            shift = {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=hours)).isoformat()}
            # One that overlaps a shift of theirs may be refused: then they are on shift already.
            office.post(f"/api/v1/people/{person['id']}/shifts", json=shift)
    return office


@pytest.fixture
def opened(browser: Browser, live_server: LiveServer) -> Iterator[OpenPage]:  # noqa: F811
    pages: list[Page] = []

    def open_page(address: str, size: ViewportSize = DESK, *, email: str = ADMIN, language: str = "en") -> Page:
        page = browser.new_context(viewport=size, has_touch=size is PHONE).new_page()
        page.add_init_script(
            f"if (location.protocol !== 'about:') localStorage.setItem('callout.language', '{language}')"
        )
        pages.append(page)
        page.goto(f"{live_server.url}/{address}")
        page.locator("input[name=email]").fill(email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("button[type=submit]").click()
        return page

    yield open_page
    for page in pages:
        page.context.close()


def _engineers(office: httpx.Client) -> list[dict[str, Any]]:
    people = office.get("/api/v1/people", params={"limit": 100}).raise_for_status().json()["items"]
    return [one for one in people if one["engineer"] and one["active"] and is_founder(one)]


def an_order(office: httpx.Client, title: str, *, site: int = 0) -> Order:
    """A customer's call, looked at and still without anybody."""
    sites = office.get("/api/v1/sites", params={"limit": 10}).raise_for_status().json()["items"]
    asked = {
        "site_id": sites[site]["id"],
        "title": title,
        "problem_type": "heating",
        "description": "No hot water since this morning.",
        "priority": "normal",
        "duration_minutes": 30,
    }
    order: Order = office.post("/api/v1/work-orders", json=asked).raise_for_status().json()
    act = {"action": "triage"}
    office.post(f"/api/v1/work-orders/{order['id']}/actions", json=act).raise_for_status()
    return order


def shares(page: Page) -> list[float]:
    inputs = page.locator("[data-factor] input[inputmode=decimal]")
    expect(inputs).to_have_count(12)
    return [float(one.input_value().removesuffix("%")) for one in inputs.all()]


def factor(page: Page, name: str) -> Locator:
    return page.locator(f"[data-factor={name}] input[inputmode=decimal]")


def weigh(page: Page, name: str, percent: str) -> None:
    factor(page, name).fill(percent)
    factor(page, name).press("Enter")


def in_force(office: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = office.get("/api/v1/score-weights").raise_for_status().json()["items"][0]
    return found


def section(page: Page, title: str) -> Locator:
    return page.get_by_test_id("order-detail").locator("section").filter(has=page.get_by_role("heading", name=title))


def pick(page: Page, label: str, typed: str, option: str | re.Pattern[str]) -> None:
    box = page.get_by_role("combobox", name=label, exact=True)
    box.click()
    box.fill(typed)
    page.get_by_role("option", name=option).first.click()


def test_weights_are_moved_tried_on_the_past_saved_with_a_why_and_switched_back(
    opened: OpenPage, office: httpx.Client
) -> None:
    order = an_order(office, "Replayed")
    body = {"engineer_id": _engineers(office)[0]["id"]}
    office.post(f"/api/v1/work-orders/{order['id']}/assign", json=body).raise_for_status()
    first = in_force(office)

    page = opened("?page=dispatching")
    assert sum(shares(page)) == pytest.approx(100)
    weigh(page, "eta", "60")
    expect(factor(page, "eta")).to_have_value("60%")
    assert sum(shares(page)) == pytest.approx(100)
    expect(page.get_by_text(re.compile(r"of \d+ decisions? somebody else would have come first"))).to_be_visible()

    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text("This is needed")).to_be_visible()
    page.get_by_label("Why this change").fill("Customers complained about late arrivals")
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text(f"Version {first['version'] + 1} is in force")).to_be_visible()
    assert in_force(office)["weights"]["eta"] == pytest.approx(0.6)

    page.locator(f"[data-version='{first['version']}']").get_by_role("button", name="Use again").click()
    expect(page.get_by_label("Why this change")).to_have_value(f"Back to version {first['version']}")
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text(f"Version {first['version'] + 2} is in force")).to_be_visible()
    assert in_force(office)["weights"] == pytest.approx(first["weights"], abs=0.001)


def test_whoever_is_overtaken_keeps_what_they_were_about_to_save(opened: OpenPage, office: httpx.Client) -> None:
    page = opened("?page=dispatching")
    weigh(page, "load", "30")
    page.get_by_label("Why this change").fill("Days are too uneven")
    now = in_force(office)
    body = {"weights": now["weights"], "why": "Nothing, really", "expected_version": now["version"]}
    office.post("/api/v1/score-weights", json=body).raise_for_status()
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text(f"meanwhile version {now['version'] + 1} came into force")).to_be_visible()
    expect(factor(page, "load")).to_have_value("30%")
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text(f"Version {now['version'] + 2} is in force")).to_be_visible()


def test_held_factors_stay_and_drafts_survive_a_look_elsewhere(opened: OpenPage) -> None:
    page = opened("?page=dispatching")
    before = factor(page, "sla").input_value()
    page.get_by_role("button", name="Hold Promise slack").click()
    weigh(page, "skill", "35")
    expect(factor(page, "sla")).to_have_value(before)
    slider = page.locator("[data-factor=cost]").get_by_role("slider")
    slider.focus()
    page.keyboard.press("End")
    expect(factor(page, "sla")).to_have_value(before)
    expect(factor(page, "cost")).to_have_value(f"{100 - float(before.removesuffix('%')):g}%")
    assert sum(shares(page)) == pytest.approx(100)
    page.get_by_role("tab", name="Results").click()
    page.get_by_role("tab", name="What counts").click()
    expect(page.get_by_text("Not saved")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Not saved")).to_have_count(0)


def test_a_dispatcher_reads_and_tries_but_changes_nothing(opened: OpenPage) -> None:
    page = opened("?page=dispatching", email=DISPATCHER)
    expect(page.get_by_text("An administrator can change it")).to_be_visible()
    weigh(page, "eta", "50")
    expect(page.get_by_text("You are only trying")).to_be_visible()
    expect(page.get_by_role("button", name="Put in force")).to_have_count(0)
    page.get_by_role("tab", name="Rules").click()
    expect(page.get_by_role("button", name="New rule")).to_have_count(0)
    page.get_by_role("tab", name="Planning").click()
    expect(page.get_by_label("Nothing changes within")).to_be_disabled()


def test_rules_are_written_in_words_ordered_by_keys_tried_and_removed_with_a_way_back(
    opened: OpenPage, office: httpx.Client
) -> None:
    an_order(office, "For the dry run")
    page = opened("?page=dispatching&part=rules")
    for name, chip, doing in (
        ("VIP by hand", "VIP", "Leave it to people"),
        ("Urgent at once", "Urgent", "Send the best at once"),
    ):
        page.get_by_role("button", name="New rule").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Add rule").click()
        expect(dialog.get_by_text("This is needed")).to_be_visible()
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_role("button", name=chip, exact=True).click()
        dialog.get_by_role("radio", name=doing).check()
        dialog.get_by_role("button", name="Add rule").click()
        expect(dialog).to_have_count(0)
    rows = page.locator("[data-rule]")
    expect(rows.first).to_contain_text("When an order is of a VIP customer, leave it to people.")
    expect(rows.last).to_contain_text("When an order is of priority Urgent, send the best at once.")

    rows.last.locator("[data-handle]").focus()
    page.keyboard.press("ArrowUp")
    expect(rows.first).to_contain_text("Urgent at once")
    expect(rows.first.locator("[data-handle]")).to_be_focused()
    names = [rule["name"] for rule in office.get("/api/v1/assignment-rules").json()["items"]]
    assert names == ["Urgent at once", "VIP by hand"]

    box = rows.last.locator("[data-handle]").bounding_box()
    over = rows.first.bounding_box()
    assert box
    assert over
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(over["x"] + 10, over["y"] + 5, steps=6)
    page.mouse.up()
    expect(rows.first).to_contain_text("VIP by hand")

    page.get_by_role("button", name="Actions for Urgent at once").click()
    page.get_by_role("menuitem", name="Remove").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("Urgent at once")

    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_role("button", name=re.compile("no rule fits")).first).to_be_visible()
    page.get_by_label("VIP by hand is on").press("Space")
    expect(rows.first).to_have_attribute("data-active", "false")
    for rule in office.get("/api/v1/assignment-rules").json()["items"]:
        office.delete(f"/api/v1/assignment-rules/{rule['id']}").raise_for_status()


def test_learning_says_what_is_missing_and_what_came_of_it(opened: OpenPage, office: httpx.Client) -> None:
    page = opened("?page=dispatching&part=learning")
    expect(page.get_by_text("still missing before anything is learnt")).to_be_visible()
    expect(page.get_by_role("button", name="Learn now")).to_be_disabled()
    page.get_by_role("button", name="How much is enough").click()
    page.get_by_label("Completed orders that are enough").fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There is enough history to learn from")).to_be_visible()
    page.get_by_role("button", name="Learn now").click()
    expect(page.get_by_text(re.compile("Looked at everything|waits? for a decision"))).to_be_visible()
    standing = office.get("/api/v1/learning").json()
    assert standing["policy"]["enough_orders"] == 1


def test_results_say_how_little_is_known(opened: OpenPage, office: httpx.Client) -> None:
    order = an_order(office, "Counted")
    body = {"engineer_id": _engineers(office)[1]["id"]}
    office.post(f"/api/v1/work-orders/{order['id']}/assign", json=body).raise_for_status()
    page = opened("?page=dispatching&part=results")
    expect(page.get_by_text("This is no experiment")).to_be_visible()
    expect(page.get_by_text(re.compile("Too few cases|Not known for both sides")).first).to_be_visible()


def test_the_planning_policy_is_changed_and_put_in_force(opened: OpenPage, office: httpx.Client) -> None:
    before = office.get("/api/v1/planning-policy").json()
    page = opened("?page=dispatching&part=planning")
    page.get_by_label("Nothing changes within").fill("45")
    page.get_by_label("Small repairs take effect by themselves").check(force=True)
    page.get_by_label("Moves at most").fill("2")
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text(f"Version {before['version'] + 1} is in force").first).to_be_visible()
    now = office.get("/api/v1/planning-policy").json()
    assert (now["frozen"], now["automatic"], now["automatic_moves"]) == (45, True, 2)
    assert now["worth"] == before["worth"]
    set_planning_policy(office, **before)


def test_a_wish_against_an_engineer_keeps_them_away_until_it_is_withdrawn(
    opened: OpenPage, office: httpx.Client
) -> None:
    order = an_order(office, "Wished")
    name = _engineers(office)[2]["name"]
    page = opened(f"?order={order['id']}")
    page.get_by_role("button", name="Record a wish").click()
    page.get_by_text("Not again", exact=True).click()
    pick(page, "Engineer", name, name)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text("This is needed")).to_be_visible()
    page.get_by_label("Why", exact=False).last.fill("Left the cellar unlocked")
    page.get_by_role("button", name="Record", exact=True).click()
    wishes = section(page, "Wishes of the customer")
    expect(wishes).to_contain_text(f"Not {name} again")
    page.get_by_role("tab", name="Candidates").click()
    expect(section(page, "Why not the others")).to_contain_text("Left the cellar unlocked")
    page.get_by_role("tab", name="Overview").click()
    page.get_by_role("button", name=f"Withdraw the wish about {name}").click()
    expect(wishes).not_to_contain_text(name)
    page.get_by_role("button", name="Undo").click()
    expect(wishes).to_contain_text(f"Not {name} again")
    page.get_by_role("button", name=f"Withdraw the wish about {name}").click()
    expect(wishes).not_to_contain_text(name)


def test_an_order_gets_further_times_and_a_link_found_by_number(opened: OpenPage, office: httpx.Client) -> None:
    other, order = an_order(office, f"First of two {uuid4().hex[:4]}"), an_order(office, "Second of two")
    page = opened(f"?order={order['id']}")
    page.get_by_role("button", name="Add a time").click()
    page.get_by_label("To", exact=True).fill("07:00")
    expect(page.get_by_text("The end must lie after the beginning")).to_be_visible()
    page.get_by_label("To", exact=True).fill("11:30")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(section(page, "Further times that suit")).to_contain_text("08:00–11:30")

    page.get_by_role("button", name="Link another order").click()
    page.get_by_role("combobox", name="This order").click()
    page.get_by_role("option", name="Begins only after").click()
    pick(page, "Order", str(other["number"]), re.compile(f"#{other['number']} "))
    page.get_by_role("button", name="Link", exact=True).click()
    links = section(page, "Goes together with")
    expect(links).to_contain_text(f"#{other['number']} {other['title']}")
    links.get_by_role("button", name=other["title"]).click()
    expect(section(page, "Goes together with")).to_contain_text("Must be over before")
    page.get_by_role("button", name=f"Unlink #{order['number']}").click()
    expect(section(page, "Goes together with")).to_contain_text("Depends on no other order")


def test_an_order_goes_into_the_pool_and_out_again(opened: OpenPage, office: httpx.Client) -> None:
    order = an_order(office, "Pooled")
    page = opened(f"?order={order['id']}", email=DISPATCHER)
    page.get_by_role("button", name="Put into the open pool").click()
    automation = section(page, "Automation")
    expect(automation).to_contain_text("In the open pool until")
    page.get_by_role("button", name="Take out of the pool").click()
    expect(automation).to_contain_text("Was taken out of the pool")


def test_why_whom_is_told_and_a_visit_is_pinned(opened: OpenPage, office: httpx.Client) -> None:
    order, people = an_order(office, "Explained"), _engineers(office)
    page = opened(f"?order={order['id']}&tab=candidates", email=DISPATCHER)
    page.get_by_test_id("candidate").first.get_by_test_id("assign").click()
    page.get_by_role("tab", name="Overview").click()
    why = section(page, "Why this engineer")
    expect(why).to_contain_text("followed the first suggestion")
    expect(why).to_contain_text("place 1 of")
    chosen = office.get(f"/api/v1/work-orders/{order['id']}").json()["engineer_id"]
    other = next(one for one in people if one["id"] != chosen)
    pick(page, "Why not somebody else?", other["name"], other["name"])
    expect(why).to_contain_text(re.compile(rf"{other['name']}( was in place|:)"))

    page.get_by_role("button", name="Pin the visit").click()
    page.get_by_role("menuitem", name="Pin to engineer and time").click()
    expect(page.get_by_role("button", name="Pinned to engineer and time")).to_be_visible()
    page.get_by_role("button", name="Undo").last.click()
    expect(page.get_by_role("button", name="Pin the visit")).to_be_visible()


def test_what_happens_if_is_told_and_anybody_can_be_asked_about(opened: OpenPage, office: httpx.Client) -> None:
    order, people = an_order(office, "What if"), _engineers(office)
    page = opened(f"?order={order['id']}&tab=candidates", email=DISPATCHER)
    page.get_by_role("button", name="What happens if").first.click()
    expect(page.get_by_test_id("what-if")).to_contain_text("Would begin")
    expect(page.get_by_test_id("what-if")).to_contain_text("driving")
    pick(page, "What about somebody else?", people[-1]["name"], people[-1]["name"])
    expect(page.get_by_text(re.compile(r"^Place \d+ of \d+$"))).to_be_visible()


def test_a_time_is_found_and_who_comes_second_sees_what_is_left(opened: OpenPage, office: httpx.Client) -> None:
    order = an_order(office, "On the phone")
    page = opened(f"?order={order['id']}&tab=candidates", email=DISPATCHER)
    page.get_by_role("button", name="Find a time for the customer").click()
    slots = page.get_by_test_id("slot")
    slots.first.click()
    found = office.post(
        "/api/v1/slots",
        json={"work_order_id": order["id"], "days": 7, "width_minutes": 240, "skills": [], "priority": "normal"},
    ).json()["slots"][0]
    until = (datetime.fromisoformat(found["closes_at"]) + timedelta(hours=9)).isoformat()
    absent = {"engineer_id": found["place"]["engineer_id"], "until_at": until, "why": "ill"}
    office.post("/api/v1/disruptions/absence", json=absent).raise_for_status()
    page.get_by_test_id("take-slot").click()
    expect(page.get_by_text("Somebody was quicker")).to_be_visible()
    slots.first.click()
    page.get_by_test_id("take-slot").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert office.get(f"/api/v1/work-orders/{order['id']}").json()["engineer_id"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_phone_shows_every_part_without_scrolling_sideways(opened: OpenPage, language: str) -> None:
    page = opened("?page=dispatching", PHONE, language=language)
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_count(5)
    for tab in tabs.all():
        tab.tap()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(page.locator("#part [aria-busy=true]")).to_have_count(0)
        width = page.locator("#part").evaluate("part => part.scrollWidth - part.clientWidth")
        assert width == 0, tab.inner_text()
