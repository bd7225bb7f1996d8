"""A Postgres of one test's own, as durable as a company's, that may be stopped as rudely as one likes."""

import os
import signal
from pathlib import Path
from random import Random

import psycopg

from callout.cluster import COMMON, DURABLE, PrivateCluster, Profile
from callout.machine import Binaries, installed, run_as


class ClusterBroken(Exception):
    """A Postgres program failed; the message is what it said."""


class OwnPostgres:
    """Made at the first `start` somewhere its account may work, gone after `remove`.

    `folder` only names it: two folders are two clusters. Settings are those of postgresql.conf.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder, self._settings = folder, {**COMMON, **DURABLE, "shared_buffers": "64MB", **settings}
        self.configure()

    def configure(self, **settings: str) -> None:
        """Add settings, for the next start."""
        self._settings |= settings
        self.cluster = PrivateCluster(self._folder, Profile("chaos", "postgres", 5432, self._settings))

    @property
    def url(self) -> str:
        return self.cluster.url

    def start(self) -> None:
        self.cluster.start()
        with psycopg.connect(self.url) as connection:
            for setting in DURABLE:
                kept = connection.execute("select current_setting(%s)", [setting]).fetchone()
                assert kept == ("on",), f"{setting} must be on for a crash to prove anything"

    def stop(self) -> None:
        self.cluster.stop()

    def stop_immediately(self) -> None:
        """As when the machine loses power, save that the disk keeps what it was told to keep."""
        self.run("pg_ctl", "stop", "-m", "immediate", "-D", self.cluster.data)

    def kill_a_backend(self, rng: Random, database: str) -> bool:
        """SIGKILL one session, after which Postgres ends them all and recovers. False when there is none."""
        sessions = "select pid from pg_stat_activity where datname = %s and backend_type = 'client backend'"
        with psycopg.connect(self.url, autocommit=True) as connection:
            pids = sorted(pid for (pid,) in connection.execute(sessions, [database]))
        if not pids:
            return False
        os.kill(rng.choice(pids), signal.SIGKILL)
        return True

    def run(self, program: str, *arguments: object) -> str:
        """Run one of this version's programs as the cluster's account. Raises ClusterBroken."""
        return self.run_plain(self.binaries.folder / program, *arguments)

    def run_plain(self, *command: object) -> str:
        """Run anything as that account. Raises ClusterBroken."""
        ran = run_as(self.cluster.account, command)
        if ran.returncode:
            raise ClusterBroken(f"{command[0]}: {(ran.stderr or ran.stdout).strip()}")
        return ran.stdout

    @property
    def binaries(self) -> Binaries:
        made_by = self.cluster.data / "PG_VERSION"
        major = int(made_by.read_text()) if made_by.is_file() else installed()[0].major
        return next(found for found in installed() if found.major == major)

    def remove(self) -> None:
        self.cluster.remove()
