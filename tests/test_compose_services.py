"""The commands of docker-compose.yml, started as they stand there, on the servers of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from ew_app.config import Settings, load_settings
from ew_app.local import Servers, child

COMPOSE = yaml.safe_load((Path(__file__).resolve().parent.parent / "docker-compose.yml").read_text())
SECONDS = 120  # a machine that also runs the other tests


@pytest.fixture
def ready(data_dir: Path) -> Iterator[Settings]:
    """Empty servers of this test's own; nothing is migrated yet."""
    with Servers(load_settings({"EW_DATA_DIR": str(data_dir)}), fast=True) as settings:
        yield settings


def environment(ready: Settings, port: int) -> dict[str, str]:
    """What the containers get: addresses, key, folder; and the `ew` of this environment on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**ready.environment(), "PATH": path, "EW_PORT": str(port)}


@contextmanager
def service(name: str, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One service as the file starts it; it must end by itself when asked to."""
    with log.open("wb") as out:
        command = COMPOSE["services"][name]["command"]
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process
        assert process.poll() is None, f"{name} ended:\n{child.tail(log)}"
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_the_services_of_the_file_come_up_and_find_each_other(ready: Settings, data_dir: Path) -> None:
    port = child.free_port(None)
    env = environment(ready, port)
    migrated = subprocess.run(COMPOSE["services"]["migrate"]["command"], env=env, capture_output=True, text=True)
    assert migrated.returncode == 0, migrated.stderr
    with ExitStack() as stack:
        for name in ("web", "worker", "beat"):
            stack.enter_context(service(name, env, data_dir / f"{name}.log"))
        deadline = time.monotonic() + SECONDS
        while not answers(f"http://127.0.0.1:{port}/readyz") and time.monotonic() < deadline:
            time.sleep(0.5)
        said = "\n".join(child.tail(data_dir / f"{name}.log") for name in ("web", "worker", "beat"))
        assert answers(f"http://127.0.0.1:{port}/healthz"), said
        assert answers(f"http://127.0.0.1:{port}/readyz"), said
        assert any((data_dir / "schedule").iterdir())
