"""What builds a region: programs run to their end, fingerprints of files, one builder at a time."""

import hashlib
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from server.geo.errors import ToolFailed


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
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process holds this folder. A killed process lets go by itself."""
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield
