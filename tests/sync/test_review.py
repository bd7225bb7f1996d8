"""People settle what machines can't: once, by one of them, undoably, with the mutation kept as it came."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from server.core.errors import NotFound
from server.identity.access import require
from server.identity.domain import Permission
from server.sync import review
from server.sync.domain import Side
from server.sync.matters import ItemState, Matter, Verdict
from server.sync.refusals import (
    AlreadySettled,
    CannotStand,
    DoesNotFit,
    NoteMissing,
    NotSettled,
    OfficeOnly,
    ReplayStands,
)
from server.sync.review_queries import Sought
from tests.factories.sync import catalogue_registry, enrolled_phone

OWN = frozenset({"core"})


@pytest.fixture
def registry():
    return catalogue_registry()


@pytest.fixture
async def phone(database, engineer, registry):
    return await enrolled_phone(database, engineer, registry)


@pytest.fixture
def stood(registry):
    """The sides that were made to stand, in order."""
    sides = []

    async def stand(_uow, actor, dispute, side):
        sides.append((side, dispute.mine, dispute.theirs, actor.name))

    registry.settlement("DISPUTED", stand)
    return sides


@pytest.fixture
def decide(phone, dispatcher):
    async def act(item_id, verdict, note=None, *, by=dispatcher):
        async with phone.database.unit_of_work(phone.actor.org) as uow:
            return await review.settle(uow, phone.registry, by, item_id, verdict, note)

    return act


async def inbox(phone, **sought):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return (await review.items(uow, Sought(**sought), cursor=None, limit=100)).items


async def case(phone, item_id):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return await review.case(uow, item_id)


async def skus(phone):
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        return [row["sku"] for row in await uow.rows("select sku from part order by sku")]


async def disputed(phone):
    await phone.push(phone.note("disputed"))
    return (await inbox(phone))[0]


async def refused(phone, sku="dear"):
    await phone.push(phone.note(sku))
    return (await inbox(phone))[0]


async def test_what_was_refused_lies_in_the_inbox_word_for_word_with_who_and_when(phone):
    mutation = phone.note("dear")
    await phone.push(phone.note("fine", seq=1), mutation | {"seq": 2})
    (item,) = await inbox(phone)
    assert (item.kind, item.code, item.name, item.state) == (
        Matter.QUARANTINE,
        "part.too_dear",
        "part.add",
        ItemState.OPEN,
    )
    assert (item.person_name, item.device_id) == (phone.actor.name, phone.actor.device)
    assert item.at_device.isoformat() == mutation["at"]
    found = await case(phone, item.id)
    assert found.envelope == mutation | {"seq": 2}
    assert found.sides is None


async def test_a_conflict_shows_both_sides(phone):
    item = await disputed(phone)
    found = await case(phone, item.id)
    assert item.kind is Matter.CONFLICT
    assert (found.sides.mine, found.sides.theirs) == ({"sku": "a"}, {"sku": "b"})


async def test_accepting_the_device_s_side_makes_it_stand_and_undo_brings_the_other_back(phone, decide, stood, clock):
    item = await disputed(phone)
    settled = await decide(item.id, Verdict.ACCEPT_MINE)
    assert (settled.state, settled.verdict, settled.settled_by_name) == (
        ItemState.SETTLED,
        Verdict.ACCEPT_MINE,
        "Dispatcher",
    )
    assert await inbox(phone) == []
    clock.forward(timedelta(minutes=1))
    opened = await decide(item.id, Verdict.UNDO)
    assert [side for side, *_ in stood] == [Side.MINE, Side.THEIRS]
    assert (opened.state, opened.verdict, opened.settled_at) == (ItemState.OPEN, None, None)
    verdicts = [remark.verdict for remark in (await case(phone, item.id)).remarks]
    assert verdicts == [Verdict.ACCEPT_MINE, Verdict.UNDO]


async def test_the_conflict_s_own_row_says_the_same_as_the_inbox(phone, decide, stood):
    item = await disputed(phone)
    await decide(item.id, Verdict.ACCEPT_THEIRS)
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        row = await uow.row("select settlement, settled_by, settled_at is not null as settled from conflict")
    assert (row["settlement"], row["settled"]) == ("accept_theirs", True)


async def test_what_the_server_has_can_be_accepted_where_no_domain_has_anything_to_do(phone, decide):
    item = await disputed(phone)
    with pytest.raises(CannotStand):
        await decide(item.id, Verdict.ACCEPT_MINE)
    assert (await decide(item.id, Verdict.ACCEPT_THEIRS)).state is ItemState.SETTLED
    assert (await decide(item.id, Verdict.UNDO)).state is ItemState.OPEN


async def test_of_two_dispatchers_at_once_one_settles_and_the_other_is_told_who(phone, company, decide, stood):
    item = await disputed(phone)
    both = await asyncio.gather(
        decide(item.id, Verdict.ACCEPT_MINE),
        decide(item.id, Verdict.ACCEPT_THEIRS, by=company.actor("team_lead")),
        return_exceptions=True,
    )
    lost = [it for it in both if isinstance(it, AlreadySettled)]
    won = [it for it in both if not isinstance(it, BaseException)]
    assert (len(lost), len(won), len(stood)) == (1, 1, 1)
    assert lost[0].facts["by"] == won[0].settled_by_name
    assert lost[0].facts["verdict"] == won[0].verdict
    assert won[0].settled_by_name in str(lost[0])


async def test_a_replay_takes_effect_once_and_as_whoever_recorded_it(phone, decide):
    """The price list was corrected meanwhile: what was refused is taken in."""
    item = await refused(phone, "poison")
    seen = []
    plain = phone.registry.mutators["part.add", 1].handle

    async def now_works(uow, actor, mutation, args):
        seen.append((actor.person, actor.device, mutation.id, mutation.occurrence.at_device.isoformat()))
        return await plain(uow, actor, mutation, args.model_copy(update={"sku": "cured"}))

    phone.registry.mutator("part.add", type_of(phone), now_works, nature=nature_of(phone))
    settled = await decide(item.id, Verdict.REPLAY)
    assert (settled.state, settled.verdict) == (ItemState.SETTLED, Verdict.REPLAY)
    assert await skus(phone) == ["cured"]
    assert seen == [(phone.actor.person, phone.actor.device, item.mutation_id, "2026-11-23T08:00:00+00:00")]
    with pytest.raises(AlreadySettled):
        await decide(item.id, Verdict.REPLAY)
    with pytest.raises(ReplayStands):
        await decide(item.id, Verdict.UNDO)
    assert await skus(phone) == ["cured"]


def type_of(phone):
    return phone.registry.mutators["part.add", 1].args


def nature_of(phone):
    return phone.registry.mutators["part.add", 1].nature


@pytest.mark.parametrize(("sku", "code"), [("dear", "part.too_dear"), ("poison", "SERVER_ERROR")])
async def test_a_replay_that_fails_again_leaves_nothing_but_a_remark(phone, decide, sku, code):
    item = await refused(phone, sku)
    again = await decide(item.id, Verdict.REPLAY)
    assert again.state is ItemState.OPEN
    assert await skus(phone) == []
    (remark,) = (await case(phone, item.id)).remarks
    assert (remark.verdict, remark.result["status"], remark.result["code"]) == (Verdict.REPLAY, "quarantined", code)


async def test_a_replay_that_meets_another_truth_becomes_a_conflict(phone, decide):
    item = await refused(phone)
    plain = phone.registry.mutators["part.add", 1].handle

    async def disputes(uow, actor, mutation, args):
        return await plain(uow, actor, mutation, args.model_copy(update={"sku": "disputed"}))

    phone.registry.mutator("part.add", type_of(phone), disputes, nature=nature_of(phone))
    assert (await decide(item.id, Verdict.REPLAY)).state is ItemState.SETTLED
    (conflict,) = await inbox(phone)
    assert (conflict.kind, conflict.code, conflict.mutation_id) == (Matter.CONFLICT, "DISPUTED", item.mutation_id)
    assert (await case(phone, item.id)).remarks[0].result["conflict"] == str(conflict.id)


async def test_old_arguments_are_lifted_before_they_are_replayed(phone, decide):
    await phone.push(phone.note("late", v=7))
    (item,) = await inbox(phone)
    assert item.code == "UNKNOWN_MUTATION"
    phone.registry.mutator(
        "part.add", type_of(phone), phone.registry.mutators["part.add", 1].handle, nature=nature_of(phone), v=8
    )
    phone.registry.upcaster("part.add", 7, lambda args: dict(args) | {"sku": f"{args['sku']}-lifted"})
    assert (await decide(item.id, Verdict.REPLAY)).state is ItemState.SETTLED
    assert await skus(phone) == ["late-lifted"]


async def test_the_log_never_changes_whatever_is_decided(phone, decide):
    item = await refused(phone)

    async def logged():
        async with phone.database.unit_of_work(phone.actor.org) as uow:
            return await uow.rows("select * from mutation_log")

    before = await logged()
    await decide(item.id, Verdict.ANNOTATE, "Who ordered this?")
    await decide(item.id, Verdict.DISCARD)
    assert await logged() == before


async def test_discarding_keeps_everything_and_can_be_undone(phone, decide):
    item = await refused(phone)
    assert (await decide(item.id, Verdict.DISCARD, "Not ours")).state is ItemState.SETTLED
    assert (await case(phone, item.id)).envelope == phone.sent[0]
    assert [it.id for it in await inbox(phone, state=ItemState.SETTLED)] == [item.id]
    assert (await decide(item.id, Verdict.UNDO)).state is ItemState.OPEN


async def test_a_remark_leaves_it_open_and_counts(phone, decide):
    item = await refused(phone)
    noted = await decide(item.id, Verdict.ANNOTATE, "Asked the customer.")
    assert (noted.state, noted.notes) == (ItemState.OPEN, 1)
    with pytest.raises(NoteMissing):
        await decide(item.id, Verdict.ANNOTATE, "  ")


async def test_a_choice_that_does_not_fit_changes_nothing(phone, decide, stood):
    conflict = await disputed(phone)
    with pytest.raises(DoesNotFit):
        await decide(conflict.id, Verdict.REPLAY)
    with pytest.raises(NotSettled):
        await decide(conflict.id, Verdict.UNDO)
    await phone.push(phone.note("dear"))
    quarantined = next(it for it in await inbox(phone) if it.kind is Matter.QUARANTINE)
    with pytest.raises(DoesNotFit):
        await decide(quarantined.id, Verdict.ACCEPT_MINE)
    with pytest.raises(NotFound):
        await decide(uuid4(), Verdict.DISCARD)
    assert len(await inbox(phone)) == 2


async def test_a_domain_that_can_not_make_a_side_stand_any_more_leaves_the_item_open(phone, decide):
    async def gone(*_):
        raise NotFound(thing="part")

    phone.registry.settlement("DISPUTED", gone)
    item = await disputed(phone)
    with pytest.raises(NotFound):
        await decide(item.id, Verdict.ACCEPT_MINE)
    assert (await inbox(phone))[0].state is ItemState.OPEN


async def test_the_inbox_is_paged_newest_first_without_skips_and_filtered(phone, clock):
    for number in range(5):
        clock.forward(timedelta(seconds=1))
        await phone.push(phone.note("dear" if number % 2 else "disputed"))
    seen, cursor = [], None
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        while True:
            page = await review.items(uow, Sought(), cursor=cursor, limit=2)
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        counted = await review.counts(uow)
    assert [it.opened_at for it in seen] == sorted((it.opened_at for it in seen), reverse=True)
    assert len({it.id for it in seen}) == 5
    assert counted == {Matter.CONFLICT: 3, Matter.QUARANTINE: 2}
    assert len(await inbox(phone, kind=Matter.QUARANTINE)) == 2
    assert len(await inbox(phone, code="DISPUTED")) == 3
    assert len(await inbox(phone, device_id=uuid4())) == 0


async def test_people_may_settle_their_own_words_and_remark_on_the_rest(phone, company, registry):
    sides = []

    async def stand(_uow, actor, _dispute, side):
        require(actor, Permission.ORDERS_TRIAGE)
        sides.append(side)

    registry.settlement("TEXT_OVERLAP", stand)
    item = await disputed(phone)

    async def own(actor, verdict, note=None):
        async with phone.database.unit_of_work(phone.actor.org) as uow:
            return await review.settle_own(uow, registry, actor, item.id, verdict, note)

    with pytest.raises(OfficeOnly):
        await own(phone.actor, Verdict.ACCEPT_MINE)
    with pytest.raises(NotFound):
        await own(company.actor("partner_engineer"), Verdict.ANNOTATE, "not mine")
    assert (await own(phone.actor, Verdict.ANNOTATE, "I was there.")).notes == 1
    async with phone.database.unit_of_work(phone.actor.org) as uow:
        await uow.run("update review_item set code = 'TEXT_OVERLAP'")
    assert (await own(phone.actor, Verdict.ACCEPT_MINE)).verdict is Verdict.ACCEPT_MINE
    assert sides == [Side.MINE]


async def test_the_phone_learns_what_became_of_its_work(phone, decide):
    item = await refused(phone)

    def states(lines):
        return [
            (line["d"]["state"], line["d"]["verdict"], line["d"]["settled_by_name"])
            for line in lines
            if line["k"] == "put" and line["t"] == "review_item"
        ]

    assert states(await phone.pull(want=OWN)) == [("open", None, None)]
    await decide(item.id, Verdict.DISCARD)
    assert states(await phone.pull(want=OWN)) == [("settled", "discard", "Dispatcher")]


async def test_nobody_of_another_organisation_finds_the_item(phone, database, decide):
    from tests.factories.identity import found_company

    item = await refused(phone)
    rival = await found_company(database, "rival", roles=("dispatcher",))
    async with database.unit_of_work(rival.id) as uow:
        assert (await review.items(uow, Sought(state=None), cursor=None, limit=10)).items == []
        with pytest.raises(NotFound):
            await review.settle(uow, phone.registry, rival.actor("dispatcher"), item.id, Verdict.DISCARD)
