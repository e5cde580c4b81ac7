"""One child under two student ids: say so, see it as one, and take it back as if it had never been said.

How it works. A file speaks of a student by an id, and what it said is never rewritten: marks, rolls and totals stay
under that id. The gone id's row points at the kept student (`student.same_as`), and whoever measures reads the rows of
all ids as one child's; where two ids say something of the same day, the later delivery counts, as between any two
files. An enrolment belongs to the student its id stands for and remembers the id (`stint.former_id`), so lists, reach
and scopes need to know nothing of this. What people did (cases, tasks, contacts, causes, notes) moves to the kept
student and is written down row by row (`moved_row`); compartments and their readers stay what they were. Two open
cases become one: the kept student's goes on with the open tasks, running supports, asked help, planned visit and
search of both, the other closes as `merged`, and both say so. Later files may go on using the former id: its row is
still there to be found.

To take it back the pointer goes, enrolments follow their ids, and each moved row returns as it was; work that was
written since stays with the kept student. Pointer and enrolments leave their earlier forms in row_history and moved
work is dated by its merge, so `--known-at` before a merge tells the two as they were known then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select, text, update

from ew_app.kernel import Actor, NotFound, Refused, now, operation, record, today
from ew_app.services.casework import hand_over_rows, visit_ends
from ew_app.services.measuring.touched import ask_for_evaluation, touch_each
from ew_app.services.rosters.roster_targets import ROSTER_LOCK
from models import casebook, merging
from models.base import db
from models.cases import Case, CaseEpisode, Task
from models.merges import MovedRow, StudentMerge
from models.merging import BY_HAND
from models.people import Student
from models.queries import merging as rows
from models.queries.following import MERGED
from models.visits import Visit
from rules.stints import school_year_start
from rules.words import check_words

LONGEST_REASON = 500
_OF_A_CLOSING = ("status", "closed_on", "close_reason", "paused_until", "due", "next_step")


@dataclass(frozen=True, slots=True)
class Side:
    """One id with what is known of it."""

    key: str
    name: str
    birth_date: date | None
    grade: str
    marks: int
    rolls: int
    days: tuple[date | None, date | None]
    cases: int
    open_case: int | None
    tasks: int
    contacts: int
    stints: tuple[tuple[str, str, date, date | None], ...]  # school, its key, from, to
    same_as: str | None


def side(key: str) -> Side:
    """What is kept of one id. NotFound."""
    found = rows.side(key)
    if found is None:
        raise NotFound(f"There is no student {key}.")
    stints = tuple(tuple(row) for row in rows.stints(found.id))
    return Side(
        found.key, found.name, found.birth_date, found.grade, found.marks, found.rolls,
        (found.first_mark, found.last_mark), found.cases, found.open_case, found.tasks, found.contacts, stints,
        found.same_as,
    )  # fmt: skip


@operation
def merge(kept_key: str, gone_key: str, *, reason: str, by: Actor, batch_id: int | None = None) -> StudentMerge:
    """Say that `gone_key` is a former id of the student `kept_key`. Raises NotFound, Refused, UnfitWords."""
    _lock()
    if not reason.strip():
        raise Refused("Say in a sentence how you know that this is one child.")
    check_words(reason)
    kept, gone = _student(kept_key), _student(gone_key)
    _check(kept, gone)
    at, batch = now(), batch_id or BY_HAND
    said = StudentMerge(
        kept_id=kept.id, gone_id=gone.id, reason=reason.strip()[:LONGEST_REASON], batch_id=batch_id, merged_at=at,
        merged_by=by.login,
    )  # fmt: skip
    db.session.add(said)
    db.session.flush()
    _measure_again(kept, gone)
    for former in [gone, *_former_ids(gone)]:
        if former is not gone:
            db.session.add(MovedRow(merge_id=said.id, table_name="student", row_id=former.id))
        merging.point(former, kept.id, batch=batch, at=at)
    merging.place_stints([kept.id, gone.id], batch=batch, at=at)
    _one_visit(said, kept_key, by)
    _one_open_case(said, by)
    _one_of_each_task(said, kept_key, by)
    merging.move_work(said)
    db.session.expire_all()
    record("students_merged", by=by, subject=f"student:{kept.id}", student_id=kept.id, reason=said.reason, gone=gone.id)
    ask_for_evaluation()
    return said


@operation
def undo(gone_key: str, *, by: Actor) -> StudentMerge:
    """Take back that `gone_key` is a former id: both students as they would be without. Raises NotFound, Refused."""
    _lock()
    gone = _student(gone_key)
    said = db.session.scalar(
        select(StudentMerge).where(StudentMerge.gone_id == gone.id, StudentMerge.undone_at.is_(None))
    )
    if said is None:
        raise Refused(f"{gone_key} is not a former id of anybody.")
    kept = db.session.get_one(Student, said.kept_id)
    if kept.same_as is not None:
        raise Refused(f"{kept.key} was merged later itself. Take that back first, then this.")
    at = said.undone_at = now()
    said.undone_by = by.login
    others = select(MovedRow.row_id).where(MovedRow.merge_id == said.id, MovedRow.table_name == "student")
    for former in db.session.scalars(select(Student).where(Student.id.in_(others))):
        merging.point(former, gone.id, batch=BY_HAND, at=at)
    merging.point(gone, None, batch=BY_HAND, at=at)
    merging.place_stints([kept.id, gone.id], batch=BY_HAND, at=at)
    _open_again(said)
    merging.move_back(said)
    db.session.expire_all()
    _end_work(said, by)
    _measure_again(kept, gone)
    record("students_parted", by=by, subject=f"student:{kept.id}", student_id=kept.id, gone=gone.id)
    ask_for_evaluation()
    return said


def undo_of_batch(batch_id: int, *, by: Actor) -> list[str]:
    """Take back what a roster said of changed ids, the latest first; returns the former ids."""
    gone = select(Student.key).join(StudentMerge, StudentMerge.gone_id == Student.id)
    these = gone.where(StudentMerge.batch_id == batch_id, StudentMerge.undone_at.is_(None))
    keys = list(db.session.scalars(these.order_by(StudentMerge.id.desc())))
    for key in keys:
        undo(key, by=by)
    return keys


def _lock() -> None:
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ROSTER_LOCK})


def _student(key: str) -> Student:
    found: Student | None = db.session.scalar(select(Student).where(Student.key == key))
    if found is None:
        raise NotFound(f"There is no student {key}.")
    return found


def _check(kept: Student, gone: Student) -> None:
    """Refused where the two cannot become one, with what to do instead."""
    if kept.id == gone.id:
        raise Refused("These are the same id. Give the id that stays and the one that goes.")
    for one in (kept, gone):
        if one.same_as is not None:
            other = db.session.get_one(Student, one.same_as)
            raise Refused(f"{one.key} is a former id of {other.key} already. Use {other.key}, or take that back first.")


def _former_ids(student: Student) -> list[Student]:
    return list(db.session.scalars(select(Student).where(Student.same_as == student.id).order_by(Student.id)))


def _measure_again(kept: Student, gone: Student) -> None:
    """Both are decided anew from the first day of the year; while they are two, each for itself."""
    since = date(school_year_start(today()).year - 1, 7, 1)
    touch_each({kept.id: since, gone.id: since})


def _one_visit(said: StudentMerge, kept_key: str, by: Actor) -> None:
    """Of two visits to one family the kept student's stays planned. Refused while people are out for one of them."""
    under_way = rows.visits_under_way(said.kept_id, said.gone_id)
    if len(under_way) < 2:
        return
    if any(visit.status == "out" for visit in under_way.values()):
        raise Refused("Colleagues are on a visit to this family now. Say that it is one child once they are back.")
    why = f"A visit to student {kept_key}, who is the same child, is planned."
    merging.change(
        said, "visit", under_way[said.gone_id].id, status="called_off", called_off_why=why, address="", phone=""
    )
    visit_ends.tell_off(db.session.get_one(Visit, under_way[said.gone_id].id), by)


def _one_open_case(said: StudentMerge, by: Actor) -> None:
    """Where both have an open case, the kept student's goes on, with what the other still asked for."""
    cases = {case.student_id: case for case in db.session.scalars(_open_cases(said))}
    if len(cases) < 2:
        return
    goes_on, ends = cases[said.kept_id], cases[said.gone_id]
    open_tasks = select(Task.id).where(Task.case_id == ends.id, Task.status == "open").order_by(Task.id)
    for task in db.session.scalars(open_tasks).all():
        merging.change(said, "task", task, case_id=goes_on.id)
    for table, row in rows.goes_along(ends.id, goes_on.id):
        episode = {"episode": goes_on.episode} if table in ("plan_support", "search_done") else {}
        merging.change(said, table, row, case_id=goes_on.id, **episode)
    merging.change(said, "support_case", ends.id, **{name: getattr(ends, name) for name in _OF_A_CLOSING})
    casebook.close([ends.id], today(), MERGED, now(), by.login)
    for case, kind, other in ((ends, "case_goes_on", goes_on), (goes_on, "case_taken_in", ends)):
        record(
            kind, by=by, subject=f"case:{case.number}", student_id=said.kept_id, case_id=case.id, number=other.number
        )


def _open_again(said: StudentMerge) -> None:
    """The case that closed with the merge is open again, unless somebody has decided about it since."""
    for row in db.session.scalars(
        select(MovedRow).where(MovedRow.merge_id == said.id, MovedRow.table_name == "support_case")
    ):
        case = db.session.get_one(Case, row.row_id)
        if row.before and case.close_reason == MERGED:
            ended = CaseEpisode.case_id == case.id, CaseEpisode.episode == case.episode
            opened = {"closed_on": None, "close_reason": None, "closed_at": None}
            db.session.execute(update(CaseEpisode).where(*ended).values(opened))
        else:
            row.before = {}
    db.session.flush()


def _end_work(said: StudentMerge, by: Actor) -> None:
    """What came back to a case that was closed since is not needed any more, as if it had never been away."""
    closed = Case.student_id.in_((said.kept_id, said.gone_id)), Case.closed_on.is_not(None)
    cases = db.session.scalars(select(Case).where(*closed).order_by(Case.id)).all()
    casebook.end_work([case.id for case in cases], now(), by.login)
    visit_ends.of_cases([case.id for case in cases], visit_ends.CLOSED, by)
    for case in cases:
        hand_over_rows.end_helps(case, by)
    db.session.expire_all()


def _open_cases(said: StudentMerge) -> Select[Case]:
    return select(Case).where(Case.student_id.in_((said.kept_id, said.gone_id)), Case.closed_on.is_(None))


def _one_of_each_task(said: StudentMerge, kept_key: str, by: Actor) -> None:
    """A task or letter that both have is asked for once; the other stays on record under a name of its own."""
    for task in rows.open_tasks_alike(said.kept_id, said.gone_id):
        changed: dict[str, object] = {"period": f"{task.period} (student {said.gone_id})"}
        if task.status == "open":
            changed |= {"status": "withdrawn", "done_at": now(), "done_by": by.login}
            changed |= {"note": f"The same task of student {kept_key}, who is the same child, goes on."}
        merging.change(said, "task", task.id, **changed)
    for letter in rows.letters_alike(said.kept_id, said.gone_id):
        changed = {"period": f"{letter.period} (student {said.gone_id})"}
        if letter.status == "draft":
            changed |= {"status": "withdrawn", "withdrawn_at": now()}
            changed |= {"note": f"The same letter about student {kept_key}, who is the same child, stands."}
        merging.change(said, "letter", letter.id, **changed)
