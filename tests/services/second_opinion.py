"""An invented history, loaded the way real files are, beside the oracle that hears the same files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.kernel import OPERATOR
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest, ledger, one_child
from ew_app.services.measuring import statutory
from ew_app.services.measuring.frames import frame
from ew_app.services.measuring.judging import judge
from ew_app.services.measuring.measures import measures
from models.base import db
from models.queries import measuring, naming
from tests.oracle import laws, written
from tests.oracle.deliveries import Standing, hear, replay
from tests.oracle.district import Plan
from tests.oracle.histories import FileStep, History, MergeStep, OddStep, RosterStep, UndoStep
from tests.oracle.lines import cases, rows_to_the_lines
from tests.oracle.measures import Measures, Oracle
from tests.oracle.membership import Membership, last_day, school_year_start
from tests.oracle.rows import Delivery, Roster, SchoolDay, Session
from tests.oracle.state_laws import STATES, Answers, Told

BUCKETS = ("applied", "unchanged", "superseded", "rejected", "duplicate", "removed")
FACTS = (
    *("member_days", "absent_last_10", "absent_last_20", "absent_last_30", "unexcused_last_20", "unexcused_last_180"),
    *("attendance_days_180", "absent_first_20", "months_started", "present_ever"),
)
TIERS = ("none", "1", "watch", "2", "3")
SCHOOL_MONTHS = ("OH_42_HOURS_IN_A_MONTH", "OH_38_HOURS_IN_A_MONTH")


@contextmanager
def open_on(settings: Settings, today: date) -> Iterator[None]:
    """An application on the test's own database, on a day."""
    with create_app(replace(settings, today=today), screens=False).app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


class Witness:
    """Hears every step twice: the product through its doors, the oracle as plain rows."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.membership = Membership(self.roster)
        self.standing = Standing()
        self.deliveries: list[Delivery] = []
        self.claims: list[set[SchoolDay]] = []  # of each of them
        self.batches: list[int] = []
        self.repeats: dict[int, list[int]] = {}  # number of a file -> batches that said the same right after it
        self.chance = Random(0)

    def lives_through(self, history: History) -> None:
        for step in history.steps:
            if isinstance(step, RosterStep):
                self.roster_comes(step)
            elif isinstance(step, MergeStep):
                self.one_child(step)
            elif isinstance(step, UndoStep):
                self.taken_back(step.number)
            elif isinstance(step, OddStep):
                self.is_not_let_in(step)
            elif step.again:
                self.comes_again()
            else:
                self.file_comes(step)

    def roster_comes(self, step: RosterStep) -> None:
        """The roster's files at once; enrolments with exclusive exits by themselves."""
        inclusive = [stint for stint in step.stints if not stint.exclusive]
        exclusive = [stint for stint in step.stints if stint.exclusive]
        files = {
            "schools.csv": written.schools(step.schools),
            "schedule.csv": written.schedule(step.schools),
            "students.csv": written.students(step.students, step.people),
            "sessions.csv": written.sessions(step.sessions),
            "enrollments.csv": written.enrollments(inclusive),
            "calendar.csv": written.calendar(step.calendar),
            "absence_codes.csv": written.codes(step.codes),
        }
        told = self._load("roster", {name: data for name, data in files.items() if data.count(b"\n") > 1})
        pointed_out = [one for one in told["problems"] if "the dates of the calendar count" in one["reason"]]
        if exclusive:
            ends = {"exit": "exclusive"}
            self._load("roster", {"enrollments.csv": written.enrollments(exclusive)}, source="other", options=ends)
        self.roster.hear(
            students=step.students,
            schools=step.schools,
            calendar=step.calendar,
            stints=step.stints,
            codes=step.codes,
            people=step.people,
        )
        self.membership = Membership(self.roster)
        assert len(pointed_out) == sum(self._has_other_days(session) for session in step.sessions)
        self.standing = replay(self.deliveries, self.claims, self.membership)

    def _has_other_days(self, session: Session) -> bool:
        """Whether the school's calendar has another number of school days between the dates of a session."""
        days = [day for day in self.roster.calendar.values() if day.school == session.school and not day.calendar]
        return session.days != sum(day.instructional and session.begin <= day.date <= session.end for day in days)

    def one_child(self, step: MergeStep) -> None:
        one_child.merge(step.kept, step.gone, reason="The same child", by=OPERATOR)
        flagging.evaluate_touched()
        self.roster.same[step.gone] = step.kept
        self.membership = Membership(self.roster)
        self.standing = replay(self.deliveries, self.claims, self.membership)

    def file_comes(self, step: FileStep) -> None:
        """An attendance file; its counts must agree row by row."""
        heard = {"feed": step.delivery.feed, "source": step.delivery.source}
        told = self._load("attendance", self._files(step.delivery), accept_held=True, **heard)
        claimed = hear(self.standing, step.delivery, self.membership)
        counted = self.standing.counts[-1]
        differ = {name: (told[name], counted[name]) for name in BUCKETS if told[name] != counted[name]}
        assert not differ, f"batch {told['batch']}, product and oracle: {differ}"
        self.deliveries.append(step.delivery)
        self.claims.append(claimed)
        self.batches.append(told["batch"])

    def is_not_let_in(self, step: OddStep) -> None:
        """A file that must be refused or held; a held one is put away."""
        files = {"attendance.csv": step.content}
        batch = ingest.receive(kind="attendance", name=f"case {step.case}", files=files, source="sis", by=OPERATOR)
        ingest.load(batch)
        assert ingest.describe(batch)["status"] == step.ends, (step.case, ingest.describe(batch))
        if step.ends == "held":
            ingest.cancel(batch, by=OPERATOR)

    def goes_to_the_lines(self, plan: Plan) -> None:
        """A last file after which some students stand on a line between two bands, or a hair below it."""
        oracle = self.oracle(plan.today)
        as_of = max(day for day in oracle.through.values() if day)
        rows = rows_to_the_lines(oracle, plan.daily, as_of, self.chance)
        self.file_comes(FileStep(Delivery(tuple(rows))))

    def comes_again(self) -> None:
        last = self.deliveries[-1]
        told = self._load("attendance", self._last_files, feed=last.feed)
        assert told["status"] == "duplicate"
        self.repeats.setdefault(len(self.deliveries) - 1, []).append(told["batch"])

    def taken_back(self, number: int) -> None:
        ingest.take_back(self.batches[number], by=OPERATOR)
        ingest.undo(self.batches[number])
        if self.repeats.get(number):
            self.batches[number] = self.repeats[number].pop(0)  # it says the same from the same place
            return
        self.deliveries[number] = replace(self.deliveries[number], undone=True)
        self.standing = replay(self.deliveries, self.claims, self.membership)

    def _files(self, delivery: Delivery) -> dict[str, bytes]:
        files = {"attendance.csv": written.attendance(delivery.rows, self.chance)}
        if delivery.covers:
            files["covers.csv"] = written.school_days(delivery.covers)
        if delivery.submitted:
            files["submitted.csv"] = written.school_days(delivery.submitted)
        self._last_files = files
        return files

    def _load(self, kind: str, files: dict[str, bytes], **more: Any) -> dict[str, Any]:
        more = {"source": "sis"} | more
        batch = ingest.receive(kind=kind, name=kind, files=files, by=OPERATOR, **more)
        ingest.load(batch)
        told = ingest.describe(batch)
        assert told["status"] in ("applied", "duplicate"), told
        return told

    def oracle(self, today: date) -> Oracle:
        return Oracle(self.standing, self.membership, today)


Found = dict[tuple[str, ...], dict[str, Any]]


def published(as_of: date | None, scope: str) -> Found:
    """The rows of `ew measures` by student, or by student and school."""
    keys = ("student_id", "school_id") if scope == "school" else ("student_id",)
    return {tuple(row[key] for key in keys): row for row in measures(as_of, scope=scope)}


def expected(of: Measures, tier: str, whole: Measures) -> dict[str, str]:
    """What `ew measures` must say; `whole`: of the student in the district, whose tier it is in either scope.

    The range of tiers is between what stands and what open days can make of it.
    """
    rate, lowest, highest = of.rate_tenths, tier, tier
    if whole.open_days:
        lowest = min(tier, whole.tier_min, key=TIERS.index)
        highest = max(tier, whole.tier_max, key=TIERS.index)
    return {
        "enrolled_days": _days(of.enrolled),
        "absent_days": _days(of.absent),
        "excused_days": _days(of.excused),
        "unexcused_days": _days(of.unexcused),
        "federal_absent_days": _days(of.federal),
        "tardies": str(of.tardies),
        "absence_rate": "" if rate is None else f"{rate // 10}.{rate % 10}",
        "band": of.band,
        "too_early": "true" if of.too_early else "false",
        "missing_days": str(of.missing),
        "unknown_days": str(of.unknown),
        "streak_now": str(of.streak),
        "rate_tier": of.rate_tier,
        "tier_min": lowest,
        "tier_max": highest,
    }


def _days(mils: int) -> str:
    return f"{mils // 1000}.{mils % 1000:03d}".rstrip("0").rstrip(".")


def facts_of(as_of: date | None) -> Found:
    """The facts behind the rules, by student."""
    at = frame(as_of)
    students = measuring.students_between(at.start, at.day)
    judged = judge(students, at)
    keys = naming.student_keys([int(number) for number in students])
    if judged is None:
        return {}
    return {
        (keys[int(student)],): {name: int(judged.facts.named(name)[row, judged.last]) for name in FACTS}
        for row, student in enumerate(judged.students)
    }


def differences(found: Found, wanted: Found) -> list[str]:
    """One line for each number that differs."""
    lines = [f"{key}: only one side has a row" for key in sorted(found.keys() ^ wanted.keys())]
    for key in sorted(found.keys() & wanted.keys()):
        for name, value in wanted[key].items():
            if found[key][name] != value:
                lines.append(f"{key} {name}: product {found[key][name]}, oracle {value}")
    return lines


def differences_on(as_of: date | None, oracle: Oracle, happened: Counter[int]) -> list[str]:
    """Where the two disagree on a day: every column in both scopes, and the facts that rules look at; and how often
    somebody stood on a line, or was enrolled and nothing was ever sent."""
    end = as_of or max(day for day in oracle.through.values() if day)
    whole = {key: oracle.of_student(key[0], end) for key in published(as_of, "student")}
    happened.update(case for of in whole.values() for case in cases(of))
    happened[60] += sum(of.rate_tenths is None and of.missing > 0 for of in whole.values())
    facts = facts_of(as_of)
    lines = differences(facts, {key: {name: int(getattr(whole[key], name)) for name in FACTS} for key in facts})
    for scope in ("student", "school"):
        found = published(as_of, scope)
        of = {key: whole[key] if scope == "student" else oracle.at_school(*key, end) for key in found}
        wanted = {key: expected(of[key], row["tier"], whole[key[:1]]) for key, row in found.items()}
        lines += differences(found, wanted)
    return [f"as of {as_of}, {line}" for line in lines + _who_is_missing(as_of, end, oracle)]


def _who_is_missing(as_of: date | None, end: date, oracle: Oracle) -> list[str]:
    """Everybody with an enrolment in the school year has a row, and nobody else."""
    start = school_year_start(end)
    enrolled = {
        oracle.membership.roster.child(stint.student)
        for stint in oracle.membership.roster.stints.values()
        if stint.entry <= end and last_day(stint) >= start
    }
    return [f"{key}: a row too many or too few" for key in enrolled ^ {key for (key,) in published(as_of, "student")}]


def law_differences(oracle: Oracle, happened: Counter[int]) -> list[str]:
    """Where the two disagree on what laws count at the end of the last school day; and how often each unit had
    something to count."""
    through = max(day for day in oracle.through.values() if day)
    as_of = max(day for days in oracle.membership.open_days.values() for day in days if day <= through)
    lines: list[str] = []
    answers: dict[str, Answers] = {}
    for row in statutory.counts(as_of, states=sorted(STATES)):
        key = row["student_id"]
        if key not in answers:
            answers[key] = laws.answers(oracle, key, as_of)
        if row["measure"] in SCHOOL_MONTHS and len(oracle.schools_of(key)) > 1:
            continue  # of several schools the last one's months count, which the oracle does not know
        wanted = answers[key][row["measure"]]
        said = (row["value"], row["in_scope"], row["met"])
        right = (_amount(wanted), str(wanted.about).lower(), str(wanted.reached).lower())
        if said != right:
            lines.append(f"{key} {row['measure']}: product {said}, oracle {right}")
    for one in answers.values():
        happened[55] += one["FL_TEN_IN_90_DAYS"].amount > 0
        happened[56] += one["TX_TEN_IN_SIX_MONTHS"].amount > 0
        happened[57] += one["OH_72_HOURS_IN_A_YEAR"].amount > 0
    return lines


def _amount(told: Told) -> str:
    """As the product writes it: days or hours floored to thousandths, a share to tenths of a percent."""
    if told.of is None:
        return _days(int(told.amount * 1000))
    tenths = int(1000 * told.amount / told.of) if told.of else 0
    return f"{tenths // 10}.{tenths % 10}" if told.of else ""


def ledger_differences(oracle: Oracle) -> list[str]:
    """Where the day ledger and the oracle's disagree."""
    rows = {(row.school_id, row.date): row.status for row in ledger.days()}
    wanted = {at: oracle.ledger.status(*at) for at in rows}
    return [f"{at}: product {status}, oracle {wanted[at]}" for at, status in rows.items() if status != wanted[at]]
