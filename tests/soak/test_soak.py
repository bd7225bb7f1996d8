"""A small part of `./do soak-sync` in every test run, and proof that it would notice."""

import pytest

from tests.soak.broken import Broken
from tests.soak.sabotage import SABOTAGES, Sabotage
from tests.soak.soak import Plan, Soak
from tests.soak.world import open_world

pytestmark = pytest.mark.slow


async def test_whatever_breaks_nothing_is_lost_doubled_or_shown_to_others() -> None:
    plan = Plan(1, 1000, devices=4, checks_every=500, pulls_compared=4, rests=1)
    async with open_world(plan.devices, plan.seed) as world:
        played = Soak(world, plan)
        await played.run()
    assert played.checks.mutations > 500
    assert played.checks.devices_compared > 4 * 2
    assert sum(played.network.happened.values()) > 10


async def test_the_same_seed_plays_the_same_run() -> None:
    plan = Plan(7, 500, devices=3, checks_every=250, rests=0)
    courses = []
    for _ in range(2):
        async with open_world(plan.devices, plan.seed) as world:
            played = Soak(world, plan)
            await played.run()
        courses.append((played.figures.course.hexdigest(), played.eyes.answers, played.checks.statuses))
    assert courses[0] == courses[1]


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda it: it.__name__)
async def test_an_engine_broken_on_purpose_is_found_out(sabotage: Sabotage, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(5, 3000, devices=3, checks_every=100, pulls_compared=1, rests=12)
    async with open_world(plan.devices, plan.seed) as world:
        sabotage(world, monkeypatch)
        played = Soak(world, plan)
        with pytest.raises(Broken) as broken:
            await played.run()
    assert broken.value.rule in SABOTAGES[sabotage], broken.value
