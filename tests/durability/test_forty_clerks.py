"""Two clerks of each school bring in the morning at once, twenty schools in parallel, through the import page.

Their files overlap, and the second corrects rows of the first. What is there at the end must be what the same files
leave behind one after the other, in the order in which they were stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from ew_app.config import Settings
from ew_app.demo import write_district
from ew_app.feeds import open_delivery
from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest
from tests.durability.clerks import ADDS_UP, all_over, conflicts
from tests.durability.district import read_rows, stands, write_rows
from tests.durability.machine import Machine, ask, wait_until
from tests.durability.office import Clerk, Office, Page, open_office
from tests.opened import on

SCHOOLS = 20
SMALL, LARGE = 1_000, 10_000  # students
LAST_DAYS = 6  # that the files of this morning speak of; half of them had come in before
PROMISED = 5  # seconds within which nineteen of twenty have their answer, at the size of schools as they are


@dataclass(frozen=True)
class Morning:
    """A district of twenty schools, and the two files of each."""

    base: Settings
    files: dict[str, tuple[bytes, bytes]]


@pytest.fixture(scope="module", params=[SMALL, pytest.param(LARGE, marks=pytest.mark.deep)], ids="{} students".format)
def morning(machine: Machine, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Morning:
    folder = tmp_path_factory.mktemp("forty")
    write_district(folder, students=request.param, schools=SCHOOLS, days=40)
    rows = read_rows(folder / "attendance.csv")
    last = sorted({row["date"] for row in rows})[-LAST_DAYS:]
    (folder / "earlier").mkdir()
    earlier = write_rows(
        folder / "earlier" / "attendance.csv", [row for row in rows if row["date"] < last[LAST_DAYS // 2]]
    )
    base = machine.empty()
    with on(base):
        _load("roster", [folder])
        _load("attendance", [earlier])
    ask(base, "UPDATE outbox SET done_at = now()")
    return Morning(base, _two_a_school(folder, [row for row in rows if row["date"] >= last[0]]))


def _load(kind: str, paths: Sequence[Path]) -> None:
    batch = ingest.receive(kind=kind, name=kind, files=open_delivery(paths), by=OPERATOR, accept_held=True)
    assert ingest.load_now(batch) == "applied"


def _two_a_school(folder: Path, rows: list[dict[str, str]]) -> dict[str, tuple[bytes, bytes]]:
    """School -> the file of each clerk: the second begins two days later and corrects every fifth row."""
    found = {}
    later = sorted({row["date"] for row in rows})[2]
    for school in sorted({row["school_id"] for row in rows}):
        one = [row for row in rows if row["school_id"] == school]
        two = [dict(row) for row in one if row["date"] >= later]
        for row in two[::5]:
            row["code"] = "E" if row["code"] != "E" else "A"
        both = write_rows(folder / f"{school}-1.csv", one), write_rows(folder / f"{school}-2.csv", two or one)
        found[school] = both[0].read_bytes(), both[1].read_bytes()
    return found


@pytest.fixture
def settings(machine: Machine, morning: Morning) -> Iterator[Settings]:
    """A copy of the district's database, for one morning."""
    copy = machine.copy(morning.base)
    yield copy
    machine.drop(copy)


def test_forty_clerks_at_once_end_as_one_after_the_other(
    machine: Machine, morning: Morning, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_office(settings) as office, machine.working(settings, concurrency=2):
        clerks = _clerks(office, morning)
        pages = _all_at_once(clerks)
        wait_until(lambda: all_over(settings), what="the end of all batches")
    with capsys.disabled():
        print(f"\n{_told(settings, clerks)}")
    assert conflicts(settings) == 0, "deadlocks, or work that was begun twice"
    assert _ends(settings).keys() <= {"applied", "held", "duplicate"}
    assert all(page.heading for page in pages)
    assert _sums_that_are_wrong(settings) == []
    assert stands(settings) == _one_after_the_other(machine, morning, settings)


def _clerks(office: Office, morning: Morning) -> list[Clerk]:
    """Two of each school; at the last one both have the same file."""
    *others, last = morning.files
    files = {school: morning.files[school] for school in others} | {last: (morning.files[last][0],) * 2}
    return [
        office.clerk(f"clerk{which}.{school}", school, {f"{school}-{which}.csv": content})
        for school, both in files.items()
        for which, content in enumerate(both)
    ]


def _all_at_once(clerks: Sequence[Clerk]) -> list[Page]:
    """Everybody has the import page open, and sends in the same moment."""
    for clerk in clerks:
        clerk.sit_down()
    with ThreadPoolExecutor(len(clerks)) as office:
        return list(office.map(Clerk.bring_in, clerks))


def _ends(settings: Settings) -> dict[str, int]:
    """How the deliveries ended, with how many of each."""
    ended = "CASE WHEN status = 'previewed' THEN counts->>'would_be' ELSE status END"
    return dict(ask(settings, f"SELECT {ended}, count(*) FROM batch WHERE options ? 'once' GROUP BY 1"))


def _sums_that_are_wrong(settings: Settings) -> list[tuple[int, str]]:
    """Deliveries whose buckets do not add up to the rows that came."""
    return ask(settings, f"SELECT id, counts FROM batch WHERE NOT ({ADDS_UP})")


def _one_after_the_other(machine: Machine, morning: Morning, together: Settings) -> dict[str, tuple[int, str]]:
    """What the same files leave behind when each is in before the next is sent."""
    alone = machine.copy(morning.base)
    with on(alone):
        for name, content in _as_stored(together):
            batch = ingest.receive(kind="attendance", name=name, files={name: content}, by=OPERATOR, accept_held=True)
            assert ingest.load_now(batch) == "applied"
    found = stands(alone)
    machine.drop(alone)
    return found


def _as_stored(settings: Settings) -> list[tuple[str, bytes]]:
    """The files that went in, in the order in which their rows were stored."""
    stored = ask(
        settings,
        """
        SELECT f.name, f.content FROM batch b JOIN batch_file f ON f.batch_id = b.id JOIN LATERAL (
            SELECT min(recorded_at) AS stored FROM submission WHERE batch_id = b.id) s ON true
        WHERE b.status = 'applied' AND b.options ? 'once' ORDER BY s.stored
        """,
    )
    return [(name, zlib.decompress(content)) for name, content in stored]


def _told(settings: Settings, clerks: Sequence[Clerk]) -> str:
    """What the clerks waited for, and how long."""
    ((begun, ended),) = ask(settings, "SELECT min(created_at), max(done_at) FROM outbox WHERE job = 'load_batch'")
    jobs = [
        float(seconds)
        for (seconds,) in ask(
            settings, "SELECT extract(epoch FROM done_at - created_at) FROM outbox WHERE job = 'load_batch'"
            " AND created_at >= %s", begun,
        )
    ]  # fmt: skip
    pages = [seconds for clerk in clerks for seconds in clerk.waited]
    return (
        f"{len(clerks)} clerks, {SCHOOLS} schools: {_ends(settings)} in {(ended - begun).total_seconds():.1f} s\n"
        f"  from the click to the answer on the page: {_spread(pages)}\n"
        f"  from asking to the end of the work: {_spread(jobs)}"
    )


def _spread(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    parts = (("half within", 0.5), ("95 of 100 within", 0.95), ("the last after", 1))
    return ", ".join(f"{words} {ordered[min(int(len(ordered) * at), len(ordered) - 1)]:.2f} s" for words, at in parts)
