"""`ew up`: everything starts in order, what ends is started again, and no ending leaves a process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ew_app import up
from ew_app.config import load_settings
from ew_app.local import LocalError, child

# A stand-in for the worker that ignores the request to stop and has a child of its own.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]])
print("at work", flush=True)
time.sleep(600)
"""
AT_WORK = r"worker \| at work"
EVERYTHING = """
import sys
from ew_app import up
from ew_app.config import load_settings
settings = load_settings()
mark = str(settings.data_dir)  # in each command line, so that a survivor is found
up.STOP_SECONDS = 3
up.run_all(
    settings,
    before=lambda ready: print("migrating", flush=True),
    after=lambda ready: print("ready at", ready.address, flush=True),
    commands={
        "web": [sys.executable, "-m", "http.server", str(settings.port), "-b", settings.host, "-d", mark],
        "worker": [sys.executable, "-c", sys.argv[1], mark],
    },
    say=lambda line: print(line, flush=True),
)
"""


@contextmanager
def everything(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """`up.run_all` as a process, with stand-ins for web and worker."""
    env = {**os.environ, "EW_DATA_DIR": str(data_dir), "EW_PORT": str(child.free_port(None))}
    words = [sys.executable, "-c", EVERYTHING, STUBBORN]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for pid in left(data_dir, "time.sleep"):
                os.kill(pid, signal.SIGKILL)


def read_until(process: subprocess.Popen[str], *patterns: str) -> str:
    """The output up to the line by which every pattern has come, in whatever order."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if all(re.search(pattern, said) for pattern in patterns):
            return said
    raise AssertionError(f"{patterns} never came in:\n{said}")


def left(data_dir: Path, word: str = "") -> list[int]:
    """Processes of the services and servers whose command line names the data folder."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    lines = {pid: child.command_line(pid) for pid in pids}
    return [pid for pid, line in lines.items() if str(data_dir) in line and word in line]


def none_left(data_dir: Path, but: Iterable[int] = ()) -> bool:
    """All processes on the data folder end within 20 s, those in `but` aside."""
    deadline = time.monotonic() + 20
    while set(left(data_dir)) - set(but) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not set(left(data_dir)) - set(but)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_everything_starts_in_order_and_one_signal_ends_it_all(data_dir: Path, ending: signal.Signals) -> None:
    with everything(data_dir) as process:
        said = read_until(process, "ready at http://127.0.0.1:", AT_WORK)
        assert said.index("migrating") < said.index("ready")
        process.send_signal(ending)
        assert "worker did not stop in" in read_until(process, "is ended")
        assert process.wait(30) == 0
        assert none_left(data_dir)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems end a survivor at the next start")
def test_killing_it_outright_ends_servers_and_web(data_dir: Path) -> None:
    with everything(data_dir) as process:
        read_until(process, "ready at", AT_WORK)
        stubborn = left(data_dir, "time.sleep")  # it ignores every request: not part of this promise
        process.kill()
        process.wait()
        assert none_left(data_dir, but=stubborn)


def test_a_service_that_ends_is_started_again_and_its_children_end_with_it(data_dir: Path) -> None:
    with everything(data_dir) as process:
        read_until(process, "ready at", AT_WORK)
        before = left(data_dir, "time.sleep")
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        assert "worker ended with code -9; it starts again in 1 s." in read_until(process, "starts again")
        read_until(process, AT_WORK)
        assert not set(before) & set(left(data_dir, "time.sleep"))
        process.send_signal(signal.SIGINT)
        read_until(process, "is ended")
        assert process.wait(30) == 0


def test_a_second_one_on_the_same_folder_is_refused(data_dir: Path) -> None:
    with everything(data_dir) as first:
        read_until(first, "ready at")
        with everything(data_dir) as second:
            read_until(second, "LocalError: Another `ew` command runs the servers in")
    assert none_left(data_dir)


def test_a_slow_start_is_waited_for_and_a_failure_while_opening_stops_everything(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"EW_DATA_DIR": str(data_dir), "EW_PORT": str(port := child.free_port(None))}

    def fail(_: object) -> None:
        raise LookupError("no demo today")

    slow = "import http.server as web, sys, time; time.sleep(2); web.test(port=int(sys.argv[1]), bind='127.0.0.1')"
    web = [sys.executable, "-c", slow, str(port), str(data_dir)]
    monkeypatch.setattr(up, "WEB_SECONDS", 0.5)
    said: list[str] = []
    with pytest.raises(LookupError, match="no demo today"):
        up.run_all(load_settings(env), before=lambda _: None, after=fail, commands={"web": web}, say=said.append)
    assert any("has not answered in" in line and "We go on waiting" in line for line in said)
    assert none_left(data_dir)


def test_a_taken_port_is_said_before_anything_starts(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = load_settings({"EW_DATA_DIR": str(data_dir), "EW_PORT": str(port)})
        with pytest.raises(LocalError, match=f"cannot listen on 127.0.0.1:{port} .* set EW_PORT"):
            up.run_all(settings, before=lambda _: None, after=lambda _: None)
    assert list(data_dir.iterdir()) == []


def test_whatever_starts_a_part_does_not_load_the_application_first() -> None:
    asked = "import sys, ew_app.__main__, ew_app.cli.parts; print({'flask', 'sqlalchemy', 'celery'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
