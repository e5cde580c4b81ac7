"""From findings to work: cases opened, taken up again or given more reasons, tasks asked for or withdrawn.

A case closes only by a person. Running this twice changes nothing; a correction makes no second task.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ew_app.kernel import Actor, operation
from ew_app.services.casework import asked_for, coming, drafting, following, pupils
from ew_app.services.casework.case_rows import CaseRows
from ew_app.services.casework.following import Asked, Closed, Found, Open, Pupil
from ew_app.services.casework.search_rows import COPY, SEARCH
from models.base import db
from models.queries import following as rows
from models.queries.following import DID_NOT_ARRIVE
from rules.case_flow import Action, Status, move
from rules.routing import Assignment, PlannedTask, Via, route, tasks_for
from rules.routing_table import CASE_OWNER, routing_table
from rules.tiers import Tier

REOPENS_WITHIN = timedelta(days=30)
CORRECTED = "The marks behind this were corrected."
OUTDATED = "The policy in force now asks for this no longer."
TAKEN_OVER = "Another task asks for more."
CAME = "The student has come to school."
LEFT = "The student is not enrolled here any more."
CAME_STEP = "The student has come: close this if nothing else is needed"
LEFT_STEP = "Not enrolled here any more: close this if nothing else is needed"
LOOK_AGAIN = "Look again: the marks this rested on were corrected"
READ_AGAIN = "Look again: by the policy in force now, nothing holds this any more"


@operation
def follow(students: Sequence[int], *, by: Actor) -> int:
    """Bring cases and tasks in step with what stands for these students now; returns cases opened.

    A case taken up again within 30 days counts as opened. Call it after findings and standings are stored.
    """
    db.session.flush()
    concerned = pupils.read(students)
    if not concerned:
        return 0
    schools = {pupil.school for pupil in concerned} | {pupil.case.school for pupil in concerned if pupil.case}
    desk = _Desk(CaseRows(by, schools))
    for pupil in concerned:
        desk.follow(pupil)
    desk.rows.write()
    return desk.opened


def waiting(students: NDArray[np.int64]) -> set[int]:
    """Those of these students about whom nothing new was found, and for whom yet the day of a case may have come."""
    return rows.waiting(students, [rule for rule in routing_table().rules if following.waits(rule)])


class _Desk:
    """Takes one student after the other; what has to be written is collected in `rows`."""

    def __init__(self, rows: CaseRows) -> None:
        self.rows = rows
        self.opened = 0

    def follow(self, pupil: Pupil) -> None:
        """All of it for one student."""
        for task in asked_for.no_longer_asked(pupil):
            self._ask_no_more(pupil, task, OUTDATED if task.rule in pupil.outdated else CORRECTED)
        drafting.check(pupil, self.rows, (CORRECTED, OUTDATED))
        for task in coming.looked_for_in_vain(pupil):
            self.rows.withdraw_task(pupil, task, CAME if pupil.here else LEFT)
        if pupil.case is not None:
            self._check_reasons(pupil, pupil.case)
            self._check_arrival(pupil, pupil.case)
            self._lower(pupil, pupil.case)
        if not pupil.here:
            return
        reasons = following.speaking(pupil)
        if pupil.case is not None:
            self._add(pupil, pupil.case, reasons)
        elif any(not pupil.is_answered(found) for found in reasons):
            self._open(pupil, reasons)
        for found in following.wanted(pupil, reasons):
            self._ask(pupil, found)
        drafting.draft(pupil, reasons, self.rows)

    # -- reasons -----------------------------------------------------------------------------------------------

    def _check_reasons(self, pupil: Pupil, case: Open) -> None:
        """Withdraw or restate reasons whose findings were corrected; the case itself stays with its people."""
        withdrawn: set[str] = set()
        for reason in [reason for reason in case.reasons if not reason.withdrawn]:
            found = following.backing(reason, pupil)
            if found is None:
                self.rows.withdraw_reason(pupil, case, reason)
                withdrawn.add(reason.rule)
            elif (found.since, found.sentence) != (reason.day, reason.sentence):
                self.rows.restate(pupil, case, reason, found)
        if withdrawn and not case.live_rules:
            outdated = withdrawn <= pupil.outdated
            if not case.worked_on:
                self.rows.change(case, next_step=READ_AGAIN if outdated else LOOK_AGAIN)
            kind = "rested_on_former_policy" if outdated else "rested_on_corrected_marks"
            self.rows.tell(pupil, case, kind, tier=pupil.tier)

    def _lower(self, pupil: Pupil, case: Open) -> None:
        """A case that nobody has worked on stands where the student stands; what people worked at keeps its tier."""
        if not case.worked_on and pupil.tier < case.tier:
            self.rows.tell(pupil, case, "tier_lowered", before=case.tier, after=pupil.tier)
            self.rows.change(case, tier=pupil.tier)

    def _check_arrival(self, pupil: Pupil, case: Open) -> None:
        """A case that looks for a student waits for nobody once they come; what people did about it stays theirs."""
        if case.kind != "did_not_arrive" or coming.has_come(pupil) == case.arrival_told:
            return
        untouched = case.status in (Status.NEW, Status.ASSIGNED)
        if case.arrival_told:
            self.rows.tell(pupil, case, "not_arrived_after_all")
            again = [found for found in pupil.findings if found.rule == DID_NOT_ARRIVE and found.active]
            due = self.rows.due(pupil.school, self._assign(pupil, case, again).due_days)
            step = self._first_step(again)
        else:
            came = coming.came_on(pupil)
            self.rows.tell(pupil, case, "arrived" if pupil.here else "left_unseen", day=came and came.isoformat())
            due, step = None, CAME_STEP if pupil.here else LEFT_STEP
        if untouched:
            self.rows.change(case, next_step=step, due=due, contact_due=due)

    def _add(self, pupil: Pupil, case: Open, reasons: Sequence[Found]) -> None:
        """Add what is new to an open case and raise its tier."""
        new = [found for found in reasons if found.rule not in case.live_rules]
        for found in new:
            self.rows.add_reason(pupil, case, found)
        if case.kind == "did_not_arrive" and case.live_rules - {DID_NOT_ARRIVE}:
            self.rows.change(case, kind="attendance")
        raised = reasons and pupil.tier > case.tier
        if raised:
            self.rows.tell(pupil, case, "tier_raised", before=case.tier, after=pupil.tier)
            self.rows.change(case, tier=pupil.tier)
        if (new or raised) and case.status is not Status.PAUSED:
            self._hurry(pupil, case, reasons, new)
        if case.owner_id is None or (case.status is Status.NEW and raised):
            self._give(pupil, case, reasons)

    def _hurry(self, pupil: Pupil, case: Open, reasons: Sequence[Found], new: Sequence[Found]) -> None:
        """A new reason may be due sooner than what the case waits for; then its first step comes next."""
        due = self.rows.due(pupil.school, self._assign(pupil, case, reasons).due_days)
        if due is not None and (case.due is None or due < case.due):
            self.rows.change(case, due=due, next_step=self._first_step(new or reasons))

    # -- owners ------------------------------------------------------------------------------------------------

    def _assign(self, pupil: Pupil, case: Open | None, reasons: Sequence[Found]) -> Assignment:
        staff = self.rows.staff
        return route(
            [found.rule for found in reasons],
            Tier(max(pupil.tier, case.tier if case else pupil.tier)).text,
            case.causes if case else (),
            staff.place(case.school if case else pupil.school),
            staff.near(case.school if case else pupil.school, pupil.homeroom),
            on=staff.on,
            loads=staff.loads,
        )

    def _give(self, pupil: Pupil, case: Open, reasons: Sequence[Found]) -> None:
        """Route a case that nobody has taken yet once more, because it became more urgent or is unowned."""
        found = self._assign(pupil, case, reasons)
        if case.owner_id is None and found.person_id is None:
            return
        if (found.person_id, found.role) == (case.owner_id, case.owner_role):
            return
        self.rows.staff.loads[found.person_id or 0] += 1
        self.rows.change(
            case, owner_id=found.person_id, owner_role=found.role, owner_via=str(found.via), department=found.department
        )
        self.rows.tell(pupil, case, "case_moved", role=found.role, why=found.why)

    # -- opening -----------------------------------------------------------------------------------------------

    def _open(self, pupil: Pupil, reasons: Sequence[Found]) -> None:
        """Open a case, or take up the one that was closed less than 30 days ago as a new episode."""
        self.opened += 1
        assignment = self._assign(pupil, None, reasons)
        closed = pupil.closed
        if closed is not None and self.rows.staff.on - closed.closed_on <= REOPENS_WITHIN:
            self._reopen(pupil, closed, assignment, reasons)
        else:
            pupil.case = self.rows.open(pupil, assignment, self._shape(pupil, reasons))
        assert pupil.case is not None
        for found in reasons:
            self.rows.add_reason(pupil, pupil.case, found, told=False)
        self.rows.staff.loads[pupil.case.owner_id or 0] += 1

    def _shape(self, pupil: Pupil, reasons: Sequence[Found]) -> dict[str, str]:
        alone = {found.rule for found in reasons} == {DID_NOT_ARRIVE}
        return {"kind": "did_not_arrive" if alone else "attendance", "next_step": self._first_step(reasons)}

    def _reopen(self, pupil: Pupil, closed: Closed, assignment: Assignment, reasons: Sequence[Found]) -> None:
        """The same case again; its last owner goes on where that person still holds the role."""
        staff = self.rows.staff
        same = any(
            holder.person_id == closed.owner_id and holder.role == closed.owner_role and holder.active(staff.on)
            for holder in staff.near(pupil.school, pupil.homeroom)
        )
        pupil.case = self.rows.reopen(
            pupil,
            closed,
            assignment,
            status=move(Status.CLOSED, Action.REOPEN),
            owner=(closed.owner_id, closed.owner_role, str(Via.HOLDER)) if same else None,
            shape=self._shape(pupil, reasons),
        )

    # -- tasks -------------------------------------------------------------------------------------------------

    def _first_step(self, reasons: Sequence[Found]) -> str:
        """The title of what is due first."""
        asked = [task for found in reasons for task in following.task_texts(found.rule)]
        return min(asked, key=lambda task: task.due).title if asked else ""

    def _ask(self, pupil: Pupil, found: Found) -> None:
        """Ask for the tasks of a finding that no task answers yet."""
        staff, school = self.rows.staff, pupil.case.school if pupil.case else pupil.school
        if all(asked_for.covered(pupil, text.kind, found) for text in following.task_texts(found.rule)):
            for text in following.task_texts(found.rule):
                self._revive(pupil, text.kind, found)
            return
        near = staff.near(school, pupil.homeroom)
        for planned in tasks_for(found.rule, staff.place(school), near, on=staff.on, loads=staff.loads):
            if asked_for.covered(pupil, planned.kind, found):
                self._revive(pupil, planned.kind, found)
            else:
                self._take_over(pupil, planned.kind, found)
                self.rows.ask(pupil, found, planned, self._doer(pupil, planned))

    def _doer(self, pupil: Pupil, planned: PlannedTask) -> tuple[int | None, str]:
        """Who does a task: the owner of the case where the role is theirs, else whom routing found."""
        case = pupil.case
        if case is not None and planned.compartment is None and planned.role in (CASE_OWNER, case.owner_role):
            return case.owner_id, case.owner_role
        return planned.person_id, planned.role

    def _ask_no_more(self, pupil: Pupil, task: Asked, why: str) -> None:
        """Nothing asks for a task any more; a search that the system began for it goes with it, and the copy."""
        self.rows.withdraw_task(pupil, task, why)
        if task.kind == SEARCH and self.rows.searches.take_back(pupil):
            for copied in [one for one in pupil.tasks if one.kind == COPY and one.status == "open"]:
                self.rows.withdraw_task(pupil, copied, why)

    def _revive(self, pupil: Pupil, kind: str, found: Found) -> None:
        """A task that the system withdrew is taken up again when its finding stands again."""
        task = asked_for.covered(pupil, kind, found)
        if task is None or task.status != "withdrawn" or not task.by_system:
            return
        if asked_for.answers(task, found, pupil):
            self._take_over(pupil, kind, found)
            self.rows.revive_task(pupil, task)

    def _take_over(self, pupil: Pupil, kind: str, found: Found) -> None:
        for task in asked_for.giving_way(pupil, kind, found):
            self.rows.withdraw_task(pupil, task, TAKEN_OVER)
