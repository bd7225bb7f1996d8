"""What a private Postgres needs of this machine: its programs, an account other than root, that account's files."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MADE_ACCOUNT = "callout-db"
STOP_TIMEOUT_S = 120


@dataclass(frozen=True)
class Account:
    """The system user that the server runs as; Postgres refuses to be root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Binaries:
    folder: Path
    major: int


def installed() -> list[Binaries]:
    """Postgres servers of this machine that have PostGIS, newest first."""
    folders = {path.resolve().parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")}
    if on_path := shutil.which("postgres"):
        folders.add(Path(on_path).resolve().parent)
    found = [Binaries(folder, _major(folder)) for folder in folders if _has_postgis(folder)]
    return sorted(found, key=lambda binaries: binaries.major, reverse=True)


def _major(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].partition(".")[0])


def _has_postgis(folder: Path) -> bool:
    said = subprocess.run([folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    return said.returncode == 0 and (Path(said.stdout.strip()) / "extension" / "postgis.control").is_file()


def server_account(checkout: Path) -> Account:
    """Ourselves; or, for root: the checkout's owner, else Debian's `postgres`, else an account made for it."""
    if os.geteuid() != 0:
        return Account(_name_of(os.geteuid()) or str(os.geteuid()), os.geteuid(), os.getegid())
    owner = checkout.stat().st_uid
    names = [*([_name_of(owner)] if owner else []), "postgres", MADE_ACCOUNT]
    for name in names:
        if name and (account := _account(name)):
            return account
    made = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", MADE_ACCOUNT]
    subprocess.run(made, check=True, capture_output=True)
    entry = pwd.getpwnam(MADE_ACCOUNT)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def owner_of(folder: Path) -> Account:
    found = folder.stat()
    return Account(_name_of(found.st_uid) or str(found.st_uid), found.st_uid, found.st_gid)


def _name_of(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a bind mount from another machine: initdb wants a user with a name
        return None


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def run_as(account: Account, command: Sequence[object], said: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as the account, from `/`, which every account may enter.

    Its environment is bare: a PGPORT or PGDATA of the caller means another server.
    """
    other = account.uid != os.geteuid()
    return subprocess.run(
        [str(part) for part in command],
        input=said or "",
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        user=account.uid if other else None,
        group=account.gid if other else None,
        extra_groups=[] if other else None,
    )


def give(folder: Path, account: Account) -> None:
    """Make a folder that only the account may enter (and root)."""
    for missing in reversed([parent for parent in folder.parents if not parent.exists()]):
        missing.mkdir()
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    if account.uid != os.geteuid():
        os.chown(folder, account.uid, account.gid)


def give_all(folder: Path, account: Account) -> None:
    """Make the account the owner of the folder and of all in it."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def usable(folder: Path, account: Account) -> bool:
    """Whether the account can work in the folder and the folder keeps others out, which Postgres insists on."""
    private = stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
    return private and run_as(account, ["test", "-w", str(folder), "-a", "-x", str(folder)]).returncode == 0


def write_private(path: Path, text: str, account: Account) -> None:
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as stream:
        if account.uid != os.geteuid():
            os.fchown(file, account.uid, account.gid)
        stream.write(text)


def first_number(path: Path) -> int | None:
    """The process id at the head of a Postgres lock file; negative ones (single-user servers) come out positive."""
    try:
        return abs(int(path.read_text().split()[0]))
    except (FileNotFoundError, IndexError, ValueError):
        return None


def is_postgres(pid: int) -> bool:
    try:
        about = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A container's first process may never reap: a zombie is gone all the same.
    name, state = about.partition("(")[2].rpartition(")")[0], about.rpartition(")")[2].split()[0]
    return name in {"postgres", "postmaster"} and state != "Z"


def works_in(pid: int, folder: Path, account: Account) -> bool:
    """Whether the process is the server of this data folder: a postmaster works inside it, wherever it is moved."""
    if not is_postgres(pid):
        return False
    # Asked as the account itself: root in a container may not look into another user's processes.
    link = run_as(account, ["readlink", f"/proc/{pid}/cwd"])
    return link.returncode != 0 or Path(link.stdout.strip()) == folder


_WORKING_IN = 'for p in /proc/[0-9]*; do [ "$(readlink "$p/cwd")" = "$0" ] && echo "${p#/proc/}"; done; true'


def processes_in(folder: Path, account: Account) -> list[int]:
    """The account's Postgres processes that work in this folder, a postmaster's orphans included."""
    listed = run_as(account, ["sh", "-c", _WORKING_IN, folder]).stdout.split()
    return [pid for pid in map(int, listed) if is_postgres(pid)]


def end(pid: int, how: signal.Signals = signal.SIGQUIT) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, how)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while is_postgres(pid):
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL (process {pid}) does not stop. End it with: kill -QUIT {pid}")
        time.sleep(0.02)
