"""Looking for a student who cannot be found: a list with days, who did what, and a copy to the network.

It begins by itself when a rule asks to look (search_rows), or when a person begins it; from that moment the network's
re-engagement contact has a task with the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ew_app.kernel import WORKER, Actor, Refused, now, operation, record, today
from ew_app.services.casework import reaching, search_steps, tasks
from ew_app.services.casework.pupils import year_text
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.casework.search_rows import COPY, copy_for_network, copy_period, next_copy
from ew_app.services.casework.staffing import Staff
from models import casebook
from models.cases import Case
from models.duty import SearchDone
from models.queries import duty as rows
from models.queries import following
from rules.access import Permission
from rules.case_flow import Action, Status, move
from rules.duty_of_care import BEGUN, FOUND, SearchStep, duty, is_whole, search_due
from rules.words import check_words

MAY = (Permission.WORK_CASE, Permission.LOG_OUTREACH)
LONGEST = 280
FOUND_NOTE = "The student was found."


@dataclass(frozen=True, slots=True)
class Line:
    """A step of the list: due by a day, done or not yet."""

    step: SearchStep
    due: date
    done: SearchDone | None


@dataclass(frozen=True, slots=True)
class Search:
    """The list as it stands. `by_itself`: no person began it. `found`: the entry that ended it, if there is one."""

    began: date
    by_itself: bool
    lines: tuple[Line, ...]
    found: SearchDone | None

    @property
    def whole(self) -> bool:
        """Whether it has ended: every step is done, or the student was found."""
        return self.found is not None or all(line.done for line in self.lines)


def search_of(case: Case) -> Search | None:
    """The search in the case's episode; None before it began."""
    done = {one.step: one for one in rows.search_steps(case)}
    if BEGUN not in done:
        return None
    began = done[BEGUN].on_day
    days = following.school_days([case.school_id], began).get(case.school_id, [])
    lines = (Line(step, search_due(step, began, days), done.get(key)) for key, step in duty().search.items())
    return Search(began, done[BEGUN].position == WORKER.position, tuple(lines), done.get(FOUND))


@operation
def begin(case_number: int, *, by: Actor, again: bool = False) -> Search:
    """Begin the list, with a copy to the network; twice it is begun once. `again`: anew, as a student who was found is
    gone again; from a page that knows nothing of it the list stays as it is.

    Raises NotFound, NotAllowed, IllegalMove.
    """
    held = reaching.case_at_hand(case_number, by, *MAY)
    before = search_of(held.case)
    if before is None or (again and before.found is not None):
        move(Status(held.case.status), Action.OUTREACH)
        if before is not None:
            casebook.take_searches_back([held.case.id], now())
        search_steps.add(held.case, BEGUN, "", by)
        search_steps.go_on([held.case.id])
        _copy_to_network(held)
        _tell(held.case, "search_begun", by)
    begun = search_of(held.case)
    assert begun is not None
    return begun


def copy_is_held(case: Case) -> bool:
    """Whether somebody at the network has the copy of the search; else it waits where the principal sees it."""
    return rows.is_held(case, COPY)


@operation
def do(case_number: int, step: str, *, by: Actor, words: str = "", once: str | None = None) -> Search:
    """Write down a step as done, or `found`; done twice it is done once. The last one ends the tasks that asked.

    Raises NotFound, NotAllowed, Refused, IllegalMove, UnfitWords.
    """
    held = reaching.case_at_hand(case_number, by, *MAY)
    case, search = held.case, search_of(held.case)
    move(Status(case.status), Action.OUTREACH)
    if search is None:
        raise Refused("Begin the list first; then the network is told.")
    _check(step, words)
    if step not in {one.step for one in rows.search_steps(case)}:
        search_steps.write(case, step, words.strip(), by, once)
        tasks.mark_done(rows.tasks_to_do(case, search_steps.KIND, f"/{step}"), by, words)
        search_steps.go_on([case.id])
        if is_whole([one.step for one in rows.search_steps(case)]):
            found = step == FOUND
            tasks.mark_done(list(rows.asked_to_search(case, copies=found)), by, FOUND_NOTE if found else "")
    after = search_of(case)
    assert after is not None
    return after


def _check(step: str, words: str) -> None:
    if step != FOUND and step not in duty().search:
        raise Refused("This is not a step of the list.")
    if step == FOUND and not words.strip():
        raise Refused("Say in a few words how the student was found, and what comes next.")
    if len(words) > LONGEST:
        raise Refused(f"Please keep this under {LONGEST} characters.")
    check_words(words)


def _copy_to_network(held: CaseAtHand) -> None:
    """The named contact of the network gets a task about this student, and nobody else there does."""
    case = held.case
    planned = copy_for_network(Staff([case.school_id]), case.school_id)
    due = tasks.due_in(planned.due_days, case.school_id)
    base = copy_period(year_text(today()), case.number, case.episode)
    again, nth = next_copy(base, rows.asked_before(case.student_id, planned.kind))
    if again is not None:
        casebook.set_tasks([again], "open", None, "")
    if nth is not None:
        tasks.ask_beside(planned, case=case, period=f"{base}{nth}", due=due)


def _tell(case: Case, kind: str, by: Actor, **data: str) -> None:
    record(kind, by=by, subject=f"case:{case.number}", student_id=case.student_id, case_id=case.id, **data)
