"""Learning on real rows: what is read, what is proposed, who decides, and that nothing changes before they do."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

import numpy as np
import pytest

from server.core.db import Database, UnitOfWork
from server.core.errors import Forbidden, NotFound
from server.dispatch import service as dispatch
from server.dispatch.decisions import How
from server.dispatch.learning import durations, service, tasks, weights
from server.dispatch.learning.domain import Kind, ModelState, Outcome, Policy
from server.dispatch.learning.durations import Task
from server.dispatch.learning.errors import (
    NotEnoughHistory,
    NotOpenToThat,
    PeriodRunsBackwards,
    PeriodTooLong,
    PolicyMovedOn,
    UnknownFactor,
    WeightOutOfRange,
    WeightsMovedOn,
    WeightsNotWhole,
)
from server.dispatch.learning.success import Chances
from server.dispatch.scoring import DEFAULT_WEIGHTS, Factor
from server.geo.estimate import EstimatedTravel
from server.identity.domain import Actor
from server.workorders.domain import WorkOrder
from tests.factories.customers import MONTE_CARLO, a_site, an_asset
from tests.factories.history import Past, a_past
from tests.factories.workforce import a_shift, an_engineer, another_engineer
from tests.factories.workorders import an_order

MINUTES = {"no_heat": 90.0, "leak": 45.0}
WANTED = {"eta": 0.1, "skill": 0.5, "load": 0.1, "continuity": 0.3}


@pytest.fixture
async def crew(uow: UnitOfWork, company) -> list[Actor]:
    """Anna takes four fifths of the usual time, Carla a quarter more."""
    return [await another_engineer(uow, company.id, name) for name in ("Anna", "Bruno", "Carla")]


@pytest.fixture
async def history(uow: UnitOfWork, dispatcher: Actor, crew: Sequence[Actor]) -> list[Past]:
    """300 orders over 60 days; dispatchers send who knows the customer and the work, whatever the list says."""
    return await a_past(uow, dispatcher, crew, invented(crew))


def invented(crew: Sequence[Actor], number: int = 300, seed: int = 1) -> list[Past]:
    chance = Random(seed)
    paces = dict(zip([it.person for it in crew], (0.8, 1.0, 1.25), strict=True))
    found = []
    for at in range(number):
        kind = chance.choice(list(MINUTES))
        values = [(it.person, {name: round(chance.random(), 4) for name in WANTED}) for it in crew]
        values.sort(key=lambda it: -sum(DEFAULT_WEIGHTS[name] * value for name, value in it[1].items()))
        chosen, _ = max(values, key=lambda it: sum(WANTED[name] * value for name, value in it[1].items()))
        found.append(
            Past(
                problem_type=kind,
                engineer_id=chosen,
                days_ago=60 - at * 60 / number,
                minutes=MINUTES[kind] * paces[chosen] * chance.lognormvariate(0, 0.2),
                fixed=chance.random() < (0.95 if chosen == crew[0].person else 0.6),
                candidates=values,
            )
        )
    return found


async def enough(uow: UnitOfWork, administrator: Actor, orders: int = 10) -> None:
    now = await service.policy(uow)
    await service.set_policy(uow, administrator, enough_orders=orders, expected_version=now.version)


async def learnt(uow: UnitOfWork) -> dict[Kind, service.Learnt]:
    past = await service.history(uow)
    return {it.kind: it for it in await service.propose(uow, past, service.lessons(past))}


def ids(people: Sequence[UUID]) -> np.ndarray:
    return np.array([it.bytes for it in people], dtype="S16")


async def told(uow: UnitOfWork) -> list[str]:
    found = await uow.rows("select name from event where name ~ '^(learn|score_weights)' order by id")
    return [row["name"] for row in found]


async def test_below_two_thousand_orders_the_answer_says_how_many_are_missing(uow, history):
    standing = await service.standing(uow)
    assert (standing.policy, standing.in_force) == (Policy(), {})
    assert standing.completed == len([it for it in history if it.fixed])
    assert standing.missing == 2000 - standing.completed
    with pytest.raises(NotEnoughHistory, match=f"{standing.missing} more completed orders are needed"):
        await service.history(uow)


async def test_a_company_says_itself_how_much_is_enough(uow, administrator, dispatcher, history):
    await enough(uow, administrator)
    standing = await service.standing(uow)
    assert (standing.policy.version, standing.missing) == (1, 0)
    with pytest.raises(PolicyMovedOn):
        await service.set_policy(uow, administrator, enough_orders=5, expected_version=0)
    with pytest.raises(Forbidden):
        await service.set_policy(uow, dispatcher, enough_orders=5, expected_version=1)


async def test_everything_is_learnt_and_nothing_counts_before_a_person_has_accepted_it(
    uow, administrator, crew, history
):
    await enough(uow, administrator)
    found = await learnt(uow)
    assert {it.outcome for it in found.values()} == {Outcome.PROPOSED}
    assert {it.model.state for it in found.values()} == {ModelState.PROPOSED}
    people = [it.person for it in crew]
    before = await service.expected_minutes(uow, [Task("no_heat", 60)], people)
    assert (before.p50.tolist(), before.version) == ([[60, 60, 60]], None)
    assert await service.pace_of(uow, people) == dict.fromkeys(people, 100)
    assert await service.chance_of_fix(uow, "leak") is None
    assert (await weights.in_force(uow)).version == 1
    for it in found.values():
        await service.accept(uow, administrator, it.model.id)
    after = await service.expected_minutes(uow, [Task("no_heat", 60), Task("leak", 60)], people)
    assert after.p50 == pytest.approx(np.outer([90, 45], [0.8, 1, 1.25]), rel=0.12)
    assert (after.p90 > after.p50).all()
    assert list((await service.pace_of(uow, people)).values()) == pytest.approx([80, 100, 125], abs=8)
    chances = await service.chance_of_fix(uow, "leak")
    assert chances.of(ids(people[:2])) == pytest.approx((0.95, 0.6), abs=0.1)
    new = await weights.in_force(uow)
    assert (new.version, new.created_by, new.model_id) == (2, administrator.person, found[Kind.WEIGHTS].model.id)
    assert new.weights["skill"] > DEFAULT_WEIGHTS["skill"]
    assert new.weights["eta"] < DEFAULT_WEIGHTS["eta"]
    assert sum(new.weights.values()) == pytest.approx(1)


async def test_a_ranking_goes_by_the_accepted_model_and_by_what_was_counted_without_one(
    uow, administrator, dispatcher, crew
):
    order = await an_order(uow, dispatcher, problem_type="leak")
    await a_past(uow, dispatcher, crew, invented(crew))
    for it in crew:
        await an_engineer(uow, it, home=MONTE_CARLO)
        await a_shift(uow, it)
    await enough(uow, administrator)
    model = (await learnt(uow))[Kind.SUCCESS].model
    before = await chances(uow, dispatcher, order)
    assert before == dict.fromkeys(before, 50.0), "nothing was counted, and what is proposed does not count"
    await service.accept(uow, administrator, model.id)
    known = Chances.from_json(model.parameters)
    said = {it.person: round(100 * known.of(it.person, "leak"), 1) for it in crew}
    assert await chances(uow, dispatcher, order) == said
    assert said[crew[0].person] > said[crew[1].person]
    await service.retire(uow, administrator, model.id)
    assert await chances(uow, dispatcher, order) == before
    await service.accept(uow, administrator, model.id)
    assert await chances(uow, dispatcher, order) == said


async def chances(uow: UnitOfWork, dispatcher: Actor, order: WorkOrder) -> dict[UUID, float]:
    """How likely a ranking holds each to settle it, in per cent."""
    found = await dispatch.candidates(uow, dispatcher, EstimatedTravel(), order.id, uow.now())
    return {it.engineer_id: one.raw for it in found.items for one in it.factors if one.name is Factor.SUCCESS}


async def test_the_back_tests_are_kept_with_the_proposals(uow, administrator, history):
    await enough(uow, administrator)
    found = await learnt(uow)
    said = {kind: it.model.back_test for kind, it in found.items()}
    assert said[Kind.DURATIONS]["mean_error_minutes"] < said[Kind.DURATIONS]["planned_mean_error_minutes"]
    assert said[Kind.SUCCESS]["log_loss"] < said[Kind.SUCCESS]["overall_log_loss"]
    assert said[Kind.WEIGHTS]["first"] > said[Kind.WEIGHTS]["in_force_first"]
    assert found[Kind.DURATIONS].model.samples == len([it for it in history if it.fixed])
    assert found[Kind.SUCCESS].model.samples == len(history)


async def test_learning_the_same_twice_proposes_once(uow, administrator, history):
    await enough(uow, administrator)
    first, again = await learnt(uow), await learnt(uow)
    assert {it.outcome for it in again.values()} == {Outcome.UNCHANGED}
    assert {it.model.id for it in again.values()} == {it.model.id for it in first.values()}


async def test_what_is_in_force_is_not_proposed_again_and_a_newer_proposal_takes_the_olders_place(
    uow, administrator, dispatcher, crew, history
):
    await enough(uow, administrator)
    first = await learnt(uow)
    await a_past(uow, dispatcher, crew, invented(crew, 60, seed=2))
    second = await learnt(uow)
    assert second[Kind.DURATIONS].outcome is Outcome.PROPOSED
    assert (await service.model(uow, first[Kind.DURATIONS].model.id)).state is ModelState.RETIRED
    assert second[Kind.DURATIONS].model.version == 2
    await service.accept(uow, administrator, second[Kind.DURATIONS].model.id)
    await a_past(uow, dispatcher, crew, invented(crew, 30, seed=3))
    assert (await learnt(uow))[Kind.DURATIONS].outcome is Outcome.NOT_BETTER


async def test_one_goes_back_to_any_earlier_model(uow, administrator, dispatcher, crew, history):
    await enough(uow, administrator)
    first = (await learnt(uow))[Kind.DURATIONS].model
    await a_past(uow, dispatcher, crew, invented(crew, 60, seed=2))
    second = (await learnt(uow))[Kind.DURATIONS].model
    await service.accept(uow, administrator, second.id)
    back = await service.accept(uow, administrator, first.id)
    assert (back.state, back.replaced, back.decided_by) == (ModelState.ACCEPTED, second.id, administrator.person)
    assert (await service.model(uow, second.id)).state is ModelState.RETIRED
    assert await service.accept(uow, administrator, first.id) == back, "twice is once"
    gone = await service.retire(uow, administrator, first.id)
    assert gone.state is ModelState.RETIRED
    assert (await service.expected_minutes(uow, [Task("leak", 50)], [])).version is None
    names = [name for name in await told(uow) if name.startswith("learned_model")]
    assert names.count("learned_model.accepted") == 2
    assert names.count("learned_model.retired") == 2


async def test_what_was_rejected_stays_rejected_and_only_those_who_may_decide(uow, administrator, dispatcher, history):
    await enough(uow, administrator)
    proposed = (await learnt(uow))[Kind.SUCCESS].model
    for decide in (service.accept, service.reject, service.retire):
        with pytest.raises(Forbidden):
            await decide(uow, dispatcher, proposed.id)
        with pytest.raises(NotFound):
            await decide(uow, administrator, UUID(int=1))
    with pytest.raises(NotOpenToThat):
        await service.retire(uow, administrator, proposed.id)
    await service.reject(uow, administrator, proposed.id)
    for decide in (service.accept, service.reject):
        with pytest.raises(NotOpenToThat, match="rejected"):
            await decide(uow, administrator, proposed.id)


async def test_learned_weights_give_way_to_those_set_by_hand_and_can_be_had_again(uow, administrator, history):
    await enough(uow, administrator)
    model = (await learnt(uow))[Kind.WEIGHTS].model
    await service.accept(uow, administrator, model.id)
    await weights.set_weights(uow, administrator, {"eta": 1.0}, why="Snow", expected_version=2)
    assert (await service.model(uow, model.id)).state is ModelState.RETIRED
    await service.accept(uow, administrator, model.id)
    again = await weights.in_force(uow)
    assert (again.version, again.model_id) == (4, model.id)
    await service.retire(uow, administrator, model.id)
    last = await weights.in_force(uow)
    assert (last.version, last.weights["eta"]) == (5, 1.0)
    assert last.why.startswith("Back to version 3")
    assert (await service.model(uow, model.id)).state is ModelState.RETIRED


async def test_orders_without_any_time_teach_no_durations(uow, administrator, crew, history):
    await enough(uow, administrator)
    await uow.run("delete from time_entry")
    found = await learnt(uow)
    assert found[Kind.DURATIONS].outcome is Outcome.TOO_LITTLE
    assert found[Kind.SUCCESS].outcome is Outcome.PROPOSED


async def test_only_the_work_that_stands_is_counted(uow, dispatcher, crew, administrator):
    await enough(uow, administrator, 1)
    site = await a_site(uow)
    asset = await an_asset(uow, site)
    anna = crew[0].person
    past = [
        Past("leak", anna, 3, 40, stretches=2, corrected=True, travel=25, asset=(site, asset)),
        Past("leak", anna, 2, 50, running=True),
        Past("leak", anna, 1, 60, loose=True),
    ]
    await a_past(uow, dispatcher, crew, past)
    worked = (await service.history(uow)).worked
    assert sorted((round(it.minutes), it.product, it.model) for it in worked) == [
        (40, "oven", "Combi 10"),
        (60, None, None),
    ]
    assert {it.planned_minutes for it in worked} == {60}


async def test_a_choice_among_one_or_of_somebody_excluded_teaches_nothing(uow, dispatcher, administrator, crew):
    await enough(uow, administrator, 1)
    anna, bruno, carla = (it.person for it in crew)
    values = {"eta": 0.5, "skill": 0.5}
    past = [
        Past("leak", anna, 4, 40, candidates=[(anna, values)]),
        Past("leak", anna, 3, 40, candidates=[(bruno, values), (carla, values)]),
        Past("leak", anna, 2, 40, how=How.AUTOMATIC, candidates=[(bruno, values), (anna, values)]),
        Past("leak", anna, 1, 40, candidates=[(bruno, values), (anna, values)]),
    ]
    await a_past(uow, dispatcher, crew, past)
    (choice,) = (await service.history(uow)).choices
    assert (choice.chosen, [line.engineer_id for line in choice.lines]) == (1, [bruno, anna])


async def test_many_tasks_and_engineers_are_one_question(uow, administrator, crew, history, monkeypatch):
    await enough(uow, administrator)
    model = (await learnt(uow))[Kind.DURATIONS].model
    await service.accept(uow, administrator, model.id)
    asked = []
    one_of = UnitOfWork.one_of

    async def counted(self, *args, **params):
        asked.append(args)
        return await one_of(self, *args, **params)

    monkeypatch.setattr(UnitOfWork, "one_of", counted)
    found = await service.expected_minutes(uow, [Task("leak", 60)] * 500, [it.person for it in crew] * 30)
    assert found.p50.shape == found.p90.shape == (500, 90)
    assert len(asked) == 1
    alone = durations.Durations.from_json(model.parameters).matrix([Task("leak", 60)], [crew[0].person])
    assert found.p50[0, 0] == round(float(alone[0][0, 0]))


async def test_the_weekly_task_proposes_for_every_organisation_that_has_enough(
    database: Database, company, dispatcher, administrator
):
    async with database.unit_of_work(company.id) as uow:
        crew = [await another_engineer(uow, company.id, name) for name in ("Anna", "Bruno", "Carla")]
        await a_past(uow, dispatcher, crew, invented(crew))
    assert await tasks.study(database, company.id) == []
    async with database.unit_of_work(company.id) as uow:
        await enough(uow, administrator)
    found = await tasks.study(database, company.id)
    assert [it.outcome for it in found] == [Outcome.PROPOSED] * 3
    again = await tasks.study(database, company.id)
    assert [it.outcome for it in again] == [Outcome.UNCHANGED] * 3
    async with database.unit_of_work(company.id) as uow:
        assert await told(uow) == ["learning_policy.set", *["learned_model.proposed"] * 3]


async def test_weights_by_hand_are_checked_and_say_who_and_why(uow, administrator, dispatcher):
    (first,) = await weights.versions(uow)
    assert (first.version, first.why, first.created_by_name, first.weights) == (1, None, None, DEFAULT_WEIGHTS)
    new = await weights.set_weights(uow, administrator, {"eta": 0.6, "load": 0.4005}, why="Winter", expected_version=1)
    assert (new.version, new.why, new.created_by_name) == (2, "Winter", administrator.name)
    assert new.weights["skill"] == 0
    for wrong, error in (
        ({"eta": 0.5, "charm": 0.5}, UnknownFactor),
        ({"eta": 1.5, "load": -0.5}, WeightOutOfRange),
        ({"eta": 0.5, "load": 0.498}, WeightsNotWhole),
    ):
        with pytest.raises(error):
            await weights.set_weights(uow, administrator, wrong, why="-", expected_version=2)
    with pytest.raises(WeightsMovedOn, match="version 2 is in force"):
        await weights.set_weights(uow, administrator, {"eta": 1.0}, why="-", expected_version=1)
    with pytest.raises(Forbidden):
        await weights.set_weights(uow, dispatcher, {"eta": 1.0}, why="-", expected_version=2)
    back = await weights.set_weights(uow, administrator, first.weights, why="Spring", expected_version=2)
    assert [it.version for it in await weights.versions(uow)] == [3, 2, 1]
    assert back.weights.items() >= dict(first.weights).items()
    assert await told(uow) == ["score_weights.set"] * 2


async def test_of_two_who_set_weights_at_once_one_is_told_that_the_other_was_faster(
    database: Database, company, administrator
):
    async def set_to(factor: str) -> str:
        async with database.unit_of_work(company.id) as uow:
            await weights.set_weights(uow, administrator, {factor: 1.0}, why="-", expected_version=1)
        return factor

    done = await asyncio.gather(set_to("eta"), set_to("load"), return_exceptions=True)
    assert [type(it) for it in done if isinstance(it, BaseException)] == [WeightsMovedOn]
    async with database.unit_of_work(company.id) as uow:
        assert [it.version for it in await weights.versions(uow)] == [2, 1]


async def test_of_two_models_accepted_at_once_one_is_in_force(database: Database, company, dispatcher, administrator):
    async with database.unit_of_work(company.id) as uow:
        crew = [await another_engineer(uow, company.id, name) for name in ("Anna", "Bruno", "Carla")]
        await a_past(uow, dispatcher, crew, invented(crew))
        await enough(uow, administrator)
        first = (await learnt(uow))[Kind.WEIGHTS].model
        await a_past(uow, dispatcher, crew, invented(crew, 60, seed=2))
        second = (await learnt(uow))[Kind.WEIGHTS].model
    assert first.id != second.id

    async def accepted(model_id: UUID) -> None:
        async with database.unit_of_work(company.id) as uow:
            await service.accept(uow, administrator, model_id)

    await asyncio.gather(accepted(first.id), accepted(second.id))
    async with database.unit_of_work(company.id) as uow:
        states = {it.id: it.state for it in await service.models(uow, Kind.WEIGHTS)}
        now = await weights.in_force(uow)
        assert sorted(states.values()) == [ModelState.ACCEPTED, ModelState.RETIRED]
        assert now.version == 3
        assert [it for it, state in states.items() if state is ModelState.ACCEPTED] == [now.model_id]


async def test_a_replay_of_past_days_says_what_other_weights_would_have_made_of_them(uow, dispatcher, crew, clock):
    anna, bruno, _ = (it.person for it in crew)
    near, able = {"eta": 0.9, "skill": 0.2, "sla": 0.5}, {"eta": 0.4, "skill": 0.9, "sla": 0.5}
    past = [Past("leak", bruno, days, 40, candidates=[(anna, near), (bruno, able)]) for days in (1.2, 1.1, 9)]
    await a_past(uow, dispatcher, crew, past)
    since = uow.now() - timedelta(days=2)
    found = await weights.replayed(uow, {"skill": 1.0}, since, uow.now())
    assert (found.decisions, found.left_out, len(found.changes)) == (2, 0, 2)
    assert {(it.before_name, it.after_name, it.chosen_name) for it in found.changes} == {("Anna", "Bruno", "Bruno")}
    assert (found.before.agreed, found.after.agreed) == (0, 2)
    assert found.before.mean_eta_seconds == pytest.approx(360)
    assert found.after.mean_eta_seconds == pytest.approx(2160)
    assert found.before.mean_sla_slack_seconds == pytest.approx(7200)
    same = await weights.replayed(uow, {"eta": 1.0}, since, uow.now())
    assert (same.changes, same.before) == ([], same.after)
    with pytest.raises(PeriodRunsBackwards):
        await weights.replayed(uow, {"eta": 1.0}, uow.now(), since)
    with pytest.raises(PeriodTooLong):
        await weights.replayed(uow, {"eta": 1.0}, uow.now() - timedelta(days=93), uow.now())


async def test_what_was_learnt_is_its_own_organisations(database: Database, company, administrator):
    from tests.factories.identity import found_company

    rival = await found_company(database, "rival", roles=("administrator",))
    async with database.unit_of_work(company.id) as uow:
        await enough(uow, administrator, 7)
        await weights.set_weights(
            uow, administrator, {"eta": 1.0}, why="-", expected_version=(await weights.in_force(uow)).version
        )
    async with database.unit_of_work(rival.id) as uow:
        assert await service.policy(uow) == Policy()
        assert (await weights.in_force(uow)).weights == DEFAULT_WEIGHTS
