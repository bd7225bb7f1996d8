"""Work orders over HTTP."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from server.inventory import service as inventory
from server.inventory.domain import LocationKind, Reason
from server.workorders.domain import Action, State
from tests.factories.customers import a_site, an_asset
from tests.factories.inventory import a_part, a_warehouse, goods_in
from tests.factories.workforce import an_engineer, another_engineer
from tests.factories.workorders import a_procedure, a_visit, an_order, from_phone

URL = "/api/v1/work-orders"


@pytest.fixture
async def dispatch(signed_in):
    return await signed_in("dispatcher")


@pytest.fixture
async def world(database, company, dispatcher, engineer):
    """A site with a machine, an engineer who knows ovens, a procedure."""
    async with database.unit_of_work(company.id) as uow:
        await an_engineer(uow, engineer, ovens=3)
        site = await a_site(uow)
        asset = await an_asset(uow, site)
        await a_procedure(uow)
    return site, asset


@pytest.fixture
async def order(database, company, dispatcher, engineer, world):
    """An order that was sent to the engineer."""
    async with database.unit_of_work(company.id) as uow:
        made = await an_order(uow, dispatcher, site=world[0], procedure_key="oven-service")
        await a_visit(uow, dispatcher, engineer, made)
    return made


def a_body(site, **more):
    return {"site_id": str(site.id), "title": "Oven", "problem_type": "no_heat", "description": "Cold", **more}


async def test_an_order_is_opened_found_and_shown_whole(client, dispatch, world):
    site, asset = world
    body = a_body(
        site,
        asset_id=str(asset.id),
        priority="urgent",
        skills=[{"key": "ovens", "level": 2}],
        procedure_key="oven-service",
        window_start="2026-11-23T09:00:00+01:00",
        window_end="2026-11-23T12:00:00+01:00",
    )
    made = await client.post(URL, json=body, headers=dispatch)
    assert made.status_code == 201
    order = made.json()
    assert (order["state"], order["number"], order["respond_by"]) == ("new", 1, "2026-11-23T09:30:00Z")
    assert (order["site_name"], order["engineer_id"]) == ("Kitchen", None)
    detail = (await client.get(f"{URL}/{order['id']}", headers=dispatch)).json()
    assert order.items() <= detail.items()
    assert detail["asset"]["serial"] == "OV-1001"
    assert detail["skills"] == [{"key": "ovens", "level": 2}]
    assert [item["label"]["en"] for item in detail["checklist"]] == ["Isolated?", "Heat"]
    assert detail["allowed_actions"] == ["triage", "schedule", "suspend", "cancel"]
    listed = (await client.get(URL, params={"q": "1", "open": True}, headers=dispatch)).json()
    assert [it["id"] for it in listed["items"]] == [order["id"]]


async def test_a_repeated_creation_with_its_key_opens_one_order(client, dispatch, world):
    headers = {**dispatch, "Idempotency-Key": "phone-call-17"}
    first = await client.post(URL, json=a_body(world[0]), headers=headers)
    again = await client.post(URL, json=a_body(world[0]), headers=headers)
    other = await client.post(URL, json=a_body(world[0], title="Fridge"), headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.key_reused")
    assert len((await client.get(URL, headers=dispatch)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"site_id": str(uuid4())}, 404),
        ({"asset_id": str(uuid4())}, 404),
        ({"procedure_key": "nothing"}, 422),
        ({"skills": [{"key": "flying", "level": 1}]}, 422),
        ({"skills": [{"key": "ovens", "level": 6}]}, 422),
        ({"preferred_engineer_id": str(uuid4())}, 422),
        ({"title": " "}, 422),
        ({"title": "a\x00b"}, 422),
        ({"priority": "whenever"}, 422),
        ({"duration_minutes": 0}, 422),
        ({"colour": "red"}, 422),
        ({"window_start": "2026-11-23T09:00:00Z", "window_end": "2026-11-23T09:00:00Z"}, 422),
        ({"window_start": "2026-11-23T09:00:00"}, 422),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused_with_a_sentence(client, dispatch, world, change, status):
    answer = await client.post(URL, json=a_body(world[0], **change), headers=dispatch)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_a_partner_engineer_and_a_clerk_open_no_orders(client, signed_in, world):
    for role in ("partner_engineer", "warehouse_clerk", "auditor"):
        answer = await client.post(URL, json=a_body(world[0]), headers=await signed_in(role))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_an_engineer_opens_no_order_at_a_site_they_do_not_see(client, signed_in, world):
    answer = await client.post(URL, json=a_body(world[0]), headers=await signed_in("engineer"))
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["", "/timeline"])
async def test_what_one_may_not_see_looks_like_what_is_not_there(client, signed_in, order, path):
    stranger = await signed_in("partner_engineer")
    hidden = await client.get(f"{URL}/{order.id}{path}", headers=stranger)
    missing = await client.get(f"{URL}/{uuid4()}{path}", headers=stranger)
    assert hidden.status_code == missing.status_code == 404
    plain = [{**answer.json(), "trace_id": ""} for answer in (hidden, missing)]
    assert plain[0] == plain[1]
    for url, body in (
        (f"{URL}/{order.id}/actions", {"action": "cancel", "reason": "x"}),
        (f"{URL}/{order.id}/notes", {"body": "x"}),
    ):
        assert (await client.post(url, json=body, headers=stranger)).status_code == 404


async def test_another_organisation_sees_nothing(client, services, database, order):
    from tests.factories.identity import found_company, token_for

    rival = await found_company(database, "rival", roles=("administrator",))
    headers = {"Authorization": f"Bearer {await token_for(services, rival, 'administrator')}"}
    assert (await client.get(f"{URL}/{order.id}", headers=headers)).status_code == 404
    assert (await client.get(URL, headers=headers)).json()["items"] == []


async def test_an_engineer_lists_their_own_orders(client, signed_in, order, dispatch, world):
    await client.post(URL, json=a_body(world[0]), headers=dispatch)
    mine = (await client.get(URL, headers=await signed_in("engineer"))).json()["items"]
    assert [it["id"] for it in mine] == [str(order.id)]
    assert (await client.get(URL, headers=await signed_in("partner_engineer"))).json()["items"] == []


async def test_the_office_acts_by_the_table(client, dispatch, order):
    url = f"{URL}/{order.id}/actions"
    lacking = await client.post(url, json={"action": "cancel"}, headers=dispatch)
    assert (lacking.status_code, lacking.json()["facts"]["missing"]) == (422, "reason")
    illegal = await client.post(url, json={"action": "resolve"}, headers=dispatch)
    assert (illegal.status_code, illegal.json()["code"]) == (403, "forbidden")
    stale = await client.post(url, json={"action": "cancel", "reason": "x", "expected_version": 1}, headers=dispatch)
    assert (stale.status_code, stale.json()["code"]) == (409, "work_order.changed_meanwhile")
    done = await client.post(
        url, json={"action": "unschedule", "reason": "Rain", "note": "Call first"}, headers=dispatch
    )
    assert (done.status_code, done.json()["state"], done.json()["visit_state"]) == (200, "triaged", "cancelled")
    again = await client.post(url, json={"action": "unschedule", "reason": "Rain"}, headers=dispatch)
    assert (again.status_code, again.json()["code"]) == (409, "work_order.illegal_transition")
    assert "triaged" in again.json()["detail"]
    detail = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()
    assert [note["body"] for note in detail["notes"]] == ["Call first"]


async def test_a_visit_of_another_order_is_not_there(client, dispatch, order):
    body = {"action": "unschedule", "reason": "x", "visit_id": str(uuid4())}
    assert (await client.post(f"{URL}/{order.id}/actions", json=body, headers=dispatch)).status_code == 404


async def test_the_timeline_tells_when_where_and_why(client, database, company, engineer, dispatch, order, clock):
    clock.forward(timedelta(minutes=1))
    async with database.unit_of_work(company.id) as uow:
        visit = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()["visit_id"]
        await from_phone(uow, engineer, "wo.transition", {"wo": order.id, "visit": visit, "to": "accept"})
    items = (await client.get(f"{URL}/{order.id}/timeline", headers=dispatch)).json()["items"]
    assert [it["action"] for it in items] == ["open", "schedule", "dispatch", "accept"]
    assert (items[0]["from_state"], items[0]["to_state"], items[0]["actor_name"]) == (None, "new", "Dispatcher")
    assert items[-1]["place"] == {"lon": 7.42, "lat": 43.73}
    assert items[-1]["at_device"]


async def test_notes_are_added_once_per_key(client, dispatch, order):
    url, headers = f"{URL}/{order.id}/notes", {**dispatch, "Idempotency-Key": "n1"}
    first = await client.post(url, json={"body": "Key at the desk"}, headers=headers)
    again = await client.post(url, json={"body": "Key at the desk"}, headers=headers)
    assert first.status_code == 201
    assert first.json() == again.json()
    notes = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()["notes"]
    assert [(it["id"], it["body"], it["author_name"]) for it in notes] == [
        (first.json()["id"], "Key at the desk", "Dispatcher")
    ]
    assert (await client.post(url, json={"body": ""}, headers=dispatch)).status_code == 422


async def test_an_action_whose_answer_was_lost_is_answered_again_and_not_refused(client, dispatch, order):
    url, headers = f"{URL}/{order.id}/actions", {**dispatch, "Idempotency-Key": "a1"}
    cancel = {"action": "cancel", "reason": "Called off"}
    first, again = [await client.post(url, json=cancel, headers=headers) for _ in range(2)]
    assert (first.status_code, first.json()["state"]) == (200, "cancelled")
    assert again.json() == first.json()
    assert (await client.post(url, json=cancel, headers=dispatch)).status_code == 409
    items = (await client.get(f"{URL}/{order.id}/timeline", headers=dispatch)).json()["items"]
    assert [it["action"] for it in items].count("cancel") == 1


async def test_a_checklist_shows_what_was_answered_and_what_is_off(
    client, database, company, engineer, dispatch, order
):
    items = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()["checklist"]
    heat = items[1]["id"]
    async with database.unit_of_work(company.id) as uow:
        for value in (200, 20):
            answer = {"id": uow.new_id(), "wo": order.id, "item": heat, "value": value}
            await from_phone(uow, engineer, "answer.set", answer)
    line = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()["checklist"][1]
    assert (line["answer"]["value"], line["out_of_limits"]) == (20, True)
    assert [it["value"] for it in line["earlier"]] == [200]


async def test_pages_of_orders_neither_skip_nor_repeat_while_orders_come_in(client, dispatch, world, clock):
    for number in range(5):
        await client.post(URL, json=a_body(world[0], title=f"Order {number}"), headers=dispatch)
        clock.forward(timedelta(seconds=1))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (
            await client.get(URL, params={"limit": 2} | ({"cursor": cursor} if cursor else {}), headers=dispatch)
        ).json()
        seen += [it["title"] for it in page["items"]]
        await client.post(URL, json=a_body(world[0], title="Newcomer"), headers=dispatch)
        clock.forward(timedelta(seconds=1))
        cursor = page["next_cursor"]
    assert seen == [f"Order {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"cursor": "nonsense"}, 400),
        ({"cursor": "WyJ4Il0"}, 400),
        ({"limit": 0}, 422),
        ({"limit": 1000}, 422),
        ({"state": "lost"}, 422),
        ({"engineer_id": "me"}, 422),
        ({"q": "a\x00"}, 422),
    ],
)
async def test_a_list_refuses_what_it_cannot_read(client, dispatch, query, status):
    assert (await client.get(URL, params=query, headers=dispatch)).status_code == status


async def test_parts_signature_and_reports_of_a_fresh_order_are_none(client, dispatch, order):
    detail = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()
    assert (detail["parts"], detail["signature"], detail["reports"]) == ([], None, [])


async def test_a_used_part_is_shown_with_the_order(client, database, company, dispatcher, engineer, dispatch, order):
    async with database.unit_of_work(company.id) as uow:
        source, used = await a_warehouse(uow), await a_part(uow)
        await goods_in(uow, dispatcher, used, source, 3)
        consumed = (await inventory.ensure_virtual_locations(uow))[LocationKind.CONSUMED]
        await inventory.move(
            uow,
            engineer,
            id=uow.new_id(),
            part=used.id,
            source=source.id,
            target=consumed.id,
            quantity=Decimal(2),
            reason=Reason.USED,
            work_order_id=order.id,
        )
    detail = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()
    assert [(it["sku"], it["quantity"]) for it in detail["parts"]] == [(used.sku, 2)]


async def test_several_states_are_asked_for_at_once(client, dispatch, order, world):
    await client.post(URL, json=a_body(world[0]), headers=dispatch)
    found = (await client.get(URL, params={"state": ["new", "dispatched"]}, headers=dispatch)).json()["items"]
    assert {it["state"] for it in found} == {"new", "dispatched"}


async def test_the_table_of_states_is_served_as_it_is_obeyed(client, dispatch):
    table = (await client.get("/api/v1/work-order-states", headers=dispatch)).json()
    assert {row["action"] for row in table["transitions"]} == set(Action)
    assert {row["state"] for row in table["states"]} == set(State)
    hold = next(row for row in table["transitions"] if row["action"] == "hold")
    assert (hold["by"], hold["requires"]) == ("visits.perform", ["visit", "hold_reason", "note"])


async def test_procedures_come_with_their_items(client, dispatch, world):
    items = (await client.get("/api/v1/procedures", headers=dispatch)).json()["items"]
    assert [(it["key"], len(it["items"])) for it in items] == [("oven-service", 2)]


async def test_evidence_of_an_engineer_the_order_was_taken_from_is_shown(
    client, database, company, dispatcher, engineer, dispatch, order, clock
):
    async with database.unit_of_work(company.id) as uow:
        await a_visit(uow, dispatcher, await another_engineer(uow, company.id), order)
        clock.forward(timedelta(minutes=1))
        await from_phone(uow, engineer, "note.add", {"id": uow.new_id(), "wo": order.id, "body": "Was there"})
    entry = (await client.get(f"{URL}/{order.id}/timeline", headers=dispatch)).json()["items"][-1]
    assert entry["facts"]["late_after_reassign"] is True


async def test_fields_are_amended_as_they_were_seen(client, dispatch, order):
    body = {"expected_version": order.version, "title": "Grill stays cold", "window_start": None}
    stale = await client.patch(f"{URL}/{order.id}", json=body | {"expected_version": 1}, headers=dispatch)
    assert (stale.status_code, stale.json()["code"]) == (409, "work_order.changed_meanwhile")
    seen = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()
    amended = await client.patch(
        f"{URL}/{order.id}", json=body | {"expected_version": seen["version"]}, headers=dispatch
    )
    assert (amended.status_code, amended.json()["title"]) == (200, "Grill stays cold")
    entries = (await client.get(f"{URL}/{order.id}/timeline", headers=dispatch)).json()["items"]
    # The clock stands still: entries of one moment have no order.
    assert [it["facts"]["was"] for it in entries if it["action"] == "amend"] == [{"title": seen["title"]}]


async def test_two_people_in_the_office_edit_one_text_and_every_version_is_listed(client, dispatch, order):
    text = f"{URL}/{order.id}/texts/description"
    first = (await client.get(f"{text}/revisions", headers=dispatch)).json()["items"]
    assert [(it["rev"], it["origin"], it["body"]) for it in first] == [(1, "first", "Since this morning.")]
    for said, clash in (("Since early this morning.", False), ("Since this evening.", False)):
        body = {"base_rev": 1, "text": said}
        answer = (await client.put(text, json=body, headers=dispatch)).json()
        assert answer["clash"] is clash
    assert answer["text"] == "Since early this evening."
    overlap = await client.put(text, json={"base_rev": 1, "text": "Since this noon."}, headers=dispatch)
    assert (overlap.json()["clash"], overlap.json()["text"]) == (True, "Since early this evening.")
    listed = (await client.get(f"{text}/revisions", headers=dispatch)).json()["items"]
    assert [it["body"] for it in listed] == [
        "Since this morning.",
        "Since early this morning.",
        "Since this evening.",
        "Since early this evening.",
        "Since this noon.",
    ]


async def test_hours_are_approved_once_and_only_where_they_belong(
    client, database, company, engineer, dispatch, order, clock
):
    entry = uuid4()
    async with database.unit_of_work(company.id) as uow:
        start = clock.now() - timedelta(hours=1)
        hours = {"id": entry, "wo": order.id, "kind": "work", "started_at": start, "ended_at": clock.now()}
        await from_phone(uow, engineer, "time.add", hours)
    path = f"{URL}/{order.id}/time-entries"
    assert (await client.post(f"{path}/{uuid4()}/approval", headers=dispatch)).status_code == 404
    for _ in range(2):
        assert (await client.post(f"{path}/{entry}/approval", headers=dispatch)).status_code == 204
    detail = (await client.get(f"{URL}/{order.id}", headers=dispatch)).json()
    assert [it["approved_at"] is not None for it in detail["time_entries"]] == [True]
    history = (await client.get(f"{URL}/{order.id}/timeline", headers=dispatch)).json()["items"]
    assert [it["action"] for it in history].count("time_approve") == 1
