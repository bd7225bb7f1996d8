"""Ordered, named, idempotent: what a phone sends is applied once and answered for ever the same."""

import asyncio
import hashlib
import json
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from server.core.errors import Kind, Problem
from server.sync import push
from server.sync.domain import APPLIED
from server.sync.envelope import canonical
from server.sync.errors import EpochChanged, MalformedMutation, SeqGap, StreamForked, StreamNotYours
from server.sync.registry import Nature
from tests.factories.sync import PartArgs, Phone, add_part, enrolled_phone


@pytest.fixture
async def phone(database, engineer):
    return await enrolled_phone(database, engineer)


async def skus(phone):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return [row["sku"] for row in await uow.rows("select sku from part order by sku")]


async def version(phone):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return await uow.value("select version from sync_bucket where key = 'catalog:parts'")


class PartGone(Problem):
    code = "part.gone"
    kind = Kind.GONE
    sentence = "This part is gone."


async def rename_part(uow, _actor, _mutation, args):
    if not await uow.run("update part set sku = %(sku)s where id = %(id)s", sku=args.sku, id=args.id):
        raise PartGone
    return APPLIED


def statuses(receipt):
    return [result["status"] for result in receipt.results]


async def test_a_lost_reply_then_the_same_batch_answers_the_stored_results_and_moves_nothing(phone):
    batch = [phone.note("a"), phone.note("b")]
    first = await phone.push(*batch)
    before = await version(phone)
    again = await phone.push(*batch)
    assert again.results == first.results
    assert statuses(first) == ["applied", "applied"]
    assert await skus(phone) == ["a", "b"]
    assert await version(phone) == before


async def test_the_same_batch_on_two_connections_at_once_is_applied_once(phone):
    batch = [phone.note("slow"), phone.note("b")]
    one, two = await asyncio.gather(phone.push(*batch), phone.push(*batch))
    assert one.results == two.results
    assert await skus(phone) == ["b", "slow"]


async def test_an_overlapping_batch_replays_the_known_and_applies_the_new(phone):
    first = [phone.note(f"p{number}") for number in range(4)]
    await phone.push(*first)
    receipt = await phone.push(*first[2:], phone.note("p4"), phone.note("p5"))
    assert receipt.last_seq == 6
    assert await skus(phone) == [f"p{number}" for number in range(6)]


async def test_a_gap_is_refused_whole_and_names_what_was_expected(phone):
    await phone.push(phone.note("a"))
    phone.note("lost")
    with pytest.raises(SeqGap) as gap:
        await phone.push(phone.note("c"))
    assert gap.value.facts == {"expected": 2}
    assert await skus(phone) == ["a"]


async def test_a_batch_that_jumps_inside_is_a_gap_too(phone):
    first, _, third = phone.note("a"), phone.note("b"), phone.note("c")
    with pytest.raises(SeqGap):
        await phone.push(first, third)
    assert await skus(phone) == []


async def test_another_payload_under_a_used_number_is_a_fork(phone):
    await phone.push(phone.note("a"))
    other = phone.note("b", seq=1)
    with pytest.raises(StreamForked):
        await phone.push(other)
    assert await skus(phone) == ["a"]


async def test_a_broken_chain_of_hashes_is_a_fork(phone):
    first = phone.note("a")
    await phone.push(first)
    right = hashlib.sha256(canonical(first)).hexdigest()
    with pytest.raises(StreamForked):
        await phone.push(phone.note("b", prev="0" * 64))
    phone.sent.pop()
    assert statuses(await phone.push(phone.note("b", prev=right))) == ["applied"]


async def test_the_same_mutation_under_another_stream_is_a_duplicate_without_effect(phone):
    mutation = phone.note("a")
    await phone.push(mutation)
    phone.stream, phone.sent = uuid4(), []
    moved = phone.note("a", id=mutation["id"], args=mutation["args"])
    receipt = await phone.push(moved, phone.note("b"))
    assert statuses(receipt) == ["duplicate", "applied"]
    assert receipt.results[0]["first"]["status"] == "applied"
    assert statuses(await phone.push(moved)) == ["duplicate"]
    assert await skus(phone) == ["a", "b"]


async def test_a_poison_mutation_is_quarantined_verbatim_and_the_queue_goes_on(phone):
    batch = [phone.note("a"), phone.note("poison"), phone.note("c")]
    receipt = await phone.push(*batch)
    assert statuses(receipt) == ["applied", "quarantined", "applied"]
    assert receipt.results[1]["code"] == "SERVER_ERROR"
    assert await skus(phone) == ["a", "c"]
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        kept = await uow.value("select envelope from mutation_log where status = 'quarantined'")
    assert kept == batch[1]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": "part.fly"}, "UNKNOWN_MUTATION"),
        ({"v": 7}, "UNKNOWN_MUTATION"),
        ({"args": {}}, "INVALID_ARGUMENTS"),
        ({"args": {"id": "x", "sku": 5}}, "INVALID_ARGUMENTS"),
    ],
)
async def test_what_can_not_be_understood_is_quarantined_with_its_reason(phone, changed, code):
    receipt = await phone.push(phone.note("a", **changed), phone.note("b"))
    assert statuses(receipt) == ["quarantined", "applied"]
    assert receipt.results[0]["code"] == code


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b",
        "\ud800",
        float("nan"),
        2**70,
        {"a": {"b": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}},
    ],
)
async def test_what_no_column_could_hold_is_kept_as_text_and_holds_nothing_up(phone, text):
    hostile = phone.note("x", args={"id": str(uuid4()), "sku": text})
    batch = [phone.note("a", seq=1), hostile | {"seq": 2}, phone.note("c", seq=3)]
    receipt = await phone.push(*batch)
    assert statuses(receipt) == ["applied", "quarantined", "applied"]
    assert receipt.results[1]["code"] == "INVALID_ARGUMENTS"
    assert (await phone.push(*batch)).results == receipt.results
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        kept = await uow.value("select envelope from mutation_log where status = 'quarantined'")
    assert json.dumps(json.loads(kept["json"])) == json.dumps(batch[1])


async def test_a_refusal_of_the_domain_is_quarantined_with_its_code(phone):
    receipt = await phone.push(phone.note("dear"))
    assert (receipt.results[0]["status"], receipt.results[0]["code"]) == ("quarantined", "part.too_dear")


async def test_a_disagreement_is_kept_for_a_person_with_both_sides(phone):
    receipt = await phone.push(phone.note("disputed"))
    assert receipt.results[0]["status"] == "conflict"
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        row = await uow.row("select id, code, mine, theirs from conflict")
    assert row == {
        "id": row["id"],
        "code": "DISPUTED",
        "mine": {"sku": "a"},
        "theirs": {"sku": "b"},
    }
    assert receipt.results[0]["conflict"] == str(row["id"])


async def test_a_malformed_envelope_is_refused_with_its_place(phone):
    with pytest.raises(MalformedMutation) as wrong:
        await phone.push(phone.note("a"), phone.note("b", at="yesterday"))
    assert wrong.value.facts["index"] == 1


async def test_a_server_that_was_restored_says_so(phone):
    await phone.push(phone.note("a"))
    with pytest.raises(EpochChanged) as changed:
        await phone.push(phone.note("b"), acked=9)
    assert changed.value.facts["last_seq"] == 1


async def test_a_stream_belongs_to_its_device_and_person(phone, database, company):
    await phone.push(phone.note("a"))
    other = await enrolled_phone(database, company.actor("partner_engineer"))
    other.stream = phone.stream
    with pytest.raises(StreamNotYours):
        await other.push(other.note("b"))
    forged = replace(phone.actor, device=other.actor.device)
    stranger = replace(phone, actor=forged, stream=uuid4(), sent=[])
    batch = replace(stranger.batch(stranger.note("c")), device=phone.actor.device)
    from server.sync.push import push

    with pytest.raises(StreamNotYours):
        await push(database, phone.registry, forged, batch)


async def test_a_deadlock_is_retried_and_the_phone_sees_only_success(phone, monkeypatch):
    from server.sync import queries

    calls = 0
    plain = queries.advance_stream

    async def deadlocks_twice(uow, stream, last_seq, **contact):
        nonlocal calls
        calls += 1
        if calls < 3:
            raise psycopg.errors.DeadlockDetected
        await plain(uow, stream, last_seq, **contact)

    monkeypatch.setattr(queries, "advance_stream", deadlocks_twice)
    assert statuses(await phone.push(phone.note("a"))) == ["applied"]
    assert calls == 3
    assert await skus(phone) == ["a"]


async def test_an_old_version_is_lifted_to_the_one_the_server_reads(phone):
    phone.registry.mutator("part.add", PartArgs, add_part, nature=Nature.EVIDENCE, v=3)
    phone.registry.upcaster("part.add", 1, lambda args: {**args, "sku": args["sku"] + "2"})
    phone.registry.upcaster("part.add", 2, lambda args: {"id": args["id"], "sku": args["sku"] + "3"})
    assert statuses(await phone.push(phone.note("a"), phone.note("b", v=3))) == ["applied", "applied"]
    assert await skus(phone) == ["a23", "b"]


async def test_arguments_an_old_version_never_had_are_quarantined(phone):
    phone.registry.upcaster("part.add", 1, lambda args: {"sku": args["missing"]})
    receipt = await phone.push(phone.note("a"))
    assert receipt.results[0]["code"] == "INVALID_ARGUMENTS"


async def test_the_same_mutation_twice_in_one_batch_has_one_effect(phone):
    first = phone.note("a")
    again = phone.note("a", id=first["id"])
    receipt = await phone.push(first, again)
    assert statuses(receipt) == ["applied", "duplicate"]
    assert await skus(phone) == ["a"]


async def test_what_depends_on_a_quarantined_mutation_says_so(phone):
    phone.registry.mutator("part.rename", PartArgs, rename_part, nature=Nature.EVIDENCE, needs="id")
    made = phone.note("dear")
    renamed = phone.note("b", name="part.rename", args=made["args"] | {"sku": "b"})
    stranger = phone.note("c", name="part.rename")
    receipt = await phone.push(made, renamed, stranger)
    assert [result.get("code") for result in receipt.results] == ["part.too_dear", "DEPENDS_ON", "part.gone"]


async def test_a_slow_batch_is_committed_in_pieces_and_answered_whole(phone, monkeypatch):
    monkeypatch.setattr(push, "_TRANSACTION_SECONDS", 0)
    monkeypatch.setattr(push, "_GROUP", 2)
    receipt = await phone.push(*[phone.note(str(n)) for n in range(7)])
    assert statuses(receipt) == ["applied"] * 7
    assert receipt.last_seq == 7
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        assert await uow.value("select count(distinct xmin::text) from mutation_log") == 4


async def test_one_that_fails_undoes_nothing_of_its_neighbours(phone):
    batch = [phone.note("a"), phone.note("dear"), phone.note("b"), phone.note("poison"), phone.note("c")]
    assert statuses(await phone.push(*batch)) == ["applied", "quarantined", "applied", "quarantined", "applied"]
    assert await skus(phone) == ["a", "b", "c"]


async def test_the_same_mutation_through_two_streams_at_once_has_one_effect(phone, database, engineer):
    mutation = phone.note("slow")
    other = Phone(database, phone.registry, phone.actor)
    both = await asyncio.gather(phone.push(mutation), other.push(mutation))
    assert sorted(statuses(receipt)[0] for receipt in both) == ["applied", "duplicate"]
    assert await skus(phone) == ["slow"]
