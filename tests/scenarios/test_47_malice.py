"""47: Malicious client: foreign ids, forged cookies and devices, replayed tokens, floods, bombs, odd keys, injections.

Images that are bombs are the business of `tests/api/test_blobs.py` and its neighbours.
"""

import gzip
import json
from datetime import timedelta
from uuid import uuid4

import pytest

from server.core.limits import Rate
from server.sync import push
from tests.factories.identity import found_company
from tests.factories.workorders import an_order
from tests.scenarios.handset import PULL, PUSH, outcomes, puts


@pytest.fixture
async def strangers_order(database):
    rival = await found_company(database, "rival")
    async with database.unit_of_work(rival.id) as uow:
        return await an_order(uow, rival.actor("dispatcher"), title="CANARY of another company")


async def test_47_an_order_of_another_company_does_not_exist(handset, strangers_order):
    note = handset.note()
    note["args"]["wo"] = str(strangers_order.id)
    assert outcomes(await handset.push(note)) == [("quarantined", "ENTITY_GONE")]
    assert "CANARY" not in json.dumps(await handset.pull())


async def test_47_an_order_of_a_colleague_is_forbidden_and_kept_for_review(handset, database, company):
    async with database.unit_of_work(company.id) as uow:
        theirs = await an_order(uow, company.actor("dispatcher"), title="CANARY of a colleague")
    forged = handset.record("wo.transition", {"wo": str(theirs.id), "visit": str(uuid4()), "to": "start"})
    assert outcomes(await handset.push(forged)) == [("quarantined", "FORBIDDEN")]
    assert "CANARY" not in json.dumps(await handset.pull())


@pytest.mark.parametrize("cookie", ["1:999999", "999999:1", "0:0", "1:1"])
async def test_47_a_made_up_cookie_opens_nothing(handset, hand_out, strangers_order, cookie):
    colleague = await hand_out("team_lead")
    await colleague.pull()
    lines = await handset.pull(cookie=cookie)
    assert lines[0]["since"] is None
    assert {order["number"] for order in puts(lines, "work_order")} == {
        row["number"] for row in await handset.sql("select number from work_order where id = %(o)s", o=handset.order)
    }


@pytest.mark.parametrize("cookie", ["wo:1", "1", "1:2:3", "-1:1", "1:1' or '1'='1", ["1:1"], {"buckets": {"wo": 0}}])
async def test_47_what_is_no_cookie_is_refused(handset, cookie):
    ask = {"device": handset.device, "stream": handset.stream, "cookie": cookie}
    assert (await handset.client.post(PULL, json=ask, headers=handset.headers)).status_code == 422


async def test_47_another_devices_name_is_refused(handset, hand_out):
    other = await hand_out("team_lead")
    assert (await handset.push(handset.note(), device=other.device)).status_code == 403
    ask = {"device": other.device, "stream": handset.stream}
    assert (await handset.client.post(PULL, json=ask, headers=handset.headers)).status_code == 403
    assert (await handset.push(handset.outbox[0], stream=handset.stream)).status_code == 200
    other.stream = handset.stream
    assert (await other.push(other.note())).json()["code"] == "STREAM_NOT_YOURS"


async def test_47_a_token_of_a_browser_or_of_yesterday_is_worth_nothing(handset, signed_in, services, clock):
    browser = await signed_in("engineer")
    assert (await handset.client.post(PULL, json={}, headers=browser)).status_code == 401
    await handset.pull()
    services.wall_clock.forward(timedelta(hours=1))
    assert (await handset.push(handset.note())).status_code == 401


async def test_47_more_mutations_than_a_batch_may_hold_are_refused_unread(handset):
    flood = await handset.push(*[{"seq": 1}] * 5_000)
    assert flood.status_code == 422
    assert await handset.logged() == []


async def test_47_a_flood_is_told_to_wait_and_nothing_of_it_is_lost(handset, monkeypatch):
    monkeypatch.setattr(push, "_RATE", Rate(times=1, per=timedelta(minutes=1), burst=10))
    notes = [handset.note(f"{number:02}") for number in range(11)]
    assert len(outcomes(await handset.push(*notes[:10]))) == 10
    too_many = await handset.push(notes[10])
    assert too_many.status_code == 429
    assert int(too_many.headers["Retry-After"]) > 0
    # What is known already may be asked for again at any time.
    assert len(outcomes(await handset.push(*notes[:10]))) == 10
    handset.database.clock.forward(timedelta(minutes=2))
    assert outcomes(await handset.push(notes[10])) == [("applied", None)]


async def test_47_a_body_without_end_is_cut_off_before_it_is_read(handset):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 200_000_000:
            sent += 1_000_000
            yield b"[" * 1_000_000

    headers = handset.headers | {"Content-Type": "application/json"}
    answer = await handset.client.post(PUSH, content=endless(), headers=headers)
    assert answer.status_code == 413
    assert sent < 20_000_000


async def test_47_a_compressed_bomb_is_not_opened(handset):
    bomb = gzip.compress(b"[" * 50_000_000)
    headers = handset.headers | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await handset.client.post(PUSH, content=bomb, headers=headers)
    assert answer.status_code in {400, 415, 422}


async def test_47_nesting_without_end_is_refused_and_a_deep_argument_is_quarantined(handset):
    deep = "[" * 100_000 + "]" * 100_000
    headers = handset.headers | {"Content-Type": "application/json"}
    assert (await handset.client.post(PUSH, content=deep, headers=headers)).status_code in {400, 422}
    nested: object = "x"
    for _ in range(60):
        nested = [nested]
    bad = handset.record("note.add", {"id": str(uuid4()), "wo": str(handset.order), "body": nested})
    assert [code for _, code in outcomes(await handset.push(bad, handset.note("after")))] == ["INVALID_ARGUMENTS", None]


NASTY = [
    "'; drop table note; --",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{7*7}} ${7*7} %s %(org)s {0}",
    "\u202e\u2028\u2029 ￿ 𐍈 e\u0301",
    '{"__proto__": {"polluted": true}}',
]


@pytest.mark.parametrize("body", NASTY)
async def test_47_what_a_note_says_is_stored_and_sent_verbatim(handset, body):
    assert outcomes(await handset.push(handset.note(body))) == [("applied", None)]
    assert await handset.bodies() == [body]
    assert [note["body"] for note in puts(await handset.pull(), "note")] == [body]


async def test_47_odd_keys_are_refused_arguments_and_change_no_object(handset):
    args = {"id": str(uuid4()), "wo": str(handset.order), "body": "x", "__proto__": {"a": 1}, "constructor": {}}
    assert outcomes(await handset.push(handset.record("note.add", args))) == [("quarantined", "INVALID_ARGUMENTS")]
    kept = (await handset.logged())[0]
    assert kept["envelope"]["args"] == args
