"""Servers of one machine: they start, keep what they hold, are shared, and never outlive their owner."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ew_app.config import Settings, load_settings
from ew_app.local import LocalError, Servers, child

OWNER = """
import sys
from ew_app.config import load_settings
from ew_app.local import Servers
servers = Servers(load_settings({"EW_DATA_DIR": sys.argv[1]}), fast=True)
with servers as ready:
    print("owner" if servers.owned else "guest", ready.database_url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def embedded(data_dir: Path) -> Settings:
    return load_settings({"EW_DATA_DIR": str(data_dir)})


@contextmanager
def command(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Another command on the same data folder: the process, its part (owner or guest) and its database."""
    words = [sys.executable, "-c", OWNER, str(data_dir)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        part, url = process.stdout.readline().split()
        yield process, part, url
        if process.poll() is None:
            process.stdin.write("\n")


def servers_on(data_dir: Path) -> list[int]:
    """Numbers of the processes whose command line names this data folder, ours excepted."""
    if not Path("/proc/self").exists():
        pytest.skip("needs /proc")
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    lines = {pid: child.command_line(pid) for pid in numbers}
    return [pid for pid, line in lines.items() if str(data_dir) in line and OWNER[:20] not in line]


def eventually(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_both_answer_and_end_with_the_command(embedded: Settings) -> None:
    with Servers(embedded) as ready:
        assert ready.database_url and ready.redis_url and ready.secret_key
        with psycopg.connect(ready.database_url) as connection:
            assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
        with redis.Redis.from_url(ready.redis_url, decode_responses=True) as broker:
            assert broker.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
            assert broker.config_get("appendonly")["appendonly"] == "yes"
    assert servers_on(embedded.data_dir) == []


def test_a_second_start_keeps_what_was_stored(embedded: Settings) -> None:
    with Servers(embedded, fast=False) as ready:
        addresses = (ready.database_url, ready.redis_url)
        with psycopg.connect(str(ready.database_url)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        with redis.Redis.from_url(str(ready.redis_url)) as broker:
            broker.set("kept", "7")
    with Servers(embedded, fast=False) as ready:
        assert (ready.database_url, ready.redis_url) == addresses
        with psycopg.connect(str(ready.database_url)) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
        with redis.Redis.from_url(str(ready.redis_url)) as broker:
            assert broker.get("kept") == b"7"


def test_they_listen_on_this_machine_only_and_ask_for_the_password(embedded: Settings) -> None:
    with Servers(embedded, fast=True) as ready:
        with psycopg.connect(str(ready.database_url)) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        wrong = str(ready.database_url).replace(str(ready.database_url).split(":")[2].split("@")[0], "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        port = json.loads((embedded.data_dir / "servers.json").read_text())["redis"]
        with redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_nobody_else_can_read_the_password_or_the_files(embedded: Settings) -> None:
    with Servers(embedded, fast=True):
        for name in ("server_password", "valkey-data/valkey.conf"):
            assert stat.S_IMODE((embedded.data_dir / name).stat().st_mode) == 0o600
        for name in ("postgres", "valkey-data"):
            assert stat.S_IMODE((embedded.data_dir / name).stat().st_mode) == 0o700


def test_no_row_of_a_student_reaches_the_log(embedded: Settings) -> None:
    with Servers(embedded, fast=True) as ready, psycopg.connect(str(ready.database_url)) as connection:
        connection.execute("CREATE TABLE student (key text PRIMARY KEY, grade integer)")
        connection.commit()
        with (
            pytest.raises(psycopg.DataError),
            connection.cursor().copy("COPY student FROM STDIN") as copy,
        ):
            copy.write("Doe-4711\tninth\n")
        connection.rollback()
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 'Doe-4711'::integer")
    log = (embedded.data_dir / "postgres/server.log").read_text()
    assert "ERROR" in log
    assert "COPY student" not in log
    assert "SELECT" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the servers to another user")
def test_a_program_in_a_closed_folder_is_copied_with_its_libraries_to_where_the_server_can_reach_it(
    data_dir: Path, tmp_path: Path
) -> None:
    program, library = tmp_path / "site/server/bin/program", tmp_path / "site/server.libs/library"
    for file in (program, library):
        file.parent.mkdir(parents=True)
        file.touch(mode=0o755)
    tmp_path.chmod(0o700)
    needs = [program.parent.parent, library.parent]
    found = child.within_reach(program, shelter=data_dir / "copy", needs=needs)
    assert found == data_dir / "copy/server/bin/program"
    assert (data_dir / "copy/server.libs/library").exists()
    child.run(["/bin/sh", "-c", f"test -x {found}"], failing="The copy is out of reach.")


def test_a_second_command_joins_and_the_owner_waits_for_it(embedded: Settings) -> None:
    with command(embedded.data_dir) as (owner, part, owners_url):
        assert part == "owner"
        with Servers(embedded, fast=True) as ready:
            assert ready.database_url == owners_url
            assert owner.stdin
            owner.stdin.write("\n")  # the owner is done ...
            owner.stdin.flush()
            time.sleep(0.5)
            with psycopg.connect(str(ready.database_url)) as connection:  # ... and we still have our servers
                assert connection.execute("SELECT 1").fetchone() == (1,)
        assert owner.wait(15) == 0
    assert servers_on(embedded.data_dir) == []


def test_two_commands_at_once_start_one_pair(embedded: Settings) -> None:
    with command(embedded.data_dir) as (_, one, url), command(embedded.data_dir) as (_, other, same_url):
        assert {one, other} == {"owner", "guest"}
        assert url == same_url


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.skipif(sys.platform != "linux", reason="other systems end a survivor at the next start")
def test_the_servers_end_with_a_killed_owner(embedded: Settings, ending: signal.Signals) -> None:
    with command(embedded.data_dir) as (owner, _, url):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(owner.pid, ending)
        owner.wait()
        assert eventually(lambda: servers_on(embedded.data_dir) == [])
    with Servers(embedded, fast=True) as ready, psycopg.connect(str(ready.database_url)) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_the_next_start_follows_at_the_heels_of_a_kill(embedded: Settings) -> None:
    for _ in range(3):
        with command(embedded.data_dir) as (owner, part, _):
            assert part == "owner"
            owner.kill()
    assert eventually(lambda: servers_on(embedded.data_dir) == [])


def test_a_server_killed_outright_is_started_again_at_the_same_address(embedded: Settings) -> None:
    servers = Servers(embedded)
    with servers as ready:
        with psycopg.connect(str(ready.database_url)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        for name in servers._servers.values():
            assert name.process
            name.process.kill()
            name.process.wait()
        assert sorted(servers.mend()) == ["database", "redis"]
        assert servers.mend() == []
        with psycopg.connect(str(ready.database_url)) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_stale_pid_file_that_names_another_process_does_not_stop_the_start(embedded: Settings) -> None:
    with Servers(embedded, fast=True):
        pid_file = embedded.data_dir / "postgres/cluster/postmaster.pid"
        lines = pid_file.read_text().splitlines()
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        child.give(pid_file)
        with Servers(embedded, fast=True) as ready:
            psycopg.connect(str(ready.database_url)).close()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.communicate()


def test_an_interrupted_first_start_leaves_nothing_in_the_way(embedded: Settings) -> None:
    draft = embedded.data_dir / "postgres/draft"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with Servers(embedded, fast=True) as ready:
        psycopg.connect(str(ready.database_url)).close()
    assert not draft.exists()


def test_a_failed_start_shows_the_end_of_the_log_and_leaves_no_process(embedded: Settings) -> None:
    with Servers(embedded, fast=True):
        pass
    with (embedded.data_dir / "postgres/cluster/postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with (
        pytest.raises(LocalError, match="(?s)PostgreSQL ended while starting.*no_such_setting"),
        Servers(embedded, fast=True),
    ):
        pass
    assert servers_on(embedded.data_dir) == []


def test_a_folder_of_another_major_version_is_refused_with_the_way_out(embedded: Settings) -> None:
    with Servers(embedded, fast=True):
        pass
    (embedded.data_dir / "postgres/cluster/PG_VERSION").write_text("14\n")
    with pytest.raises(LocalError, match="made by PostgreSQL 14.*Restore a backup"), Servers(embedded):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_of_another_user_is_refused_with_the_way_out(data_dir: Path) -> None:
    (data_dir / "server_password").touch(mode=0o000)
    settings = load_settings({"EW_DATA_DIR": str(data_dir)})
    with pytest.raises(LocalError, match="server_password belongs to another user"), Servers(settings):
        pass


def test_servers_of_your_own_are_used_and_nothing_is_started(data_dir: Path) -> None:
    addresses = {"EW_DATABASE_URL": "postgresql://db/ew", "EW_REDIS_URL": "redis://redis"}
    with Servers(load_settings({"EW_DATA_DIR": str(data_dir), **addresses})) as ready:
        assert (ready.database_url, ready.redis_url) == ("postgresql://db/ew", "redis://redis")
    assert list(data_dir.iterdir()) == []


def test_only_the_missing_one_is_started(data_dir: Path) -> None:
    given = {"EW_DATA_DIR": str(data_dir), "EW_DATABASE_URL": "postgresql://db/ew"}
    with Servers(load_settings(given), fast=True) as ready:
        assert ready.database_url == "postgresql://db/ew"
        with redis.Redis.from_url(str(ready.redis_url)) as broker:
            assert broker.ping()
    assert not (data_dir / "postgres").exists()
