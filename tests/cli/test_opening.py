"""The first start, with and without the demo."""

from __future__ import annotations

import dataclasses
import os
from datetime import date
from functools import partial

import pytest

from ew_app.cli.runtime import Runtime
from ew_app.config import load_settings
from ew_app.factory import create_app
from ew_app.kernel import today
from ew_app.services.system import audit, opening
from tests.cli.conftest import CommandLine

SMALL = {"networks": 1, "schools": 2, "students": 60}
RUN = Runtime(partial(create_app, screens=False))


@pytest.fixture
def without_a_date(fresh: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """An empty installation whose date is the clock's; its settings are this process's environment too."""
    env = {name: value for name, value in fresh.env.items() if name != "EW_TODAY"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return dataclasses.replace(fresh, env=env)


def test_the_demo_comes_in_by_the_real_import_on_its_own_day(without_a_date: CommandLine) -> None:
    with RUN.bare():
        promised = opening.at_its_day(load_settings(), demo=True)
        assert promised.today == date(2026, 11, 20)
        assert promised.environment()["EW_TODAY"] == "2026-11-20"
    with RUN.working() as app:
        assert today() == date(2026, 11, 20)
        said = "\n".join(opening.open_doors(demo=True, **SMALL))
        assert f"Ready at {app.extensions['ew'].address}" in said
        assert "counselor / demo" in said and "system_admin / demo" in said
        again = "\n".join(opening.open_doors(demo=True, **SMALL))
        assert "Loading" not in again and "counselor / demo" in again
    assert without_a_date.query("SELECT kind, status, count(*)::int FROM batch GROUP BY 1, 2 ORDER BY 1") == [
        ("attendance", "applied", 6),
        ("roster", "applied", 1),
    ]
    assert without_a_date.rows("tiers")[0]["data_through"] == "2026-11-19"


def test_the_demo_has_a_past_in_which_people_worked(without_a_date: CommandLine) -> None:
    with RUN.bare():
        opening.at_its_day(load_settings(), demo=True)
    with RUN.working():
        list(opening.open_doors(demo=True, networks=1, schools=6, students=300))
        assert audit.verify().broken is None
    ask = without_a_date.query
    opened = {day for (day,) in ask("SELECT DISTINCT opened FROM support_case")}
    assert min(opened) == date(2026, 9, 28) and len(opened) > 3
    worked = {day for (day,) in ask("SELECT DISTINCT on_day FROM outreach WHERE at::date = on_day")}
    assert min(worked) >= min(opened) and max(worked) == date(2026, 11, 19)
    assert ask("SELECT count(*)::int FROM outreach WHERE written_at::date <> on_day")[0][0] == 0
    assert ask("SELECT count(*)::int FROM support_case WHERE closed_on IS NULL AND due < '2026-11-20'")[0][0] > 0
    for table in ("support_case WHERE closed_on IS NOT NULL", "cause", "note", "task WHERE status = 'done'"):
        assert ask(f"SELECT count(*)::int FROM {table}")[0][0] > 0, table
    assert ask("SELECT received_by, sentence FROM batch WHERE status = 'held'") == [
        ("clerk.northgate", "Only 1 school is in this file; usually there are 6. "
         "If that is all it should hold, as when a school sends its own file, let it in. If not, send the whole file."),
    ]  # fmt: skip
    assert ask("SELECT count(*)::int FROM outbox WHERE done_at IS NULL")[0][0] == 0


def test_without_the_demo_people_read_how_to_begin(without_a_date: CommandLine) -> None:
    with RUN.app():
        said = list(opening.open_doors(demo=False))
    assert any("ew user add NAME --role system_admin --place district" in line for line in said)
    assert any("ew load roster" in line for line in said)
    without_a_date("user", "add", "ada", "--role", "system_admin", "--place", "district")
    with RUN.app():
        said = list(opening.open_doors(demo=True))
        assert load_settings().today is None and opening.at_its_day(load_settings(), demo=True).today is None
    assert said[0] == "This database holds a district already; the demo was not loaded."
    assert "user add" not in "\n".join(said)


def test_a_date_that_was_set_wins_over_the_demos(fresh: CommandLine) -> None:
    with RUN.bare(load_settings({**os.environ, **fresh.env})):
        ready = opening.at_its_day(load_settings({**os.environ, **fresh.env}), demo=True)
    assert ready.today == date(2026, 10, 5)
