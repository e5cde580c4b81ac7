"""The delivery that is disturbed, and everything that it leaves behind, for comparing two runs."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ew_app.config import Settings
from ew_app.demo import write_district
from ew_app.feeds import open_delivery
from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest
from tests.durability.machine import Machine, ask
from tests.durability.waits import until_done
from tests.opened import on

# A search is named after its case, whose number comes from a sequence: work that was rolled back leaves a gap.
NUMBERLESS = "regexp_replace(period, '(^|/)search/[0-9]+/', 'search/') AS period"
# What a load leaves behind, without row numbers, moments and the number of the batch.
LEFT: dict[str, str] = {
    "batch": "SELECT kind, status, counts, effect, sentence, percent, step FROM batch",
    "batch_slice": "SELECT key, counts FROM batch_slice",
    "problem": 'SELECT file, line, reason, "column", value, rejected, cause FROM problem',
    "mark": """SELECT school_id, student_id, day, period, source_id, code, fraction, minutes, section_key, reason,
        last_modified, file, line FROM mark""",
    "mark_history": "SELECT school_id, student_id, day, period, source_id, code, file, line, ended FROM mark_history",
    "roll": "SELECT source_id, school_id, day, code, file, students, lines, replaced_by IS NULL FROM roll",
    "submission": "SELECT school_id, day, feed, rows, whole, ended_at IS NULL FROM submission",
    "school_day": "SELECT school_id, day, status, feed, rows, expected, absences FROM school_day",
    "student_status": "SELECT * FROM student_status",
    "standing": "SELECT * FROM standing",
    "finding": "SELECT student_id, rule, since, until, numbers, sentence, withdrawn_at IS NULL FROM finding",
    "tier_change": "SELECT student_id, day, before, after, rules, sentence, withdrawn_at IS NULL FROM tier_change",
    "tier_count": "SELECT * FROM tier_count",
    "school_count": "SELECT * FROM school_count",
    "case": """SELECT student_id, school_id, kind, status, tier, episode, department, owner_role, owner_id, opened,
        contact_due, due, next_step FROM support_case""",
    "case_reason": """SELECT student_id, rule, r.episode, day, sentence, withdrawn_at IS NULL
        FROM case_reason r JOIN support_case c ON c.id = r.case_id""",
    "task": f"""SELECT student_id, kind, {NUMBERLESS}, title, rule, owner_role, owner_id, due, status FROM task""",
    "event": "SELECT kind, student_id, actor FROM event",
    "audit": "SELECT action, student_id, actor FROM audit_row",
    "waiting work": "SELECT job FROM outbox WHERE done_at IS NULL",
    "waiting students": "SELECT * FROM touched_student",
    "waiting blocks": "SELECT * FROM touched_block",
    "staged": "SELECT batch_id FROM staged_mark UNION ALL SELECT batch_id FROM staged_roll",
}
Left = dict[str, tuple[int, str]]


# Everything that is derived or stored and must not depend on who came first, except through the order of storing.
STANDS = {
    "marks": """SELECT school_id, student_id, day, period, source_id, code, fraction, minutes, reason, file, line
        FROM mark""",
    "earlier marks": "SELECT school_id, student_id, day, period, source_id, code, line, ended FROM mark_history",
    "rolls": "SELECT source_id, school_id, day, code, students, lines, replaced_by IS NULL FROM roll",
    "submissions": "SELECT school_id, day, feed, rows, whole, ended_at IS NULL FROM submission",
    "ledger": "SELECT school_id, day, status, feed, rows, expected, absences FROM school_day",
    "measures": "SELECT * FROM student_status",
    "standings": "SELECT * FROM standing",
    "findings": "SELECT student_id, rule, since, until, numbers, sentence FROM finding WHERE withdrawn_at IS NULL",
    "tiers": "SELECT student_id, day, before, after, rules, sentence FROM tier_change WHERE withdrawn_at IS NULL",
    "counts": "SELECT * FROM tier_count",
    "sums of counts": "SELECT * FROM school_count",
    "packed years": "SELECT block, school_id FROM touched_block UNION ALL SELECT student_id, 0 FROM touched_student",
}


@dataclass(frozen=True)
class District:
    """Files of an invented district, and a database that holds its roster and half of its attendance."""

    base: Settings
    delivery: list[Path]

    def receive(self, settings: Settings, *, name: str = "attendance.csv") -> int:
        """Hand the delivery in, as a clerk does; the number of its batch."""
        with on(settings):
            return self.receive_here(name)

    def receive_here(self, name: str, paths: list[Path] | None = None, *, preview: bool = False) -> int:
        """The same inside an open application; perhaps with other files, perhaps only to be checked."""
        files = open_delivery(paths or self.delivery)
        return ingest.receive(
            kind="attendance", name=name, files=files, by=OPERATOR, source="sis", feed="full", accept_held=True,
            preview=preview,
        )  # fmt: skip


def build(machine: Machine, folder: Path, *, students: int, schools: int, days: int) -> District:
    """Write the district, and load its roster and an earlier half in which some rows were still different."""
    write_district(folder, students=students, schools=schools, days=days, feed="full")
    delivery = [folder / "attendance.csv", folder / "covers.csv"]
    earlier = _earlier(folder / "attendance.csv", folder / "earlier" / "attendance.csv")
    base = machine.empty()
    ask(base, "ALTER TABLE school ALTER COLUMN id SET INCREMENT BY 30")  # a small delivery too has several slices
    with on(base):
        roster = ingest.receive(kind="roster", name="roster", files=open_delivery([folder]), by=OPERATOR, source="sis")
        assert ingest.load_now(roster) == "applied"
        half = ingest.receive(
            kind="attendance", name="earlier", files=open_delivery([earlier]), by=OPERATOR, source="sis", feed="full",
            accept_held=True,
        )  # fmt: skip
        assert ingest.load_now(half) == "applied"
    ask(base, "UPDATE outbox SET done_at = now()")
    return District(base, delivery)


def _earlier(whole: Path, half: Path) -> Path:
    """The first half of the days, with every fiftieth row saying "absent"."""
    rows = read_rows(whole)
    middle = sorted({row["date"] for row in rows})[len({row["date"] for row in rows}) // 2]
    rows = [row for row in rows if row["date"] < middle]
    for row in rows[::50]:
        row["code"] = "A"
    half.parent.mkdir()
    return write_rows(half, rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def left(settings: Settings) -> Left:
    """How many rows each kind has, and a sum over all they say."""
    return {kind: summed(settings, query) for kind, query in LEFT.items()}


def differences(one: Left, other: Left) -> dict[str, tuple[int, int]]:
    """The kinds in which two runs differ, with their numbers of rows."""
    return {kind: (one[kind][0], other[kind][0]) for kind in one if one[kind] != other[kind]}


def stands(settings: Settings) -> Left:
    """How many rows of each kind stand, and a sum over all they say."""
    return {kind: summed(settings, query) for kind, query in STANDS.items()}


def summed(settings: Settings, query: str) -> tuple[int, str]:
    summed = f"SELECT count(*), coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') FROM ({query}) t"
    ((count, said),) = ask(settings, summed)
    return count, said


def undisturbed(machine: Machine, district: District) -> Left:
    """What the delivery leaves behind when nothing is broken."""
    settings = machine.copy(district.base)
    batch = district.receive(settings)
    with machine.working(settings):
        until_done(settings, batch)
    found = left(settings)
    machine.drop(settings)
    return found
