"""A phone's process may die at any instruction: what `record` returned is there, once, and the chain is whole."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.device import Device
from simulator.device.store import canonical
from tests.unit.simulator.fake_server import FakeServer

pytestmark = pytest.mark.anyio

# Says each id only after `record` returned: what was said must survive.
RECORDER = """
import sys
from pathlib import Path
from random import Random
import httpx
from simulator.device import Attachment, Device, RealClock
rng = Random(2)
device = Device(Path(sys.argv[1]), httpx.AsyncClient(), RealClock(), rng)
for number in range(100_000):
    file = Attachment(rng.randbytes(30_000), "image/jpeg", "photo")
    args = {"id": device.new_id(), "wo": "wo-1", "sha256": file.sha256, "caption": str(number)}
    print(device.record("photo.add", args, files=[file]).id, flush=True)
"""


def record_until_killed(database: Path, said: Path, lines: int) -> list[str]:
    with said.open("w") as output:
        recorder = subprocess.Popen([sys.executable, "-c", RECORDER, str(database)], stdout=output)
        wait_for_lines(said, lines)
        os.kill(recorder.pid, signal.SIGKILL)
        recorder.wait()
    return said.read_text().split()


def wait_for_lines(file: Path, lines: int) -> None:
    until = time.monotonic() + 30
    while file.read_text().count("\n") < lines:
        assert time.monotonic() < until, "the recorder does not record"
        time.sleep(0.02)


@pytest.mark.parametrize("recorded", [1, 17, 40])
async def test_killed_while_recording_nothing_is_lost_or_doubled(
    recorded: int, phone: Device, phone_at: Callable[[Path], Device], tmp_path: Path, server: FakeServer
) -> None:
    phone.close()
    said = record_until_killed(tmp_path / "phone.db", tmp_path / "said", recorded)
    again = phone_at(tmp_path)
    kept = again.outbox.everything()
    assert [mutation.id for mutation in kept][: len(said)] == said
    assert len(kept) - len(said) in {0, 1}, "at most the one that was on disk but not yet said"
    assert [mutation.seq for mutation in kept] == list(range(1, len(kept) + 1))
    for before, after in pairwise(kept):
        assert after.envelope["prev"] == hashlib.sha256(canonical(before.envelope).encode()).hexdigest()
    await again.sync()
    assert server.effects == [mutation.id for mutation in kept]
    assert all(upload.ready for upload in server.uploads.values())
    assert len(server.uploads) == len(kept)
