"""What builds a region: programs run to their end, fingerprints of files, one builder at a time."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import TextIO

from server.geo.errors import RegionUnwritable, ToolFailed

_HARDLY_ANY_ROOM = 32_000_000  # bytes; a tool that fails with no more left failed for want of room


def run_module(module: str, *arguments: str | Path) -> None:
    """Run `python -m module ...` of this installation. Raises ToolFailed with its last words."""
    # -P: nothing in the current folder may take the module's place.
    run([sys.executable, "-P", "-m", module, *arguments], called=f"{module} {arguments[0]}")


def run_script(script: str, *arguments: str | Path) -> None:
    """Run a console script that lies beside this interpreter. Raises ToolFailed with its last words."""
    run([Path(sysconfig.get_path("scripts")) / script, *arguments], called=script)


def run(command: Sequence[str | Path], *, called: str) -> None:
    """Run a program quietly to its end. Raises ToolFailed."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as problem:
        raise ToolFailed(tool=called, exit_code="none", last_words=str(problem)) from problem
    if ended.returncode:
        spoken = [line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
        raise ToolFailed(tool=called, exit_code=ended.returncode, last_words=" / ".join(spoken[-3:]) or "(nothing)")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def alone_in(folder: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Wait until no other process holds this folder; `waiting` is called if one does.

    A killed process lets go by itself.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            _hold(lock, waiting)
            if _is_still_there(folder / ".lock", lock):  # the folder may have been removed meanwhile
                yield
                return


def _hold(lock: TextIO, waiting: Callable[[], None] | None) -> None:
    try:
        flock(lock, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        if waiting:
            waiting()
        flock(lock, LOCK_EX)


def _is_still_there(path: Path, opened: TextIO) -> bool:
    try:
        return path.stat().st_ino == os.fstat(opened.fileno()).st_ino
    except FileNotFoundError:
        return False


@contextmanager
def writing_in(folder: Path) -> Iterator[None]:
    """Say in a sentence why files can't be written: RegionUnwritable."""
    try:
        yield
    except OSError as problem:
        raise _unwritable(folder, problem.strerror or str(problem)) from problem
    except ToolFailed as failed:
        if shutil.disk_usage(folder).free > _HARDLY_ANY_ROOM:
            raise
        raise _unwritable(folder, "no space left on device") from failed


def _unwritable(folder: Path, reason: str) -> RegionUnwritable:
    return RegionUnwritable(folder=folder, reason=reason, free_mb=shutil.disk_usage(folder).free // 1_000_000)
