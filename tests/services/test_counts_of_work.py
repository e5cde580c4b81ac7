"""Counts of work, as one and the same person may see them: no small number comes out.

The product's own functions tell what waits on departments, two mornings in a row, and how far help has come by role;
beside both lie the same reader's week (page and e-mail) and the list of work that waits. With the guard off the same
reader gets plenty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from ew_app.services.casework import rising
from ew_app.services.notices import week
from ew_app.services.watching import departments, parts
from models.queries.rising import Begun
from models.queries.week import Work
from rules.suppression import LEAST
from tests.services.reader import Reader

Rng = np.random.Generator

# -- what waits on departments, two mornings in a row ----------------------------------------------------------------


Line_ = tuple[int, int, int, int]  # open, late, days, done


def plain(lines: Sequence[Line_]) -> list[tuple[int | None, int | None, int | None]]:
    """Without the guard: what is small is kept back, and the rest stands there as it is."""
    return [
        (one if one >= LEAST else None, late if late >= LEAST else None, days if one + done >= LEAST else None)
        for one, late, days, done in lines
    ]


def mornings(
    rng: Rng, tell: Callable[[Sequence[Line_]], list[tuple[int | None, int | None, int | None]]], *, opens: bool = False
) -> list[str]:
    """Kinds of tasks of a department and their sum on two mornings between which nothing was done; what was told.

    opens: beside them the late tasks of the week, as somebody is told who may open the cases.
    """
    lines = []
    for _ in range(int(rng.integers(1, 5))):
        open_ = int(rng.integers(0, int(rng.choice([6, 14, 60]))))
        late, done = int(rng.integers(0, open_ + 1)), int(rng.integers(0, 40))
        lines.append((open_, late, 3 * open_ + 2 * done, done))
    reader, exact = Reader(), tell is plain
    names = [[str(at)] for at in range(len(lines))]
    for day in (0, 1):
        today_ = [(open_, late, days + day * open_, done) for open_, late, days, done in lines]
        whole: Line_ = tuple(sum(part) for part in zip(*today_, strict=True))  # type: ignore[assignment]
        told = [*zip(names, tell(today_), strict=True), (sum(names, []), tell([whole])[0])]
        for who, (open_, late, days) in told:
            for kind, shown in (("open", open_), ("late", late), (f"days{day}", days)):
                reader.sees([(kind, one) for one in who], shown, exact=exact or shown == 0, least=0)
    late_tasks = sum(late for _, late, *_ in lines)
    told_of_week = week.told({"counselor": Work(late_tasks=late_tasks)}, names=opens)[1].late_tasks
    if told_of_week:
        reader.knows([("late", one) for (one,) in names], told_of_week)
    for (one,) in names:
        reader.knows({("late", one): 1.0, ("in time", one): 1.0, ("open", one): -1.0}, 0)
        reader.knows({("days0", one): 1.0, ("open", one): 1.0, ("days1", one): -1.0}, 0)
    small = {
        frozenset([(kind, str(at))]): number
        for at, (open_, late, *_) in enumerate(lines)
        for kind, number in (("open", open_), ("late", late))
        if 0 < number < LEAST  # that nothing waits is told: it is about nobody
    }
    return [f"{lines} {set(cell)}" for cell in reader.recovers(small)]


@pytest.mark.parametrize("pairs", [60, pytest.param(2000, marks=pytest.mark.deep)])
def test_two_mornings_of_a_department_tell_no_small_number(pairs: int) -> None:
    told = [one for seed in range(pairs) for one in mornings(np.random.default_rng(seed), departments._told)]
    assert not told, "\n".join(told[:10])
    assert [one for seed in range(60) for one in mornings(np.random.default_rng(seed), plain)]
    both = [one for seed in range(60) for one in mornings(np.random.default_rng(seed), departments._told, opens=True)]
    assert both, "late tasks of the week, added up, would tell what Departments keeps back"


# -- how far help has come, by role -----------------------------------------------------------------------------------


def roles_of(rng: Rng, guarded: bool, *, opens: bool = False) -> list[str]:
    """A network of two schools by role, beside the exact sums of each school, the week and what waits; what was told.

    opens: the week and what waits as somebody is told who may open the cases.
    """
    measures = ("planned", "late", "unowned")
    keys = [str(n) for n in range(int(rng.integers(2, 5)))]
    cases = {(school, key): int(rng.integers(0, int(rng.choice([8, 20, 90])))) for school in (0, 1) for key in keys}
    parts_ = {(m, *at): int(rng.integers(0, n + 1)) for at, n in cases.items() for m in measures}
    reader = Reader()
    for school in (0, 1):
        for measure in measures:
            names = [(measure, school, key) for key in keys]
            reader.knows(names, sum(parts_[name] for name in names))
        reader.knows([("cases", school, key) for key in keys], sum(cases[school, key] for key in keys))
    for school, key in cases:
        for measure in measures:
            reader.knows(
                {(measure, school, key): 1.0, ("not", measure, school, key): 1.0, ("cases", school, key): -1.0}, 0
            )
    for school in (0, 1):
        _reads_the_week(reader, school, keys, cases, parts_, opens=opens)
    for schools in ((0, 1),) if guarded else ((0,), (1,), (0, 1)):
        for key, line in zip(keys, _role_lines(cases, parts_, keys, schools, guarded), strict=True):
            for measure, shown in zip(("cases", *measures), line, strict=True):
                reader.sees([(measure, school, key) for school in schools], shown, exact=not guarded)
    small = {frozenset([name]): n for name, n in parts_.items() if n < LEAST}
    small |= {frozenset([("cases", *at)]): n for at, n in cases.items() if n < LEAST}
    busy = {name[:2] for name, n in parts_.items() if n} | {("cases", school) for (school, _), n in cases.items() if n}
    return [str(set(cell)) for cell in reader.recovers({c: n for c, n in small.items() if next(iter(c))[:2] in busy})]


def _reads_the_week(
    reader: Reader, school: int, keys: Sequence[str], cases: dict[tuple[int, str], int],
    parts_: dict[tuple[str, int, str], int], *, opens: bool,
) -> None:  # fmt: skip
    """The rows of /week and /waiting of one school: open, late and unowned cases, and new ones against the hours."""
    work = {
        key: Work(open=cases[school, key], late=parts_["late", school, key], unowned=parts_["unowned", school, key])
        for key in keys
    }
    by_role, total = week.told(work, names=opens)
    for key, one in by_role.items():
        for measure, number in (("cases", one.open), ("late", one.late), ("unowned", one.unowned)):
            reader.knows([(measure, school, key)], number)
    for measure, number in (("cases", total.open), ("late", total.late), ("unowned", total.unowned)):
        reader.knows([(measure, school, key) for key in keys], number)
    begun = [(Begun(1, "", key, f"school:{school}", None, cases[school, key], 0), 5) for key in keys]
    for line in rising.room_lines(begun, exact=opens):
        if line.begun:
            reader.knows([("cases", school, line.begun.role)], line.begun.new)


def _role_lines(
    cases: dict[tuple[int, str], int], parts_: dict[tuple[str, int, str], int], keys: Sequence[str],
    schools: Sequence[int], guarded: bool,
) -> list[tuple[int | None, ...]]:  # fmt: skip
    numbers = [
        [sum(parts_[measure, school, key] for school in schools) for measure in ("planned", "late", "unowned")]
        for key in keys
    ]
    whole = [sum(cases[school, key] for school in schools) for key in keys]
    if not guarded:
        lines = ((all_, *some) for all_, some in zip(whole, numbers, strict=True))
        return [tuple(n if n >= LEAST else None for n in line) for line in lines]
    tables = [[(row[at], n - row[at]) for row, n in zip(numbers, whole, strict=True)] for at in range(3)]
    told = parts.told_together("Role", keys, ("", ""), tables, margin=parts.MARGIN)
    return [(told[0].totals[at], *(one.rows[at][0] for one in told)) for at in range(len(keys))]


@pytest.mark.parametrize("pairs", [40, pytest.param(700, marks=pytest.mark.deep)])
def test_roles_of_a_network_tell_no_small_number(pairs: int, capsys: pytest.CaptureFixture[str]) -> None:
    told = [one for seed in range(pairs) for one in roles_of(np.random.default_rng(seed), True)]
    plainly = [one for seed in range(20) for one in roles_of(np.random.default_rng(seed), False)]
    beside = [one for seed in range(20) for one in roles_of(np.random.default_rng(seed), True, opens=True)]
    with capsys.disabled():
        print(f"\nroles of {pairs} networks: {len(told)} recovered; without the guard {len(plainly)} from 20,")
        print(f"and {len(beside)} with the week and what waits by role beside it")
    assert plainly and beside and not told, "\n".join(told[:10])
