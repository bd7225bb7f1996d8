"""The private Postgres under bad weather: crashes, leftovers, two starters, folders its account can't enter."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from callout import cluster
from callout.cluster import CHECKOUT, ClusterError, PrivateCluster
from callout.machine import installed

pytestmark = pytest.mark.skipif(
    not installed(), reason="no PostgreSQL with PostGIS on this machine (DATABASE_URL mode)"
)

START = "import sys, pathlib; from callout.cluster import PrivateCluster; "
START += "c = PrivateCluster.of('test', pathlib.Path(sys.argv[1])); c.start(); print(c.url)"


def open_to_all(folder: str) -> Path:
    """pytest's own temporary folders are closed to the server's account when root runs the tests."""
    path = Path(folder)
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield open_to_all(folder)
        for profile in cluster.PROFILES:
            PrivateCluster.of(profile, Path(folder)).remove()


@pytest.fixture
def private(checkout: Path) -> PrivateCluster:
    private = PrivateCluster.of("test", checkout)
    private.start()
    return private


def server_pid(private: PrivateCluster) -> int:
    return int((private.data / "postmaster.pid").read_text().split()[0])


def keep(private: PrivateCluster, table: str) -> None:
    with psycopg.connect(private.url) as connection:
        connection.execute(sql.SQL("CREATE TABLE {} ()").format(sql.Identifier(table)))


def kept(private: PrivateCluster, table: str) -> bool:
    with psycopg.connect(private.url) as connection:
        return connection.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone() == (True,)


def test_postgis_is_there_and_nothing_listens_on_tcp(private: PrivateCluster) -> None:
    with psycopg.connect(private.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        facts = connection.execute("SELECT current_setting('listen_addresses'), current_setting('fsync')").fetchone()
    assert facts == ("", "off")


def test_a_wrong_password_is_refused(private: PrivateCluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(private.url, password="guess")


def test_starting_again_leaves_the_running_server_alone(private: PrivateCluster) -> None:
    before = server_pid(private)
    private.start()
    assert server_pid(private) == before


def test_stopping_twice_is_no_error(private: PrivateCluster) -> None:
    assert private.stop()
    assert not private.stop()


def test_two_processes_starting_at_once_get_one_server(checkout: Path, private: PrivateCluster) -> None:
    private.stop()
    command = [sys.executable, "-c", START, str(checkout)]
    starters = [subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {starter.communicate(timeout=60)[0].strip() for starter in starters}
    assert said == {private.url}


def test_a_killed_demo_server_comes_back_with_all_that_was_committed(checkout: Path) -> None:
    private = PrivateCluster.of("demo", checkout)
    private.start()
    keep(private, "before_the_crash")
    os.kill(server_pid(private), signal.SIGKILL)
    private.start()
    assert kept(private, "before_the_crash")


def test_a_pid_file_that_names_some_other_process_does_not_block_the_start(private: PrivateCluster) -> None:
    private.stop()
    unrelated = subprocess.Popen(["sleep", "60"], user=private.account.uid if os.geteuid() == 0 else None)
    try:
        (private.data / "postmaster.pid").write_text(f"{unrelated.pid}\n{private.data}\n")
        private.start()
        assert private.answers()
    finally:
        unrelated.kill()
        unrelated.wait()


def test_data_deleted_below_a_running_server_makes_a_new_cluster(private: PrivateCluster) -> None:
    keep(private, "gone")
    shutil.rmtree(private.base)
    afresh = PrivateCluster.of("test", private.checkout)
    afresh.start()
    assert not kept(afresh, "gone")


def test_a_lost_password_is_replaced_and_the_data_kept(private: PrivateCluster) -> None:
    keep(private, "behind_the_password")
    (private.base / "password").unlink()
    private.start()
    assert kept(private, "behind_the_password")


def test_an_interrupted_first_start_is_made_good_by_the_next(private: PrivateCluster) -> None:
    private.remove()
    afresh = PrivateCluster.of("test", private.checkout)
    (afresh.base / "data.new").mkdir()
    (afresh.base / "data.new" / "PG_VERSION").write_text("15\n")
    afresh.start()
    assert afresh.answers()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Postgres as another account")
def test_a_checkout_closed_to_the_server_account_keeps_its_data_elsewhere() -> None:
    with tempfile.TemporaryDirectory() as closed:
        private = PrivateCluster.of("test", Path(closed))
        try:
            private.start()
            assert private.data.is_relative_to("/var/lib")
            assert PrivateCluster.of("test", Path(closed)).url == private.url
        finally:
            private.remove()
        assert not private.base.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Postgres as another account")
def test_a_cluster_copied_by_root_is_given_back_to_the_server_account(private: PrivateCluster) -> None:
    keep(private, "before_the_copy")
    private.stop()
    with tempfile.TemporaryDirectory() as folder:
        copy = open_to_all(folder) / ".state" / "postgres-test"
        copy.parent.mkdir()
        subprocess.run(["cp", "-r", private.base, copy], check=True)
        copied = PrivateCluster.of("test", Path(folder))
        copied.start()
        assert kept(copied, "before_the_copy")
        assert copied.base == copy
        copied.remove()


def test_the_last_user_out_stops_the_server(checkout: Path, private: PrivateCluster) -> None:
    hold = "import sys, pathlib; from callout.cluster import PrivateCluster, hold; "
    hold += "hold(PrivateCluster.of('test', pathlib.Path(sys.argv[1]))); print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(checkout)], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout
    assert other.stdout.readline() == b"held\n"
    cluster.hold(private)
    assert not private.stop_if_unused()
    other.communicate(timeout=10)
    assert private.stop_if_unused()


def test_a_given_server_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone@db.example/field")
    assert cluster.ensure() == "postgresql://someone@db.example/field"


def test_a_given_server_that_is_not_there_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone@127.0.0.1:1/field")
    with pytest.raises(ClusterError, match="unset DATABASE_URL"):
        cluster.check()


def test_a_given_server_without_superuser_is_explained(
    private: PrivateCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(private.url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS modest")
        connection.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'")
    monkeypatch.setenv(
        "DATABASE_URL",
        private.url.replace("postgres:", "modest:", 1).replace(private.url.split("@")[0].rpartition(":")[2], "modest"),
    )
    with pytest.raises(ClusterError, match="superuser"):
        cluster.check()
