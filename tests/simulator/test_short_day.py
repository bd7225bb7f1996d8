"""The acceptance test: a short field day, with lost signal, lost replies and cut pulls, against a running server."""

import pytest

from simulator.day import simulate

pytestmark = pytest.mark.slow


async def test_after_a_short_day_everything_recorded_is_on_the_server_exactly_once(base_url: str) -> None:
    verdict = await simulate(base_url, engineers=4, seed=1, speed=600, hours=2, check=True)
    assert verdict.problems == []
    assert (verdict.lost, verdict.doubled) == (0, 0)
    assert verdict.passed
    # How much gets done depends on how busy this machine is; that something of each kind was is enough.
    assert min(verdict.orders, verdict.closed, verdict.signatures, verdict.photos) > 0
    assert verdict.mutations > 10 * verdict.signatures
