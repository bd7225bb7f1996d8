"""A Postgres with an archive: base backups, restore points, and the restore itself, as an operator does them."""

import time
from pathlib import Path

import psycopg

from tests.chaos.postgres import OwnPostgres

_ARCHIVED_WITHIN_S = 30
_OPEN_WITHIN_S = 60


class ArchivedPostgres(OwnPostgres):
    """Copies each finished piece of its log to a folder beside its data, which a lost disk does not take with it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._archive, self._backup = self.cluster.base / "archive", self.cluster.base / "backup"
        self.run_plain("mkdir", "-p", self._archive)
        kept = f"{self._archive}/%f"
        copy = f"'test ! -f {kept} && cp %p {kept}.part && mv {kept}.part {kept}'"  # whole or not at all
        self.configure(archive_mode="on", archive_command=copy, wal_level="replica")

    def back_up(self) -> None:
        self.run("pg_basebackup", "-d", self.url, "-D", self._backup, "-X", "none", "--checkpoint=fast")

    def name_this_moment(self, name: str) -> None:
        """A restore point, safe in the archive when this returns."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("select pg_create_restore_point(%s)", [name])
        self.archive_now()

    def archive_now(self) -> None:
        """Wait until all that is committed is in the archive."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute("select pg_walfile_name(pg_current_wal_lsn())").fetchone()
            connection.execute("select pg_switch_wal()")
        assert row is not None
        until = time.monotonic() + _ARCHIVED_WITHIN_S
        while time.monotonic() < until:
            if row[0] in self.run_plain("ls", self._archive).split():
                return
            time.sleep(0.05)
        raise TimeoutError(f"{row[0]} is not archived")

    def lose_disk_and_restore(self, *, to: str | None = None) -> None:
        """Power off, throw the data away, start from the backup and the archive; up to a named moment, or to its end.

        Returns when the server takes writes again, on a timeline of its own.
        """
        self.stop_immediately()
        data = self.cluster.data
        self.run_plain("rm", "-rf", data)
        self.run_plain("cp", "-a", self._backup, data)
        self.run_plain("touch", data / "recovery.signal")
        target = {"recovery_target_name": f"'{to}'"} if to else {}
        restore = f"'cp {self._archive}/%f %p'"
        self.configure(restore_command=restore, recovery_target_action="promote", **target)
        self.start()
        self._until_open()

    def _until_open(self) -> None:
        until = time.monotonic() + _OPEN_WITHIN_S
        with psycopg.connect(self.url, autocommit=True) as connection:
            while connection.execute("select pg_is_in_recovery()").fetchone() != (False,):
                if time.monotonic() > until:
                    raise TimeoutError("the restored server does not open for writing")
                time.sleep(0.05)
