"""Push and pull as a phone speaks them."""

import gzip
import json
from uuid import uuid4

import pytest
import zstandard

from server.inventory import service as inventory


@pytest.fixture
async def phone(client, signed_in, company):
    """Ids and headers of an enrolled device."""
    who = company.actor("engineer").person
    office = await signed_in("administrator")
    code = (await client.post(f"/api/v1/people/{who}/enrolment-codes", headers=office)).json()["code"]
    body = {"code": code, "name": "Phone", "platform": "test", "app_version": "1"}
    enrolled = (await client.post("/mobile/v1/sync/devices", json=body)).json()
    return enrolled["device_id"], {"Authorization": f"Bearer {enrolled['access_token']}"}


def a_batch(device, /, *mutations, **changed):
    clock = {"now": "2026-11-23T07:30:00Z", "mono": 1.0, "boot": "b"}
    batch = {"protocol": 1, "device": device, "stream": str(uuid4()), "clock": clock, "mutations": list(mutations)}
    return batch | changed


def a_mutation(seq, **changed):
    args = {"id": str(uuid4()), "wo": str(uuid4()), "body": "hello"}
    at = "2026-11-23T07:29:00Z"
    return {"seq": seq, "id": str(uuid4()), "name": "note.add", "v": 1, "args": args, "at": at} | changed


async def push(client, phone, *mutations, **changed):
    device, headers = phone
    content = json.dumps(a_batch(device, *mutations, **changed))
    return await client.post(
        "/mobile/v1/sync/push", content=content, headers=headers | {"Content-Type": "application/json"}
    )


async def test_a_hostile_mutation_is_quarantined_and_the_one_behind_it_is_heard(client, phone):
    hostile = a_mutation(1, args={"body": "a\x00b", "deep": json.loads("[" * 60 + "]" * 60)})
    answer = await push(client, phone, hostile, a_mutation(2))
    assert answer.status_code == 200
    codes = [result["code"] for result in answer.json()["results"]]
    assert codes[0] == "INVALID_ARGUMENTS"
    assert codes[1] != "INVALID_ARGUMENTS"


@pytest.mark.parametrize("changed", [{"device": "x"}, {"clock": None}, {"stream": "\x00"}, {"mutations": "none"}])
async def test_a_malformed_batch_is_refused_with_a_sentence(client, phone, changed):
    answer = await push(client, phone, **changed)
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_too_many_mutations_at_once_are_refused_and_none_is_applied(client, phone, database, company):
    answer = await push(client, phone, *(a_mutation(seq) for seq in range(1, 102)))
    assert answer.status_code == 422
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select count(*) from mutation_log") == 0


async def test_an_unknown_protocol_asks_for_an_update(client, phone):
    answer = await push(client, phone, protocol=9)
    assert (answer.status_code, answer.json()["code"]) == (426, "UPGRADE_REQUIRED")


async def test_another_devices_name_in_the_body_opens_nothing(client, phone):
    _, headers = phone
    body = {"device": str(uuid4()), "stream": str(uuid4()), "cookie": None}
    answer = await client.post("/mobile/v1/sync/pull", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "STREAM_NOT_YOURS")
    assert (await push(client, phone, a_mutation(1), device=str(uuid4()))).json()["code"] == "STREAM_NOT_YOURS"


@pytest.mark.parametrize(
    ("accepted", "unpack"),
    [("gzip", gzip.decompress), ("zstd", lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body))],
)
async def test_a_patch_travels_compressed_as_the_phone_asks(client, phone, database, company, accepted, unpack):
    device, headers = phone
    async with database.unit_of_work(company.id) as uow:
        for number in range(20):
            await inventory.add_part(
                uow,
                sku=f"P-{number}",
                name={"en": "Part", "zh": "备件"},
                unit="pcs",
                serial_tracked=False,
                price_minor=100,
                currency="EUR",
            )
    body = {"device": device, "stream": str(uuid4()), "cookie": None}
    async with client.stream(
        "POST", "/mobile/v1/sync/pull", json=body, headers=headers | {"Accept-Encoding": accepted}
    ) as answer:
        packed = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == accepted
    lines = [json.loads(line) for line in unpack(packed).splitlines()]
    assert lines[0]["k"] == "head"
    assert lines[-1]["k"] == "tail"
