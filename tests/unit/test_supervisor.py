"""A child that is kept comes back, and goes with the others."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from callout.supervisor import Child, Supervisor

STEADY = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"


def steady(name: str, starts: Path) -> Child:
    return Child(name, (sys.executable, "-c", STEADY, str(starts)), os.environ)


def pids_in(starts: Path) -> list[int]:
    return [int(pid) for pid in starts.read_text().split()] if starts.exists() else []


async def started(starts: Path, times: int) -> list[int]:
    async with asyncio.timeout(20):
        while len(pids_in(starts)) < times:  # noqa: ASYNC110 - the child has no event for us
            await asyncio.sleep(0.01)
    return pids_in(starts)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_kept_child_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    said: list[str] = []
    starts = tmp_path / "starts"

    async def play() -> list[int]:
        supervising = Supervisor(tmp_path, said.append)
        await supervising.start(steady("api", tmp_path / "api"))
        await supervising.keep(steady("travel", starts))
        (first,) = await started(starts, 1)
        os.kill(first, signal.SIGKILL)
        pids = await supervising.until(started(starts, 2))
        await supervising.stop()
        return pids

    pids = asyncio.run(play())
    assert not any(alive(pid) for pid in pids)
    assert "travel was ended by SIGKILL" in said[0]
    assert "started again" in said[0]


def test_a_kept_child_that_waits_to_be_started_again_is_not(tmp_path: Path) -> None:
    said: list[str] = []

    async def play() -> None:
        supervising = Supervisor(tmp_path, said.append)
        await supervising.keep(Child("travel", (sys.executable, "-c", "raise SystemExit(3)"), os.environ))
        async with asyncio.timeout(20):
            while not said:  # noqa: ASYNC110 - nor has the supervisor
                await asyncio.sleep(0.01)
        await supervising.stop()

    asyncio.run(play())
    assert len(said) == 1
