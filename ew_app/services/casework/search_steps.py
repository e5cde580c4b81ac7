"""The steps of a search as tasks: each role that has steps left is asked for the next of them, by its day.

The list says what is wanted; `go_on` brings the tasks in line with it whenever either has changed, for many cases at
once. Who marks such a task as done has written the step on the list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, now, record, today
from ew_app.services.casework.staffing import Staff
from models.base import db
from models.cases import Case, Task
from models.duty import SearchDone
from models.queries import duty as rows
from models.queries import following
from rules.duty_of_care import BEGUN, FOUND, SearchStep, duty, is_whole, search_due

KIND = "search_step"
OVER = "The list goes on without this step."
LONGEST = 280


def go_on(cases: Collection[int]) -> None:
    """Ask for the next step of each role on these cases, and for nothing else; a constant number of statements."""
    db.session.flush()
    searches = rows.searches(cases) if cases else []
    asked: dict[tuple[int, str], list[Task]] = defaultdict(list)
    for task in rows.tasks_of(cases, KIND) if searches else ():
        asked[task.case_id or 0, step_of(task)].append(task)
    wanted = {(one.id, key): (one, step) for one in searches for key, step in _wanted(one)}
    for which, before in asked.items():
        for task in before:
            if task.status == "open" and which not in wanted:
                task.status, task.done_at, task.note = "withdrawn", now(), OVER
    missing = {which: one for which, one in wanted.items() if not any(task.status == "open" for task in asked[which])}
    if missing:
        _ask(missing, asked)
    db.session.flush()


def _wanted(one: rows.Searching) -> Iterable[tuple[str, SearchStep]]:
    """The first step that each role has left; nothing once the list has ended or the case is closed."""
    if one.closed or BEGUN not in one.done or is_whole(one.done):
        return
    seen = set()
    for key, step in duty().search.items():
        if key not in one.done and step.who not in seen:
            seen.add(step.who)
            yield key, step


def _ask(
    missing: Mapping[tuple[int, str], tuple[rows.Searching, SearchStep]], asked: Mapping[tuple[int, str], list[Task]]
) -> None:
    """What was withdrawn is taken up again; what was done on an earlier list is asked anew."""
    schools = {one.school_id for one, _ in missing.values()}
    staff = Staff(schools)
    days = following.school_days(schools, min(one.began or staff.on for one, _ in missing.values()))
    made = []
    for (case, key), (one, step) in missing.items():
        due = search_due(step, one.began or staff.on, days.get(one.school_id, []))
        if again := [task for task in asked[case, key] if task.status == "withdrawn"]:
            again[-1].status, again[-1].done_at, again[-1].note, again[-1].due = "open", None, "", due
            continue
        person, role = _doer(one, step.who, staff)
        made.append(
            {"case_id": case, "student_id": one.student_id, "school_id": one.school_id, "kind": KIND,
             "period": f"search/{one.number}/{one.episode}/{len(asked[case, key]) + 1}/{key}",
             "title": f"Look for the student: {_lower(step.label)}", "department": one.department, "owner_role": role,
             "owner_id": person, "due": due, "status": "open", "created_at": now(), "note": ""}
        )  # fmt: skip
        staff.loads[person or 0] += 1
    if made:
        db.session.execute(insert(Task).values(made).on_conflict_do_nothing())


def _doer(one: rows.Searching, role: str, staff: Staff) -> tuple[int | None, str]:
    """The case's owner where the role is theirs, else the nearest who holds it and is there; nobody: the owner."""
    able = {
        holder.person_id: (not holder.active(staff.on), holder.place.breadth)
        for holder in staff.near(one.school_id, one.homeroom)
        if holder.role == role and holder.holds(staff.on)
    }
    if not able or one.owner_id in able:
        return one.owner_id, role if able else one.owner_role
    return min(able, key=lambda person: (able[person], staff.loads[person], person)), role


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]


def step_of(task: Task) -> str:
    """The step of the list that a task asks for."""
    return task.period.rpartition("/")[2]


def follow_tasks(done: Sequence[Task], by: Actor) -> Sequence[Task]:
    """What was done as a task stands on the list; returns the tasks that asked for the search where that was the last.

    In the open transaction.
    """
    steps = [task for task in done if task.kind == KIND and task.case_id is not None]
    ended: list[Task] = []
    for task in steps:
        case = db.session.get_one(Case, task.case_id)
        written = {one.step for one in rows.search_steps(case)}
        if BEGUN in written and not {step_of(task), FOUND} & written:
            write(case, step_of(task), task.note[:LONGEST], by)
            if is_whole([*written, step_of(task)]):
                ended += rows.asked_to_search(case)
    go_on([task.case_id for task in steps if task.case_id is not None])
    return ended


def not_done(tasks: Sequence[Task]) -> None:
    """These tasks were not done after all: what they had written on the list is taken back."""
    steps = [task for task in tasks if task.kind == KIND and task.case_id is not None]
    for task in steps:
        for one in rows.search_steps(db.session.get_one(Case, task.case_id)):
            if one.step == step_of(task):
                one.taken_back_at = now()
    go_on([task.case_id for task in steps if task.case_id is not None])


def write(case: Case, step: str, words: str, by: Actor, once: str | None = None) -> None:
    """A step on the list, with its event, in the open transaction."""
    add(case, step, words, by, once)
    record("search_step", by=by, subject=f"case:{case.number}", student_id=case.student_id, case_id=case.id, step=step)


def add(case: Case, step: str, words: str, by: Actor, once: str | None = None) -> None:
    """The row of a step, or of the beginning."""
    db.session.add(
        SearchDone(
            case_id=case.id, episode=case.episode, step=step, words=words, on_day=today(), once=once,
            author_id=by.person_id, author=by.name, position=by.position, written_at=now(),
        )
    )  # fmt: skip
    db.session.flush()
