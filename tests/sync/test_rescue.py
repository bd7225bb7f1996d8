"""What can't be pushed any more is handed in, once, and nobody is told anything."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from server.core.errors import NotFound, TooManyRequests
from server.identity import service as identity
from server.identity.domain import RevokeReason
from server.sync import rescue, review
from server.sync.matters import Matter, RescueCode
from server.sync.refusals import WrongDevice
from server.sync.rescue import Bundle, Counts
from server.sync.review_queries import Sought
from server.sync.windows import Window
from tests.factories.sync import enrolled_phone


@pytest.fixture
async def phone(database, engineer):
    return await enrolled_phone(database, engineer)


@pytest.fixture
def hand_in(phone):
    async def act(*mutations, windows=None, **changed):
        bundle = Bundle(phone.actor.device, phone.stream, "pwa/2026.1.1", "locked out", mutations)
        async with phone.database.unit_of_work(phone.actor.org) as uow:
            return await rescue.take_in(uow, windows or {}, replace(bundle, **changed), brought_by=phone.actor.person)

    return act


async def inbox(phone):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return (await review.items(uow, Sought(), cursor=None, limit=200)).items


async def envelopes(phone):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return [row["envelope"] for row in await uow.rows("select envelope from mutation_log order by stream_id, seq")]


async def skus(phone):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return [row["sku"] for row in await uow.rows("select sku from part order by sku")]


async def test_a_bundle_is_kept_word_for_word_without_effect_and_once(phone, hand_in):
    bundle = [phone.note("a"), phone.note("b")]
    assert await hand_in(*bundle) == Counts(2, 0)
    assert await hand_in(*bundle) == Counts(0, 2)
    assert await envelopes(phone) == bundle
    assert await skus(phone) == []
    items = await inbox(phone)
    assert {item.kind for item in items} == {Matter.QUARANTINE}
    assert [item.code for item in items] == [RescueCode.RESCUED] * 2
    assert {(item.person_id, item.device_id) for item in items} == {(phone.actor.person, phone.actor.device)}


async def test_what_was_pushed_before_is_a_duplicate_and_keeps_its_result(phone, hand_in):
    pushed, left = phone.note("a"), phone.note("b")
    await phone.push(pushed)
    assert await hand_in(pushed, left) == Counts(1, 1)
    assert await skus(phone) == ["a"]


async def test_a_rescued_mutation_that_is_pushed_later_is_a_duplicate_without_effect(phone, hand_in):
    """An ancient app hands in its outbox, is updated, and pushes the same once more."""
    mutation = phone.note("a")
    await hand_in(mutation)
    receipt = await phone.push(mutation)
    assert receipt.results[0]["status"] == "duplicate"
    assert receipt.results[0]["first"]["status"] == "quarantined"
    assert await skus(phone) == []
    assert len(await inbox(phone)) == 1


async def test_the_stream_s_own_numbers_stay_free(phone, hand_in):
    """What is rescued has a stream of its own: the device can go on pushing under the one it has."""
    await hand_in(phone.note("rescued", seq=1))
    phone.sent.clear()
    assert [result["status"] for result in (await phone.push(phone.note("pushed"))).results] == ["applied"]
    assert await hand_in(phone.note("more", seq=1)) == Counts(1, 0)


async def test_a_forked_stream_s_new_numbers_do_not_double_anything(phone, hand_in):
    mutation = phone.note("a", prev="0" * 64)
    await hand_in(mutation)
    assert await hand_in(mutation | {"seq": 9, "prev": "1" * 64}) == Counts(0, 1)


async def test_two_things_under_one_id_are_both_kept(phone, hand_in):
    one = phone.note("a")
    other = phone.note("b", id=one["id"])
    assert await hand_in(one, other) == Counts(2, 0)
    assert await hand_in(one, other) == Counts(0, 2)
    assert {envelope["args"]["sku"] for envelope in await envelopes(phone)} == {"a", "b"}


@pytest.mark.parametrize(
    "wreck",
    [
        {"seq": 1},
        {"id": "no id", "name": "part.add"},
        "not even an object",
        None,
        [[]],
        {"id": str(UUID(int=7)), "args": {"text": "a\x00b\ud800", "number": float("nan")}},
        {"deep": json.loads("[" * 80 + "]" * 80)},
        {
            "at": "9999-12-31T23:59:59-14:00",
            "id": str(UUID(int=8)),
            "seq": 2**70,
            "name": "x" * 500,
            "v": 1,
            "args": {},
        },
    ],
    ids=str,
)
async def test_what_can_not_be_read_is_kept_as_text_once_and_holds_nothing_up(phone, hand_in, wreck):
    whole = phone.note("a")
    assert await hand_in(wreck, whole) == Counts(2, 0)
    assert await hand_in(wreck, whole) == Counts(0, 2)
    assert whole in await envelopes(phone)


async def test_time_is_told_as_far_as_it_is_known(phone, hand_in, clock):
    ahead = clock.now() + timedelta(hours=3)
    early = phone.note("a", at=(ahead - timedelta(minutes=30)).isoformat())
    await hand_in(early, phone.note("b", at=(ahead + timedelta(days=9)).isoformat()), device_now=ahead)
    by_age = sorted(await inbox(phone), key=lambda item: item.at_estimated)
    assert by_age[0].at_estimated == clock.now() - timedelta(minutes=30)
    assert by_age[1].at_estimated == clock.now()


async def test_the_code_says_why_it_came_this_way(phone, hand_in, database, company, administrator, clock):
    window = {"pwa": Window("2026.6", None, clock.now())}
    await hand_in(phone.note("old app"), windows=window)
    assert (await inbox(phone))[0].code == RescueCode.UPGRADE_REQUIRED
    async with database.unit_of_work(company.id) as uow:
        await identity.dismiss(uow, administrator, phone.actor.person)
    clock.forward(timedelta(seconds=1))
    await hand_in(phone.note("disabled"))
    assert (await inbox(phone))[0].code == RescueCode.USER_DISABLED
    async with database.unit_of_work(company.id) as uow:
        await identity.revoke_device(uow, administrator, phone.actor.device, RevokeReason.STOLEN)
    clock.forward(timedelta(seconds=1))
    await hand_in(phone.note("revoked"), windows=window)
    assert (await inbox(phone))[0].code == RescueCode.AFTER_REVOCATION


async def test_another_device_s_stream_or_an_unknown_device_is_refused(phone, hand_in, database, company):
    await phone.push(phone.note("a"))
    other = await enrolled_phone(database, company.actor("partner_engineer"))
    with pytest.raises(WrongDevice):
        await hand_in(other.note("b"), device=other.actor.device)
    with pytest.raises(NotFound):
        await hand_in(other.note("b"), device=uuid4())


async def test_a_flood_is_slowed_down_and_keeps_what_came_before(phone, hand_in, clock):
    async def flood():
        for _ in range(20):
            await hand_in(*(phone.note("x") for _ in range(rescue.MAX_MUTATIONS)))

    with pytest.raises(TooManyRequests) as slow:
        await flood()
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        kept = await uow.value("select count(*) from mutation_log")
    assert kept == rescue.RATE.burst
    clock.forward(timedelta(seconds=float(str(slow.value.facts["retry_after_s"]))))
    assert await hand_in(*(phone.note("x") for _ in range(rescue.MAX_MUTATIONS))) == Counts(500, 0)


async def test_what_was_rescued_can_be_replayed(phone, hand_in, dispatcher):
    from server.sync.matters import Verdict

    await hand_in(phone.note("a"))
    (item,) = await inbox(phone)
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        await review.settle(uow, phone.registry, dispatcher, item.id, Verdict.REPLAY)
    assert await skus(phone) == ["a"]
    assert await inbox(phone) == []


async def test_a_body_nobody_can_read_is_kept_once_and_somebody_is_told_once(phone, clock):
    async def refuse(body):
        async with phone.database.unit_of_work(phone.actor.org) as uow:
            return await rescue.keep_refused_push(
                uow, device=phone.actor.device, person=phone.actor.person, body=body, why="mutations.0.at"
            )

    assert [await refuse(b"{broken"), await refuse(b"{broken"), await refuse(b"{other")] == [True] * 3
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        kept = await uow.rows("select body, times from refused_push order by times desc")
        told = await uow.value("select count(*) from event where name = 'device.alert'")
    assert [(bytes(row["body"]), row["times"]) for row in kept] == [(b"{broken", 2), (b"{other", 1)]
    assert told == 1


async def test_a_device_has_room_for_a_few_bodies_only(phone, clock):
    async def refuse(body):
        async with phone.database.unit_of_work(phone.actor.org) as uow:
            return await rescue.keep_refused_push(
                uow, device=phone.actor.device, person=phone.actor.person, body=body, why="no"
            )

    kept = [await refuse(f"{number}".encode()) for number in range(rescue.MOST_REFUSED_BODIES + 2)]
    assert kept == [True] * rescue.MOST_REFUSED_BODIES + [False] * 2
    assert await refuse(b"0")
    clock.forward(timedelta(days=100))
    assert await refuse(b"later")
