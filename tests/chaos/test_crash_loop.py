"""A short crash loop in every test run; `./do crash-loop` is the long one."""

from pathlib import Path

import pytest

from callout.machine import installed
from tests.chaos.crash_loop import BACK_WITHIN_S, crash_loop

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="needs the programs of Postgres, to stop and start one of its own"),
]


async def test_whatever_is_killed_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    report = await crash_loop(kills=6, seed=41, engineers=5, folder=tmp_path)
    assert report.findings.lost == []
    assert report.findings.doubled == []
    assert report.findings.wrong == []
    assert {kill.kind for kill in report.kills} == {"api", "worker", "postgres", "backend", "pause"}
    assert max(kill.back_s for kill in report.kills) < BACK_WITHIN_S
    # How much gets done depends on the machine; that people worked all the while does not.
    assert report.acknowledged > 50
    assert min(report.office, report.events, report.files) > 0
