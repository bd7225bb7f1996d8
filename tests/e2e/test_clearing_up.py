"""What the office clears up, in a real browser: conflicts by keys, stock by the stock desk, photos that never came."""

import hashlib
from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.field import PASSWORD, Phone, act, an_order_for, assign, enrolled
from tests.e2e.test_board import BOARD, DESK, PHONE, browser  # noqa: F401 - one browser for all
from tests.factories.media import File, a_photo
from tests.live import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BOARD.is_file(), reason="the board is not built: npm --prefix web run build"),
    pytest.mark.xdist_group("board"),
]


@pytest.fixture(scope="module")
def anna(office: httpx.Client) -> Phone:
    return enrolled(office, 0)


@pytest.fixture(scope="module")
def hugo(office: httpx.Client) -> Phone:
    return enrolled(office, 1)


@pytest.fixture
def opened(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:  # noqa: F811
    pages: list[Page] = []
    errors: list[str] = []

    def open_page(address: str, who: str = "dispatcher", size: ViewportSize = DESK, language: str = "en") -> Page:
        page = browser.new_context(viewport=size, locale="en-GB").new_page()
        page.add_init_script(f"localStorage.setItem('callout.language', '{language}')")
        page.on("pageerror", lambda problem: errors.append(str(problem)))
        pages.append(page)
        page.goto(f"{live_server.url}/{address}")
        page.locator("input[type=email]").fill(f"{who}@riviera.example")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("button[type=submit]").click()
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert errors == []


def detail_of(office: httpx.Client, order: dict[str, str]) -> dict[str, object]:
    found: dict[str, object] = office.get(f"/api/v1/work-orders/{order['id']}").raise_for_status().json()
    return found


def conflict_about(office: httpx.Client, order: dict[str, str]) -> str:
    listed = office.get("/api/v1/inbox", params={"work_order_id": order["id"]}).raise_for_status().json()["items"]
    (item,) = listed
    return str(item["id"])


def the_same_words(office: httpx.Client, phone: Phone) -> dict[str, str]:
    order = an_order_for(office, phone)
    ours = {"base_rev": 1, "text": "The pump leaks at night. The key is with the caretaker."}
    office.put(f"/api/v1/work-orders/{order['id']}/texts/description", json=ours).raise_for_status()
    theirs = "The pump leaks at night. The key is at the bar opposite."
    phone.record("text.edit", wo=order["id"], field="description", base_rev=1, new=theirs)
    assert phone.push() == [("conflict", "TEXT_OVERLAP")]
    return order


def test_two_texts_stand_side_by_side_one_is_chosen_by_a_key_and_another_key_takes_it_back(
    opened: Callable[..., Page], office: httpx.Client, anna: Phone
) -> None:
    order = the_same_words(office, anna)
    page = opened(f"?page=inbox&item={conflict_about(office, order)}")
    mine, theirs = page.locator("[data-side=mine]"), page.locator("[data-side=theirs]")
    expect(mine).to_contain_text(anna.person["name"])
    expect(mine.locator("mark").filter(has_text="bar opposite")).to_be_visible()
    expect(theirs.locator("mark").filter(has_text="caretaker")).to_be_visible()
    expect(theirs).to_contain_text("stands now")
    expect(theirs).to_contain_text("If chosen: this text stays")
    page.get_by_text("The description before both changed it").click()
    expect(page.get_by_text("The key is at the reception.")).to_be_visible()

    page.keyboard.press("m")
    expect(page.get_by_text("Settled: Take the device's side")).to_be_visible()
    expect(mine).to_contain_text("stands now")
    assert "bar opposite" in str(detail_of(office, order)["description"])
    page.keyboard.press("u")
    expect(page.get_by_text("Open again")).to_be_visible()
    expect(theirs).to_contain_text("stands now")
    assert "caretaker" in str(detail_of(office, order)["description"])

    page.get_by_role("button", name="Open the order").click()
    panel = page.get_by_test_id("order-detail")
    panel.get_by_text("versions").click()
    expect(panel.locator("details mark").filter(has_text="caretaker").first).to_be_visible()


def test_who_cancelled_and_who_completed_is_told_in_words_and_the_money_waits(
    opened: Callable[..., Page], office: httpx.Client, anna: Phone
) -> None:
    order = an_order_for(office, anna)
    anna.steps(order, "accept", "travel", "arrive", "start", "resolve")
    act(office, order, action="cancel", reason="A neighbour has repaired it.")
    assert anna.push()[-1] == ("conflict", "COMPLETED_DISPUTED")
    page = opened(f"?page=inbox&item={conflict_about(office, order)}")
    mine, theirs = page.locator("[data-side=mine]"), page.locator("[data-side=theirs]")
    expect(mine).to_contain_text("Resolved")
    expect(mine).to_contain_text("The pump runs again.")
    expect(theirs).to_contain_text("Cancelled")
    expect(theirs).to_contain_text("A neighbour has repaired it.")
    page.get_by_role("button", name="Open the order").click()
    panel = page.get_by_test_id("order-detail")
    expect(panel).to_contain_text("Can't be invoiced yet: the completion is disputed")


def test_hours_that_were_approved_and_what_another_phone_had_begun_are_told_too(
    opened: Callable[..., Page], office: httpx.Client, anna: Phone, hugo: Phone
) -> None:
    order = an_order_for(office, anna)
    anna.steps(order, "accept", "travel", since=20)
    assign(office, order, hugo)
    assert ("conflict", "TAKEN_BACK") in anna.push()
    page = opened(f"?page=inbox&item={conflict_about(office, order)}", language="zh")
    expect(page.locator("[data-side=mine]")).to_contain_text("当前有效")
    expect(page.locator("[data-side=theirs]")).to_contain_text(f"负责人：{hugo.person['name']}")


def test_the_stock_desk_reaches_its_discrepancies_and_nothing_else_and_resolves_one_with_a_reason(
    opened: Callable[..., Page], office: httpx.Client, anna: Phone
) -> None:
    parts = office.get("/api/v1/parts").raise_for_status().json()["items"]
    part = next(one for one in parts if not one["serial_tracked"])
    anna.record("part.count", id=str(uuid4()), part=part["id"], quantity=17)
    assert anna.push() == [("applied", None)]
    page = opened("", who="warehouse")
    expect(page.get_by_role("tab")).to_have_count(1)
    line = page.locator("[data-item]").filter(has_text="Counted differently").filter(has_text=part["sku"]).first
    line.click()
    chosen = page.locator("[data-discrepancy]")
    expect(chosen).to_contain_text("17")
    page.get_by_role("button", name="Resolve").click()
    expect(chosen).to_contain_text("This is needed")
    page.locator("h2").click()
    page.keyboard.press("a")
    page.keyboard.type("A box had not been booked in.")
    page.keyboard.press("Control+Enter")
    expect(chosen).to_contain_text("A box had not been booked in.")
    expect(line).to_have_count(0)
    page.get_by_text("Settled", exact=True).click()
    expect(page.locator("[data-item]").filter(has_text=part["sku"]).first).to_be_visible()


def test_a_dispatcher_sees_the_discrepancies_and_may_not_resolve_them(opened: Callable[..., Page]) -> None:
    page = opened("?page=inbox&group=stock")
    expect(page.get_by_role("tab", name="Stock")).to_have_attribute("aria-selected", "true")
    page.locator("[data-item]").or_(page.get_by_text("Ledger and shelves agree")).first.wait_for()
    expect(page.get_by_role("button", name="Resolve")).to_have_count(0)


def test_photos_show_their_small_copies_and_the_missing_ones_are_asked_for(
    opened: Callable[..., Page], office: httpx.Client, anna: Phone
) -> None:
    order = an_order_for(office, anna)
    good, broken = a_photo(int(order["number"])), File(b"\xff\xd8\xff\xe0" + uuid4().bytes * 40, "image/jpeg")
    never = hashlib.sha256(uuid4().bytes).hexdigest()
    caption = f"Boiler {uuid4().hex[:6]}"
    for sha256, said in ((good.sha256, "Old seal"), (broken.sha256, "Plate"), (never, caption)):
        anna.record("photo.add", id=str(uuid4()), wo=order["id"], sha256=sha256, caption=said)
    assert anna.push() == [("applied", None)] * 3
    anna.upload(good)
    anna.upload(broken)

    page = opened(f"?order={order['id']}&tab=work", size=PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/photos/" in request.url else None)
    panel = page.get_by_test_id("order-detail")
    expect(panel).to_contain_text("1 of 3 photos has not arrived")
    expect(panel).to_contain_text("1 photo has not arrived")
    expect(panel.locator("[data-photo=derived] img")).to_be_visible()
    expect(panel.locator("[data-photo=undecodable]")).to_contain_text("Can't be shown: the file is damaged")
    expect(panel.locator("[data-photo=pending_blob]")).to_contain_text("Not arrived yet")
    panel.locator("[data-photo=derived]").click()
    expect(page.get_by_role("dialog").locator("img")).to_be_visible()
    assert {url.rpartition("?")[2] for url in asked} == {"v=thumb", "v=view"}
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    page = opened("?page=inbox&group=files")
    page.locator("[data-item]").filter(has_text=caption).click()
    file = page.locator("[data-file]")
    expect(file).to_contain_text(anna.person["name"])
    expect(file).to_contain_text("photos often follow when there is Wi-Fi")
    page.get_by_role("button", name="Open the order").click()
    expect(page.get_by_test_id("order-detail").get_by_role("tab", name="Work")).to_have_attribute(
        "aria-selected", "true"
    )


def test_an_order_is_taken_back_with_a_reason_leaves_the_list_and_is_found_and_brought_back(
    opened: Callable[..., Page], office: httpx.Client, anna: Phone
) -> None:
    title = f"Opened by mistake {uuid4().hex[:6]}"
    order = an_order_for(office, anna, title=title)
    page = opened(f"?order={order['id']}")
    panel = page.get_by_test_id("order-detail")
    row = page.get_by_test_id("order-row").filter(has_text=title)
    expect(row).to_be_visible()
    panel.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Take the order back").click()
    page.get_by_label("Why is the order taken back?").fill("It was meant for another site.")
    page.get_by_role("dialog").get_by_role("button", name="Take the order back").click()
    expect(panel).to_contain_text("It is on no phone and in no other list.")
    expect(row).to_have_count(0)

    page.get_by_role("button", name="Taken back").click()
    expect(row).to_be_visible()
    panel.get_by_role("button", name="Bring the order back").click()
    page.get_by_label("Why is the order brought back?").fill("It was right after all.")
    page.get_by_role("dialog").get_by_role("button", name="Bring the order back").click()
    expect(panel.get_by_role("button", name="More actions")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Taken back").click()
    expect(row).to_be_visible()


def test_the_key_overview_lists_the_keys_of_the_page_one_is_on_first(opened: Callable[..., Page]) -> None:
    page = opened("?page=inbox")
    page.get_by_role("tab", name="Decisions").wait_for()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=3).first).to_have_text("Inbox")
    expect(dialog).to_contain_text("Take the device's side")
    expect(dialog).to_contain_text("Candidates of the order")
