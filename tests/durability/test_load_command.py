"""`ew load` with a worker of its own and no schedule beside it: it gets over the loss of that worker by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ew_app.config import Settings
from tests.durability.district import District, differences, left
from tests.durability.holds import At, held
from tests.durability.machine import TODAY, children

RESENT_WITHIN = 45  # 20 s until work counts as lost, 10 s between looks, the start of a worker, the load


@pytest.mark.deep
def test_the_command_completes_after_its_worker_was_killed(small: District, fresh: Callable[[], Settings]) -> None:
    alone, disturbed = fresh(), fresh()
    with _load(alone, small) as command:
        assert command.wait() == 0
    with held(disturbed, At.DECIDING, batch=0) as hold, _load(disturbed, small) as command:
        hold.wait()
        (worker,) = (pid for pid in children(command.pid) if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.killpg(worker, signal.SIGKILL)
        hold.let_go()
        began = time.monotonic()
        assert command.wait() == 0
        assert time.monotonic() - began < RESENT_WITHIN
    assert differences(left(disturbed), left(alone)) == {}


def _load(settings: Settings, district: District) -> subprocess.Popen[bytes]:
    words = ["load", "attendance", *map(str, district.delivery), "--feed", "full", "--accept-held"]
    command = [sys.executable, "-m", "ew_app", *words]
    environment = settings.environment() | {"EW_TODAY": TODAY}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
