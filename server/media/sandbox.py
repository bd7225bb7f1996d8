"""Running `imaging` on a file nobody trusts: another process, with nothing in its environment and little time."""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass

from server.media.imaging import MOST_PIXELS

_WALL_SECONDS = 60
_MOST_ANSWER_BYTES = 4_000_000


@dataclass(frozen=True)
class Derived:
    width: int
    height: int
    blurhash: str
    thumb: bytes
    view: bytes


@dataclass(frozen=True)
class Undecodable:
    """`why` is a word: broken, bomb, too_many_pixels, memory; killed and overtime may be the machine's fault."""

    why: str

    @property
    def may_pass(self) -> bool:
        return self.why in {"killed", "overtime"}


async def derive(
    content: bytes, *, wall_seconds: float = _WALL_SECONDS, most_pixels: int = MOST_PIXELS
) -> Derived | Undecodable:
    """Make the small copies, or say why there are none."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "server.media.imaging",
        str(most_pixels),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"MALLOC_ARENA_MAX": "1"},  # no secrets of ours, and no address space wasted on threads
    )
    try:
        async with asyncio.timeout(wall_seconds):
            answer = await _converse(child, content)
            await child.wait()
    except TimeoutError:
        return Undecodable("overtime")
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    return _read(answer) if child.returncode == 0 else Undecodable("killed")


async def _converse(child: asyncio.subprocess.Process, content: bytes) -> bytes:
    assert child.stdin is not None
    assert child.stdout is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # its end tells why
        child.stdin.write(content)
        await child.stdin.drain()
    child.stdin.close()
    answer = b""
    while piece := await child.stdout.read(65_536):
        answer += piece
        if len(answer) > _MOST_ANSWER_BYTES:
            child.kill()
            return b""
    return answer


def _read(answer: bytes) -> Derived | Undecodable:
    """What a decoder that was taken over could say is checked as anything from outside."""
    try:
        line, _, rest = answer.partition(b"\n")
        said = json.loads(line)
        if "why" in said:
            return Undecodable(str(said["why"])[:40])
        thumb, view = rest[: said["thumb"]], rest[said["thumb"] :]
        if len(view) != said["view"] or not all(part[8:12] == b"WEBP" for part in (thumb, view)):
            return Undecodable("broken")
        return Derived(int(said["width"]), int(said["height"]), str(said["blurhash"])[:100], thumb, view)
    except (ValueError, KeyError, TypeError):
        return Undecodable("broken")
