"""A private PostGIS cluster for this checkout: no system service, no TCP port, nothing shared with other programs.

    python -m callout.cluster ensure|status|stop|remove|check [--profile demo|test]

`demo` keeps its data safely; `test` trades durability for speed. Both listen on a Unix socket only and want a
generated password. Who has called `ensure` counts as a user until the process ends, so that several test runs in one
checkout share a cluster and the last one out can stop it.
"""

import argparse
import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.pq import PGconn, Ping

from callout.machine import (
    Account,
    Binaries,
    end,
    first_number,
    give,
    give_all,
    installed,
    is_postgres,
    owner_of,
    processes_in,
    run_as,
    server_account,
    usable,
    works_in,
    write_private,
)

CHECKOUT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 120
SUPERUSER = "postgres"

type Settings = Mapping[str, str]

COMMON: Settings = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
DURABLE: Settings = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
DISPOSABLE: Settings = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ClusterError(Exception):
    """Postgres can't be had; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Profile:
    name: str
    folder: str
    port: int
    settings: Settings


PROFILES = {
    "demo": Profile("demo", "postgres", 5432, {**COMMON, **DURABLE}),
    "test": Profile("test", "postgres-test", 5433, {**COMMON, **DISPOSABLE}),
}


# -- one cluster -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PrivateCluster:
    """The cluster of one checkout and profile. Safe to use from many processes at once."""

    checkout: Path
    profile: Profile

    @classmethod
    def of(cls, profile: str, checkout: Path = CHECKOUT) -> "PrivateCluster":
        return cls(checkout, PROFILES[profile])

    @cached_property
    def account(self) -> Account:
        made = self.made_in()
        owner = owner_of(made / "data") if made and os.geteuid() == 0 else None
        return owner if owner and owner.uid != 0 else server_account(self.checkout)

    def made_in(self) -> Path | None:
        """Where this cluster lies, if it has been made."""
        try:
            return next((base for base in self._candidates() if (base / "data" / "PG_VERSION").is_file()), None)
        except PermissionError as refused:
            raise _not_ours(Path(refused.filename)) from None

    @cached_property
    def base(self) -> Path:
        """Where data, password and log lie: under .state where possible.

        The server's account may be unable to get there or to own files there: a checkout below /root, a foreign file
        system.
        """
        made = self.made_in()
        if made and owner_of(made / "data").uid == 0:
            give_all(made, self.account)  # a checkout copied by root
        if made and usable(made, self.account):
            return made
        candidates = self._candidates()
        for candidate in candidates:
            with suppress(OSError):
                candidate.rmdir()  # empty, perhaps another account's
            give(candidate, self.account)
            if usable(candidate, self.account):
                return candidate
        raise ClusterError(
            f"No folder for Postgres: {', '.join(map(str, candidates))} can't be used by the account "
            f"{self.account.name}. Move the checkout, or give a server with DATABASE_URL."
        )

    def _candidates(self) -> list[Path]:
        elsewhere = f"callout-{self.mark}"
        if os.geteuid() == 0:
            outside = Path("/var/lib") / elsewhere
        else:
            outside = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / elsewhere
        return [self.checkout / ".state" / self.profile.folder, outside / self.profile.folder]

    @property
    def mark(self) -> str:
        """Eight hex digits that tell this checkout from others on the machine."""
        return hashlib.sha256(os.fsencode(self.checkout)).hexdigest()[:8]

    @property
    def users(self) -> Path:
        """Locked, shared, by every process that uses the cluster."""
        return self.checkout / ".state" / f"{self.profile.folder}.users"

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def socket_folder(self) -> Path:
        # Not below the checkout: a socket's path may have at most 107 bytes.
        return Path(f"/tmp/callout-{self.mark}-{self.account.uid}")  # noqa: S108 - owner and mode are verified

    @property
    def url(self) -> str:
        password = (self.base / "password").read_text().strip()
        host = quote(str(self.socket_folder), safe="/")
        return f"postgresql://{SUPERUSER}:{quote(password)}@/postgres?host={host}&port={self.profile.port}"

    def answers(self) -> bool:
        """Whether our server takes connections now (full counts as taking)."""
        made = self.made_in()
        if made is None or not (made / "password").is_file():
            return False
        conninfo = f"host={self.socket_folder} port={self.profile.port} dbname=postgres connect_timeout=5"
        return PGconn.ping(conninfo.encode()) == Ping.OK

    def start(self) -> None:
        """Start the server, making the cluster first if there is none; returns when it takes connections."""
        if self.answers():
            return
        with self._locked():
            if self.answers():
                return
            binaries = self._binaries()
            self._stop()  # it may run and not answer: its socket was swept from /tmp, or its password is gone
            self._end_leftovers()
            self._own_socket_folder()
            if not (self.data / "PG_VERSION").is_file():
                self._make(binaries)
            elif not (self.base / "password").is_file():
                self._set_password(binaries)
            self._configure()
            self._launch(binaries)

    def stop(self) -> bool:
        """Stop the server, rolling back what is open; whether there was one."""
        if self.made_in() is None:
            return False
        with self._locked():
            return self._stop()

    def stop_if_unused(self) -> bool:
        """Stop the server unless another process has asked for it; this one counts no longer."""
        return self.made_in() is not None and _alone(self) and self.stop()

    def remove(self) -> None:
        """Stop the server and delete all its data."""
        if self.made_in() is None:
            return
        with self._locked():
            self._stop()
            shutil.rmtree(self.base)
            if self.base.parent.name != ".state" and not any(self.base.parent.iterdir()):
                self.base.parent.rmdir()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = _open_lock(self.checkout / ".state" / f"{self.profile.folder}.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _binaries(self) -> Binaries:
        found = installed()
        if not found:
            raise ClusterError(
                "PostgreSQL with PostGIS is not installed. As root: apt-get install postgresql postgis "
                "postgresql-15-postgis-3 (the number is your distribution's); or give a server with DATABASE_URL."
            )
        version = self.data / "PG_VERSION"
        if not version.is_file():
            return found[0]
        made_by = int(version.read_text())
        for binaries in found:
            if binaries.major == made_by:
                return binaries
        raise ClusterError(
            f"{self.data} was made by PostgreSQL {made_by}, which is no longer here. Install "
            f"postgresql-{made_by}-postgis-3, or give up its data: "
            f"python -m callout.cluster remove --profile {self.profile.name}"
        )

    def _end_leftovers(self) -> None:
        """Clear the way for a start.

        A server whose data was deleted below it still holds our socket; orphans of a killed one may still write; and a
        pid file blocks the start when its number is a zombie's or has gone to another process.
        """
        socket = self.socket_folder / f".s.PGSQL.{self.profile.port}"
        lock = socket.with_name(f"{socket.name}.lock")
        if (holder := first_number(lock)) and is_postgres(holder):
            end(holder)
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists():
            for orphan in processes_in(self.data, self.account):
                end(orphan)
        for stale in (socket, lock, pid_file):
            stale.unlink(missing_ok=True)

    def _own_socket_folder(self) -> None:
        give(self.socket_folder, self.account)
        found = self.socket_folder.lstat()
        if (
            not stat.S_ISDIR(found.st_mode)
            or found.st_uid != self.account.uid
            or stat.S_IMODE(found.st_mode) != stat.S_IRWXU
        ):
            raise ClusterError(f"{self.socket_folder} belongs to someone else. Remove it, then start again.")

    def _make(self, binaries: Binaries) -> None:
        fresh = self.base / "data.new"  # renamed when whole: an interrupted initdb leaves no half cluster behind
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.base / "password"
        write_private(password, secrets.token_urlsafe(24), self.account)
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password}"]
        if self.profile.settings["fsync"] == "off":
            options.append("--no-sync")
        self._run([binaries.folder / "initdb", f"--username={SUPERUSER}", *options, "-D", fresh], "make the cluster")
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'callout.conf'\n")
        fresh.rename(self.data)

    def _set_password(self, binaries: Binaries) -> None:
        """The password file is gone: set a new one through the single-user server, which asks for none."""
        password = secrets.token_urlsafe(24)
        self._configure()
        statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n"
        single = [binaries.folder / "postgres", "--single", "-D", self.data, "postgres"]
        self._run(single, "set a new password", said=statement)
        write_private(self.base / "password", password, self.account)

    def _configure(self) -> None:
        settings = {
            **self.profile.settings,
            "port": str(self.profile.port),
            "unix_socket_directories": f"'{self.socket_folder}'",
        }
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        write_private(self.data / "callout.conf", lines, self.account)

    def _launch(self, binaries: Binaries) -> None:
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        start = [binaries.folder / "pg_ctl", "start", "--wait", f"--timeout={START_TIMEOUT_S}"]
        try:
            self._run([*start, "-D", self.data, "-l", self.log], "start")
        except ClusterError as refused:
            last = self.log.read_text(errors="replace").splitlines()[-8:] if self.log.exists() else []
            raise ClusterError("\n  ".join([f"{refused} The end of {self.log}:", *last])) from None

    def _stop(self) -> bool:
        pid = first_number(self.data / "postmaster.pid")
        running = bool(pid and works_in(pid, self.data, self.account))
        if pid and running:
            end(pid, signal.SIGINT)  # Postgres's "fast" shutdown: roll back, write everything down, go
        if self.socket_folder.is_dir() and not any(self.socket_folder.iterdir()):
            self.socket_folder.rmdir()
        return running

    def _run(self, command: Sequence[object], purpose: str, said: str | None = None) -> None:
        ran = run_as(self.account, command, said)
        if ran.returncode:
            why = (ran.stderr or ran.stdout).strip().splitlines()[-6:]
            raise ClusterError("\n  ".join([f"PostgreSQL could not {purpose}.", *why]))


def _open_lock(path: Path) -> int:
    try:
        path.parent.mkdir(exist_ok=True)
        return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    except PermissionError:
        raise _not_ours(path) from None


def _not_ours(path: Path) -> ClusterError:
    return ClusterError(
        f"{path} belongs to another account, probably since an earlier run as root. End that run, then take the "
        f"checkout back with: sudo chown -R $(id -un) '{CHECKOUT}'"
    )


# -- what the rest of Callout calls ----------------------------------------------------------------------------------

_held: dict[Path, int] = {}


def ensure(profile: str = "demo") -> str:
    """The address of a Postgres superuser's connection.

    DATABASE_URL if given, else this checkout's private cluster, made and started as needed. Raises ClusterError with a
    sentence to show.
    """
    if given := os.environ.get("DATABASE_URL"):
        return given
    cluster = PrivateCluster.of(profile)
    hold(cluster)
    cluster.start()
    return cluster.url


def stop(profile: str = "demo", *, if_unused: bool = False) -> bool:
    """Stop the private cluster, with `if_unused` only when no other process has asked for it; whether one stopped."""
    cluster = PrivateCluster.of(profile)
    return cluster.stop_if_unused() if if_unused else cluster.stop()


def running(profile: str = "demo") -> bool:
    return PrivateCluster.of(profile).answers()


def hold(cluster: PrivateCluster) -> None:
    """Count this process as a user of the cluster until it ends."""
    if cluster.users not in _held:
        _held[cluster.users] = _open_lock(cluster.users)
    fcntl.flock(_held[cluster.users], fcntl.LOCK_SH)


def _alone(cluster: PrivateCluster) -> bool:
    """Whether no other process uses the cluster; this one no longer does."""
    if cluster.users in _held:
        os.close(_held.pop(cluster.users))
    users = _open_lock(cluster.users)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(users)
    return True


def check() -> str:
    """One sentence on the Postgres that would be used; ClusterError when there is none to use."""
    if given := os.environ.get("DATABASE_URL"):
        return _check_given(given)
    found = installed()
    if not found:
        raise ClusterError("PostgreSQL with PostGIS is not installed, and DATABASE_URL is not set.")
    return f"PostgreSQL {found[0].major} with PostGIS in {found[0].folder}"


_FITNESS = """
SELECT current_setting('server_version') AS version,
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgis') AS has_postgis,
       EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper) AS superuser
"""


def _check_given(url: str) -> str:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute(_FITNESS).fetchone()
    except psycopg.Error as refused:
        raise ClusterError(
            f"The server of DATABASE_URL can't be used: {str(refused).strip()}\n  The form is "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE; unset DATABASE_URL to use a private server."
        ) from None
    version, has_postgis, superuser = row or ("", False, False)
    if not has_postgis:
        raise ClusterError(f"The server of DATABASE_URL (PostgreSQL {version}) has no PostGIS: install it there.")
    if not superuser:
        raise ClusterError(
            "The user of DATABASE_URL must be a superuser: Callout makes its own databases and roles there, and the "
            "runtime itself works as a role without rights to the tables' definitions."
        )
    return f"PostgreSQL {version} with PostGIS at DATABASE_URL"


def _status(profile: str) -> str:
    if os.environ.get("DATABASE_URL"):
        return check()
    cluster = PrivateCluster.of(profile)
    if (made := cluster.made_in()) is None:
        return f"{profile}: not made yet"
    state = "running" if cluster.answers() else "stopped"
    return f"{profile}: {state} as {cluster.account.name} in {made}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m callout.cluster", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=["ensure", "status", "stop", "remove", "check"])
    parser.add_argument("--profile", choices=list(PROFILES), default="demo")
    parser.add_argument("--if-unused", action="store_true", help="stop only when no other process uses it")
    given = parser.parse_args(arguments)
    try:
        return _act(given.action, given.profile, if_unused=given.if_unused)
    except (ClusterError, TimeoutError) as impossible:
        print(impossible, file=sys.stderr)
        return 1


def _act(action: str, profile: str, *, if_unused: bool) -> int:
    match action:
        case "ensure":
            print(ensure(profile))
        case "status":
            print(_status(profile))
        case "stop":
            print("stopped" if stop(profile, if_unused=if_unused) else "nothing to stop")
        case "remove":
            PrivateCluster.of(profile).remove()
        case _:
            print(check())
    return 0


if __name__ == "__main__":
    sys.exit(main())
