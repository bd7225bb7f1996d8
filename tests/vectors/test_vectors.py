"""The vectors say what the model says, and the real server with real devices does what the vectors say."""

from collections import defaultdict
from pathlib import Path
from random import Random

import pytest
from fastapi import FastAPI

from server.core.db import Database
from tests.factories.identity import Company
from tests.fakes.clock import FakeClock
from tests.vectors.generate import FOLDER, THEMES, document
from tests.vectors.play import Case, open_stage, vectors

_SAMPLE = 15
_MOST_BYTES = 2_000_000


@pytest.mark.parametrize("theme", THEMES)
def test_the_vectors_are_what_the_model_says(theme: str) -> None:
    assert (FOLDER / f"{theme}.json").read_text() == document(theme)


def test_the_vectors_are_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.json")) < _MOST_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("theme", THEMES)
async def test_server_and_devices_do_what_the_vectors_say(
    theme: str,
    app: FastAPI,
    database: Database,
    company: Company,
    clock: FakeClock,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    cases = vectors(theme)
    if not pytestconfig.getoption("--all-vectors", default=False):
        cases = Random(theme).sample(cases, _SAMPLE)
    wrong: defaultdict[str, list[str]] = defaultdict(list)
    async with open_stage(app, database, company, clock, tmp_path) as stage:
        for case in cases:
            expect = case["expect"]
            came = await Case(stage, theme, case).play()
            if came != expect:
                said = {name: case[name] for name in ("crew", "a", "b", "office", "sync")}
                wrong[str(said)] = [f"expected {expect}", f"came     {came}"]
    assert not wrong, f"{len(wrong)} of {len(cases)}: " + "\n".join(
        f"{case}\n  {lines[0]}\n  {lines[1]}" for case, lines in list(wrong.items())[:20]
    )
