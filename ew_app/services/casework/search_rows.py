"""Searches that begin and end by themselves, with the task that asks for them; collected for many students.

A search begins in the moment in which the rule about ten days without contact asks for it, with a copy to the network.
When the marks are corrected and nothing asks any more, a search that nobody but the system began is taken back with its
copy; what people wrote down of it stays in the timeline. One that a person began stays theirs. A student who was found
and is gone again gets a new list and the network a new copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from ew_app.kernel import Actor, Told
from ew_app.services.casework import search_steps
from ew_app.services.casework.following import Open, Pupil, Search
from ew_app.services.casework.staffing import Staff
from models import casebook
from rules.duty_of_care import BEGUN
from rules.routing import PlannedTask, Via

SEARCH, COPY = "search", "search_copy"  # kinds of tasks: to look, and the network's copy of it
CONTACT = "network_reengagement_contact"
Due = Callable[[int, int | None], date | None]


def copy_for_network(staff: Staff, school: int) -> PlannedTask:
    """What the named contact of the network is asked, or whoever stands in for them; nobody else there."""
    contacts = (one for one in staff.near(school) if one.role == CONTACT and one.holds(staff.on))
    acting = (staff.who_acts(school, one.person_id, CONTACT) for one in contacts)
    person = next((one for one in acting if one is not None), None)
    return PlannedTask(
        kind=COPY, title="A school looks for a student: see what the network can do", compartment=None,
        department="networks", role=CONTACT, person_id=person, via=Via.UNOWNED if person is None else Via.HOLDER,
        due_days=2,
    )  # fmt: skip


def copy_period(year: str, number: int, episode: int) -> str:
    """What makes the copy one of its kind."""
    return f"{year}/search/{number}/{episode}"


def next_copy(period: str, before: Iterable[tuple[int, str, str]]) -> tuple[int | None, str | None]:
    """(copy to take up again, what to put behind the period of a new one) for a search that begins; neither where one
    is open.

    before: (id, period, status) of the copies of the student. One that was done belongs to a search that is over.
    """
    alike = [one for one in before if one[1] == period or one[1].startswith(f"{period}/")]
    if any(status == "open" for *_, status in alike):
        return None, None
    withdrawn = [number for number, _, status in alike if status == "withdrawn"]
    if withdrawn:
        return withdrawn[-1], None
    return None, f"/{len(alike) + 1}" if alike else ""


class SearchRows:
    """Searches begun and taken back in one following."""

    def __init__(self, by: Actor, at: datetime, told: list[Callable[[], Told]], due: Due) -> None:
        self._by, self._at, self._told, self._due = by, at, told, due
        self._begun: list[tuple[Open, date]] = []
        self._copies: list[tuple[Pupil, Open, PlannedTask, str]] = []
        self._taken_up: list[int] = []
        self._taken_back: list[int] = []

    def begin(self, pupil: Pupil, staff: Staff) -> None:
        """The list of the student's case begins today, unless one is under way."""
        case = pupil.case
        if case is None or (case.search.stands and not case.search.found):
            return
        if case.search.found:
            self._taken_back.append(case.id)
        self._begun.append((case, staff.on))
        case.search = Search(stands=True, by_system=True)
        copies = ((task.id, task.period, task.status) for task in pupil.tasks if task.kind == COPY)
        again, nth = next_copy(copy_period(pupil.year, case.number, case.episode), copies)
        if again is not None:
            self._taken_up.append(again)
        if nth is not None:
            planned = copy_for_network(staff, case.school)
            staff.loads[planned.person_id or 0] += 1
            self._copies.append((pupil, case, planned, nth))
        self._tell("search_begun", pupil, case)

    def take_back(self, pupil: Pupil) -> bool:
        """Nothing asks to look any more: what the system itself began ends; True if there was such a search."""
        case = pupil.case
        if case is None or not (case.search.stands and case.search.by_system):
            return False
        self._taken_back.append(case.id)
        case.search = Search()
        self._tell("search_taken_back", pupil, case)
        return True

    def write(self) -> None:
        """Write everything; new cases have their numbers by now. What is taken back gives way to what begins anew."""
        if self._taken_back:
            casebook.take_searches_back(self._taken_back, self._at)
        signed = {
            "author_id": self._by.person_id, "author": self._by.name, "position": self._by.position,
            "written_at": self._at, "words": "", "step": BEGUN,
        }  # fmt: skip
        begun = [{"case_id": case.id, "episode": case.episode, "on_day": day} for case, day in self._begun]
        casebook.add("search_done", [row | signed for row in begun])
        casebook.add("task", [self._copy(*one) for one in self._copies])
        if self._taken_up:
            casebook.set_tasks(self._taken_up, "open", None, "")
        if cases := {*self._taken_back, *(case.id for case, _ in self._begun)}:
            search_steps.go_on(cases)

    def _copy(self, pupil: Pupil, case: Open, planned: PlannedTask, nth: str) -> dict[str, Any]:
        return {
            "student_id": pupil.student, "school_id": case.school, "kind": planned.kind, "rule": None,
            "period": f"{copy_period(pupil.year, case.number, case.episode)}{nth}", "title": planned.title,
            "compartment": None, "department": planned.department, "owner_role": planned.role,
            "owner_id": planned.person_id, "due": self._due(case.school, planned.due_days), "status": "open",
            "created_at": self._at, "note": "", "through": pupil.through, "case_id": case.id,
        }  # fmt: skip

    def _tell(self, kind: str, pupil: Pupil, case: Open) -> None:
        self._told.append(lambda: Told(kind, self._by, f"case:{case.number}", pupil.student, case.id, data={}))
