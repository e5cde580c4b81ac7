"""What following findings writes, collected for many students and written with a constant number of statements."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from ew_app.kernel import Actor, Told, day_text, now, record_all
from ew_app.services.casework.following import Asked, Closed, Found, Open, Pupil, Reason
from ew_app.services.casework.letter_rows import LetterRows
from ew_app.services.casework.search_rows import SEARCH, SearchRows
from ew_app.services.casework.staffing import Staff
from ew_app.services.people.telling import tell_more
from models import casebook
from models.queries import following as reads
from rules.case_flow import Status
from rules.routing import Assignment, PlannedTask
from rules.school_days import add_school_days
from rules.vocabulary import vocabulary

Row = dict[str, Any]


class CaseRows:
    """New and changed rows of one following, in the order they came up."""

    def __init__(self, by: Actor, schools: Collection[int]) -> None:
        self.by = by
        self.at = now()
        self._schools = schools
        self._opened: list[Open] = []
        self._cases: dict[int, Row] = {}
        self._changes: dict[int, Row] = {}
        self._reopened: dict[int, date | None] = {}
        self._reasons: list[Row] = []
        self._restated: dict[int, Row] = {}
        self._tasks: list[tuple[Pupil, Row]] = []
        self._withdrawn: dict[str, list[int]] = defaultdict(list)  # why -> tasks
        self._revived: list[int] = []
        self._told: list[Callable[[], Told]] = []  # asked when new cases have their numbers
        self.letters = LetterRows(by, self.at, self._told)
        self.searches = SearchRows(by, self.at, self._told, self.due)
        self._due: dict[tuple[int, int], date] = {}

    @cached_property
    def staff(self) -> Staff:
        """Who is there today at the schools concerned."""
        return Staff(self._schools)

    @cached_property
    def _days(self) -> dict[int, list[date]]:
        return reads.school_days(self._schools, self.staff.on)

    def due(self, school: int, after: int | None) -> date | None:
        """The school day so many school days from today; None where nothing is due."""
        if after is None:
            return None
        if (school, after) not in self._due:
            self._due[school, after] = add_school_days(self.staff.on, after, self._days.get(school, []))
        return self._due[school, after]

    # -- cases -------------------------------------------------------------------------------------------------

    def open(self, pupil: Pupil, found: Assignment, shape: Mapping[str, str]) -> Open:
        """A new case; its id is provisional (negative) until everything is written."""
        due = self.due(pupil.school, found.due_days)
        case = Open(
            id=-1 - len(self._opened), number=0, school=pupil.school, status=Status.NEW, tier=pupil.tier, episode=1,
            department=found.department, owner_role=found.role, owner_id=found.person_id, owner_via=str(found.via),
            due=due, kind=shape["kind"], next_step=shape["next_step"],
        )  # fmt: skip
        self._opened.append(case)
        self._cases[case.id] = {
            "student_id": pupil.student, "school_id": pupil.school, "kind": case.kind, "status": str(case.status),
            "tier": case.tier, "episode": 1, "department": case.department, "owner_role": case.owner_role,
            "owner_id": case.owner_id, "owner_via": case.owner_via, "opened": self.staff.on, "opened_at": self.at,
            "contact_due": due, "due": due, "next_step": case.next_step, "goals_reviewed": False,
            "family_told": False, "version": 1,
        }  # fmt: skip
        self.tell(pupil, case, "case_opened", tier=case.tier, role=found.role, via=str(found.via), why=found.why)
        return case

    def reopen(
        self,
        pupil: Pupil,
        closed: Closed,
        found: Assignment,
        *,
        status: Status,
        owner: tuple[int | None, str, str] | None,
        shape: Mapping[str, str],
    ) -> Open:
        """The case that was closed, as a new episode at the student's school of today."""
        owner_id, role, via = owner or (found.person_id, found.role, str(found.via))
        due = self.due(pupil.school, found.due_days)
        case = Open(
            id=closed.id, number=closed.number, school=pupil.school, status=status, tier=pupil.tier,
            episode=closed.episode + 1, department=found.department, owner_role=role, owner_id=owner_id,
            owner_via=via, due=due, kind=shape["kind"], next_step=shape["next_step"],
        )  # fmt: skip
        self._reopened[case.id] = due
        self._changes[case.id] = {
            "id": case.id, "status": str(status), "tier": case.tier, "kind": case.kind, "episode": case.episode,
            "school_id": case.school, "department": case.department, "owner_role": role, "owner_id": owner_id,
            "owner_via": via, "due": due, "next_step": case.next_step,
        }  # fmt: skip
        self.tell(pupil, case, "case_reopened", tier=case.tier, role=role, via=via, episode=case.episode)
        return case

    def change(self, case: Open, **columns: Any) -> None:
        """Set columns of an open case, in the row and in what is held of it."""
        for name, value in columns.items():
            setattr(case, name, value)
        self._changes.setdefault(case.id, {"id": case.id}).update(columns)

    def tell(self, pupil: Pupil, case: Open, kind: str, **data: Any) -> None:
        """What stands in the case's timeline."""
        self._told.append(lambda: Told(kind, self.by, f"case:{case.number}", pupil.student, case.id, data=data))

    # -- reasons -----------------------------------------------------------------------------------------------

    def add_reason(self, pupil: Pupil, case: Open, found: Found, *, told: bool = True) -> None:
        """A reason once for each rule and episode; one that was withdrawn stands again."""
        before = next((reason for reason in case.reasons if reason.rule == found.rule), None)
        if before is not None:
            again = replace(before, day=found.since, through=pupil.through, sentence=found.sentence, withdrawn=False)
            self._put(case, again)
        else:
            case.reasons.append(Reason(0, found.rule, found.since, pupil.through, found.sentence, withdrawn=False))
            self._reasons.append(
                {"case_id": case.id, "rule": found.rule, "episode": case.episode, "day": found.since,
                 "through": pupil.through, "sentence": found.sentence, "added_at": self.at}
            )  # fmt: skip
        if told:
            self.tell(pupil, case, "reason_added", rule=found.rule, sentence=found.sentence)

    def withdraw_reason(self, pupil: Pupil, case: Open, reason: Reason) -> None:
        """What a reason rested on was corrected, or the policy is another; it stays on record as withdrawn."""
        self._put(case, replace(reason, withdrawn=True))
        kind = "reason_outdated" if reason.rule in pupil.outdated else "reason_withdrawn"
        self.tell(pupil, case, kind, rule=reason.rule, sentence=reason.sentence)

    def restate(self, pupil: Pupil, case: Open, reason: Reason, found: Found) -> None:
        """The same reason with the day and the numbers it rests on now."""
        self._put(case, replace(reason, day=found.since, sentence=found.sentence))
        kind = "reason_reread" if reason.rule in pupil.outdated else "reason_restated"
        self.tell(pupil, case, kind, rule=found.rule, sentence=found.sentence)

    def _put(self, case: Open, reason: Reason) -> None:
        case.reasons = [reason if held.id == reason.id else held for held in case.reasons]
        self._restated[reason.id] = {
            "id": reason.id, "day": reason.day, "through": reason.through, "sentence": reason.sentence,
            "withdrawn_at": self.at if reason.withdrawn else None,
        }  # fmt: skip

    # -- tasks -------------------------------------------------------------------------------------------------

    def ask(self, pupil: Pupil, found: Found, planned: PlannedTask, owner: tuple[int | None, str]) -> None:
        """A task for one role; in a compartment it weighs on nobody's visible load."""
        school = pupil.case.school if pupil.case else pupil.school
        person, role = owner
        self._tasks.append(
            (
                pupil,
                {
                    "student_id": pupil.student, "school_id": school, "kind": planned.kind, "period": found.period,
                    "title": planned.title, "rule": found.rule, "compartment": planned.compartment,
                    "department": planned.department, "owner_role": role, "owner_id": person,
                    "due": self.due(school, planned.due_days), "status": "open", "created_at": self.at, "note": "",
                    "through": pupil.through,
                },
            )
        )  # fmt: skip
        pupil.tasks.append(
            Asked(
                0,
                planned.kind,
                found.period,
                found.rule,
                found.compartment,
                "open",
                self.staff.on,
                by_system=False,
                through=pupil.through,
            )
        )
        if person is not None and planned.compartment is None:
            self.staff.loads[person] += 1
        if planned.kind == SEARCH:
            self.searches.begin(pupil, self.staff)

    def withdraw_task(self, pupil: Pupil, task: Asked, why: str) -> None:
        """A task whose finding is gone is not asked for any more; it stays on record with the reason as its note."""
        self._withdrawn[why].append(task.id)
        pupil.tasks = [replace(t, status="withdrawn", by_system=True) if t.id == task.id else t for t in pupil.tasks]
        said = {"task": vocabulary().label("task_kind", task.kind), "why": why}
        subject, student, case = f"task:{task.id}", pupil.student, pupil.case
        self._told.append(
            lambda: Told(
                "task_withdrawn", self.by, subject, student, case.id if case else None, task.compartment, data=said
            )
        )

    def revive_task(self, pupil: Pupil, task: Asked) -> None:
        """Ask again for a task that was withdrawn."""
        self._revived.append(task.id)
        if task.kind == SEARCH:
            self.searches.begin(pupil, self.staff)
        pupil.tasks = [replace(t, status="open") if t.id == task.id else t for t in pupil.tasks]

    # -- writing -----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write everything, new cases first."""
        self._number()
        casebook.add("support_case", list(self._cases.values()))
        casebook.change_cases([row for row in self._changes.values() if row["id"] > 0])
        if self._reopened:
            casebook.reopen(list(self._reopened), self.at, self._reopened)
        casebook.add("case_episode", self._episodes())
        casebook.add("case_reason", self._reasons)
        if self._restated:
            casebook.restate_reasons(list(self._restated.values()), self.at)
        for why, tasks in self._withdrawn.items():
            casebook.set_tasks(tasks, "withdrawn", self.at, why)
        if self._revived:
            casebook.set_tasks(self._revived, "open", None, "")
        casebook.add("task", [row | {"case_id": p.case.id if p.case else None} for p, row in self._tasks])
        if cases := [*self._reopened, *(row["id"] for row in self._cases.values())]:
            casebook.put_on_cases(cases)
        self.letters.write()
        self.searches.write()
        record_all([told() for told in self._told])
        once = f"cases-opened/{self.staff.on.isoformat()}" if self._came else ""
        tell_more("cases_opened", self._came, once=once, day=day_text(self.staff.on))

    @property
    def _came(self) -> Counter[int]:
        """Person -> cases that came to them by themselves: opened, taken up again, or found an owner."""
        changed = [row for row in self._changes.values() if row["id"] > 0]
        return Counter(row["owner_id"] for row in (*self._cases.values(), *changed) if row.get("owner_id"))

    def _episodes(self) -> list[Row]:
        begun = [(row["id"], row["episode"]) for row in self._cases.values()]
        begun += [(case, self._changes[case]["episode"]) for case in self._reopened]
        when = {"opened": self.staff.on, "opened_at": self.at}
        return [{"case_id": case, "episode": episode, **when} for case, episode in begun]

    def _number(self) -> None:
        """Give new cases their ids and numbers, wherever the provisional id stands."""
        real = {}
        for case, (number_id, number) in zip(self._opened, casebook.new_numbers(len(self._opened)), strict=True):
            real[case.id] = number_id
            self._cases[case.id] |= {"id": number_id, "number": number}
            case.id, case.number = number_id, number
        for reason in self._reasons:
            reason["case_id"] = real.get(reason["case_id"], reason["case_id"])
