"""`ew load` with a worker of its own and no schedule beside it: it gets over the loss of that worker by itself.

Killed with it, or alone, between the files of one command or in the middle of one, the same command once more ends as
though nothing had happened.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from ew_app.config import Settings
from ew_app.services.deciding import flagging
from tests.durability.clerks import ADDS_UP
from tests.durability.district import District, Left, differences, left, read_rows, stands, write_rows
from tests.durability.holds import At, held
from tests.durability.machine import TODAY, ask, children, wait_until
from tests.opened import on

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


FILES, ROUNDS = 5, 3
LEFT_OVER = "SELECT args FROM outbox WHERE job = 'load_batch' AND done_at IS NULL"


@pytest.mark.deep
@pytest.mark.parametrize("dies", ["the command", "its worker", "both"])
def test_a_command_of_several_files_that_is_killed_comes_to_the_same_end(
    small: District, fresh: Callable[[], Settings], tmp_path: Path, dies: str
) -> None:
    parts = replace(small, delivery=_in_parts(small, tmp_path))
    alone = fresh()
    with _load(alone, parts) as command:
        assert command.wait() == 0
    expected = _stands(alone)
    chance = Random(dies)
    for _ in range(ROUNDS):
        disturbed = fresh()
        with _load(disturbed, parts) as command:
            first = chance.randrange(FILES)
            wait_until(lambda: command.poll() is not None or _went_in(disturbed) >= first, what="some files")  # noqa: B023
            time.sleep(chance.uniform(0, 0.5))
            _kill(command, dies)
            ended = command.wait()
        assert ended in (0, -signal.SIGKILL)
        if ended:
            with _load(disturbed, parts) as command:
                assert command.wait() == 0
        assert ask(disturbed, LEFT_OVER) == []
        assert differences(_stands(disturbed), expected) == {}
        assert ask(disturbed, f"SELECT id, counts FROM batch WHERE NOT ({ADDS_UP})") == []
        with on(disturbed):
            flagging.evaluate_all()
        assert differences(_stands(disturbed), expected) == {}


def _stands(settings: Settings) -> Left:
    """All that counts; a file that comes once more after another spoke of its days is another delivery."""
    return {kind: found for kind, found in stands(settings).items() if kind not in ("earlier marks", "submissions")}


def _in_parts(district: District, folder: Path) -> list[Path]:
    """The delivery as several, each file with its own claims: some days after the others, and the day before them again
    with other codes, so that it matters which comes last."""
    files = []
    whole = [read_rows(path) for path in district.delivery]
    days = sorted({row["date"] for row in whole[0]})
    for number in range(FILES):
        begin, end = number * len(days) // FILES, (number + 1) * len(days) // FILES
        mine, again = set(days[max(0, begin - 1) : end]), days[begin - 1] if number else ""
        part = folder / f"part{number}"
        part.mkdir()
        for path, rows in zip(district.delivery, whole, strict=True):
            own = [dict(row) for row in rows if row["date"] in mine]
            for row in [row for row in own if row["date"] == again and row.get("code")][::7]:
                row["code"] = "A" if row["code"] != "A" else "P"
            write_rows(part / path.name, own)
        files.append(part)
    return files


def _went_in(settings: Settings) -> int:
    """How many files of the command are in."""
    ((number,),) = ask(settings, "SELECT count(*) FROM batch WHERE kind = 'attendance' AND status = 'applied'")
    return int(number) - 1  # the earlier half


def _kill(command: subprocess.Popen[bytes], who: str) -> None:
    """SIGKILL, so that nothing can say goodbye; the worker that it started with all its children."""
    workers = [pid for pid in children(command.pid) if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    if who != "its worker":
        command.kill()
    for worker in workers if who != "the command" else ():
        os.killpg(worker, signal.SIGKILL)


def _load(settings: Settings, district: District) -> subprocess.Popen[bytes]:
    words = ["load", "attendance", *map(str, district.delivery), "--feed", "full", "--accept-held"]
    command = [sys.executable, "-m", "ew_app", *words]
    environment = settings.environment() | {"EW_TODAY": TODAY}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
