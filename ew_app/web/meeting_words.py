"""What stands in a team meeting, in words; in the room's view with initials, and nothing that is only for some.

On a wall no words stand that somebody typed (an action, a next step, a note): who types thinks of one reader, and
visitors read the wall. Who does something by which day is said without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request

from ew_app.kernel import day_text, today
from ew_app.services.casework import reaching
from ew_app.services.meetings.agenda import Entry
from ew_app.web import case_page
from ew_app.web.case_words import cause_line, grade_words, status_words, tier_text
from ew_app.web.guard import actor
from ew_app.web.page import days, rate
from models.cases import Case, Task
from models.meetings import Meeting, MeetingItem
from models.people import Student
from rules.access import Permission
from rules.counting import many
from rules.meetings import WORDS, Why
from rules.vocabulary import vocabulary


def choice(student: Student, tier: int) -> str:
    """A student as a choice: name, grade, tier."""
    parts = (
        f"{student.first_name} {student.last_name}",
        grade_words(student.grade),
        vocabulary().label("tier", tier_text(tier)),
    )
    return ", ".join(part for part in parts if part)


TIERS = (("tier_1", "Tier 1"), ("watch", "Watch"), ("tier_2", "Tier 2"), ("tier_3", "Tier 3"))
ONE_ACTION = "One action"
DECIDED = {
    "act": ("agreed", "good"),
    "go_on": ("go on", "plain"),
    "later": ("next time", "wait"),
    None: ("open", "new"),
}


@dataclass(frozen=True, slots=True)
class View:
    """How the page is looked at: `room`, on a wall for everyone, and there perhaps with initials."""

    room: bool = False
    initials: bool = False

    @classmethod
    def asked(cls) -> View:
        room = request.args.get("view") == "room"
        return cls(room, room and request.args.get("names") == "initials")

    @property
    def query(self) -> dict[str, str]:
        """What to carry along in addresses."""
        return ({"view": "room"} if self.room else {}) | ({"names": "initials"} if self.initials else {})

    def name(self, student: Student) -> str:
        """A student's name, or the initials."""
        if not self.initials:
            return student.name
        return " ".join(f"{part[:1]}." for part in (student.first_name, student.last_name) if part)


def answer(meeting: Meeting, students: int, decided: int) -> str:
    """How far the meeting is, as the first line."""
    if meeting.ended_at is not None:
        return f"The team met on {day_text(meeting.day)} and decided about {many(decided, 'student')}"
    left = students - decided
    return f"{many(left, 'student')} to decide about" if left else "Every student on the list is decided about"


def school_told(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """How the school stood when the meeting began, and what moved since the last one."""
    now, then = numbers.get("now") or {}, numbers.get("then") or {}
    return {
        "through": _day(numbers.get("through")), "since": _day(numbers.get("since")),
        "tiers": [(words, now[key], now[key] - then[key] if then else None) for key, words in TIERS if now],
        "actions": numbers.get("actions") or {}, "improved": len(numbers.get("improved", ())),
        "causes": [(vocabulary().label("cause", code), count) for code, count in numbers.get("causes", ())],
    }  # fmt: skip


def _day(text: str | None) -> str:
    return day_text(date.fromisoformat(text)) if text else ""


def why_words(why: list[str] | tuple[Why, ...]) -> str:
    return "; ".join(WORDS[Why(one)] for one in why)


def missed(numbers: Mapping[str, Any]) -> str:
    """Days missed, as they were counted that day."""
    absent, enrolled = numbers.get("absent"), numbers.get("enrolled")
    if absent is None or not enrolled:
        return "no day counted yet"
    lately, of = numbers.get("absent_last_20"), numbers.get("enrolled_last_20")
    last = f", {days(lately)} of the last {days(of)}" if lately is not None and of else ""
    return f"{days(absent)} of {days(enrolled)} days ({rate(absent, enrolled)}){last}"


def ahead(entry: Entry, number: int, student: Student) -> dict[str, Any]:
    """A student of an agenda that is not kept yet."""
    return {
        "name": student.name, "about": grade_words(student.grade), "why": why_words(entry.why), "number": number,
        "tier": tier_text(entry.numbers["tier"]), "missed": missed(entry.numbers),
    }  # fmt: skip


def line(
    item: MeetingItem, student: Student, task: Task | None, owners: Mapping[int, str], view: View
) -> dict[str, Any]:
    """A student on the agenda as a row, with what was decided."""
    return {
        "position": item.position, "name": view.name(student), "about": grade_words(student.grade),
        "why": why_words(item.why), "tier": tier_text(item.numbers["tier"]), "missed": missed(item.numbers),
        "state": DECIDED[item.decision], "action": _action(task, view), "due": task.due if task else None,
        "owner": _owner(task, owners), "note": "" if view.room else item.note, "by": item.decided_by,
    }  # fmt: skip


def agreed(task: Task, student: Student, owners: Mapping[int, str], view: View) -> dict[str, Any]:
    """An action of an earlier meeting and how it stands."""
    late = task.status == "open" and task.due is not None and task.due < today()
    return {
        "name": view.name(student), "action": _action(task, view), "owner": _owner(task, owners), "due": task.due,
        "state": ("done", "good") if task.status == "done" else ("late", "late") if late else ("open", "wait"),
    }  # fmt: skip


def _action(task: Task | None, view: View) -> str:
    """What is to be done; on a wall only that something is."""
    if task is None:
        return ""
    return ONE_ACTION if view.room else task.title


def _owner(task: Task | None, owners: Mapping[int, str]) -> str:
    return owners.get(task.owner_id or 0, "") if task else ""


def card(item: MeetingItem, case: Case, student: Student, view: View) -> dict[str, Any]:
    """One student on the wall or on a screen: how they stood, what was tried, what is known that all may hear."""
    at_hand = reaching.case_at_hand(case.number, actor(), Permission.SEE_CASE, lock=False)
    page, numbers = case_page.Page(at_hand), item.numbers
    reached = numbers.get("reached")
    causes = [cause_line(one)["label"] for one in page.causes if one.ended_at is None and _for_all(one.code, view)]
    return {
        "name": view.name(student), "facts": [grade_words(student.grade), f"owner {page.owner or 'nobody yet'}"],
        "tier": tier_text(numbers["tier"]), "number": None if view.room else case.number,
        "status": status_words(case.status), "why": why_words(item.why), "missed": missed(numbers), "causes": causes,
        "steps": [
            {"text": "Somebody reached the family", "done": reached is not None, "note": _reached(reached, numbers)},
            {"text": "We know what gets in the way", "done": bool(causes), "note": ""},
            {"text": "A plan is agreed", "done": case.status in ("planned", "monitoring"),
             "note": "" if view.room else case.next_step},
        ],
    }  # fmt: skip


def _reached(reached: str | None, numbers: Mapping[str, Any]) -> str:
    if reached:
        return f"last {_day(reached)}"
    tries = numbers.get("tries")
    return many(tries, "try", "tries") if tries else ""


def _for_all(code: str, view: View) -> bool:
    """On a wall only causes that everybody who works on cases may read."""
    cause = vocabulary().causes[code]
    return cause.restricted is None and not (view.room and cause.limited)


def for_the_wall(item: MeetingItem, task: Task | None, owners: Mapping[int, str]) -> str:
    """What was decided, without a typed word."""
    if item.decision != "act":
        return {"go_on": "Go on as it is.", "later": "Look again next time."}.get(item.decision or "", "")
    by = f", by {day_text(task.due)}" if task and task.due else ""
    return f"{ONE_ACTION}: {_owner(task, owners)}{by}."


def form_of(item: MeetingItem, task: Task | None) -> dict[str, Any]:
    """What was decided, as the fields of the form."""
    kept = {"decision": item.decision or "", "note": item.note}
    if task is None:
        return kept
    return kept | {"action": task.title, "owner_id": task.owner_id, "due": task.due.isoformat() if task.due else ""}
