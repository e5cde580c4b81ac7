"""Which school days are missing, and who was asked? A list, and a page for each day with what to do and its history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for

from ew_app.kernel import day_text, today, wall_clock
from ew_app.services.deliveries.late_days import HELD, WHOLE_SOURCE
from ew_app.services.sources import expecting
from ew_app.web import asked, guard
from ew_app.web.case_lines import Line, short_school
from ew_app.web.case_words import lower_first
from ew_app.web.guard import actor, requires, scope
from ew_app.web.lists import PAGE, pages_of
from ew_app.web.page import moment
from models.audit import Event
from models.queries import imports, staff
from models.queries import late_days as rows
from models.queries.late_days import LateDay
from models.queries.waiting_files import WaitingFile
from rules import access, roles
from rules.access import Area, Permission, Place
from rules.counting import are, many
from rules.stints import school_year_start

screen = Blueprint("late", __name__)

SEE = Permission.SEE_QUALITY
# kind of event -> icon, words
EVENTS = {
    "day_asked": ("person", "Asked of {to}"),
    "day_raised": ("refer", "Passed up to {to}"),
    "day_came": ("done", "The day came in"),
    "day_closed": ("done", "There was no school that day"),
    "day_missing_again": ("warning", "Missing again: what had come in was taken back"),
    "day_held": ("person", "A file came and is held. Asked to look at it: {to}"),
    "day_held_no_more": ("warning", "The file was put away. Asked again of {to}"),
}


@screen.get("/late")
@requires(SEE)
def show() -> str:
    """Every day that is asked for, the longest wait first."""
    area, school, page = scope(SEE).whole, request.args.get("school", "").strip()[:100], asked.page()
    total = rows.open_count(area, school=school)
    return render_template(
        "late.html",
        answer=_answer(total),
        raised=rows.open_count(area, school=school, raised=True),
        rows=lines(days(area, school=school, page=page)),
        total=total,
        page=page,
        pages=pages_of(total),
        page_url=url_for("late.show", school=school or None, page=""),
    )


@screen.get("/late/<int:task_id>")
@requires(SEE)
def one(task_id: int) -> str:
    """One day of one school: how late it is, who was asked, what to do, what happened."""
    day = guard.found(rows.one(task_id, scope(SEE).whole, *_now()))
    about = _about(day)
    return render_template(
        "late_day.html",
        day=day,
        about=about,
        of_a_source=_of_a_source(day),
        keeps=access.can(actor().grants, Permission.KEEP_SOURCES, Place.district()),
        elsewhere=day.raised_at is not None or day.rule == HELD,
        answer=f"{about}: the attendance of {day_text(day.day)} {_stands(day)}",
        lead=_lead(day),
        source=_source(day),
        may_send=_may_send(day),
        waits=_waits(day.file) if day.file else "",
        file=_file_within_reach(day),
        entries=[_entry(event) for event in rows.history(day.id)],
    )


def days(area: Area, *, owner: int | None = None, school: str = "", page: int = 1, size: int = PAGE) -> list[LateDay]:
    """Days within an area that are asked for (of one owner), the longest wait first."""
    return rows.open_days(area, *_now(), owner=owner, school=school, limit=size, offset=(page - 1) * size)


def lines(found: list[LateDay]) -> list[Line]:
    """The same as rows of a day's list."""
    return [_line(day) for day in found]


def _line(day: LateDay) -> Line:
    late = many(day.days_late, "school day")
    missing = "Nothing has come for any of its schools" if _of_a_source(day) else "Attendance has not come in"
    said = f"{_waits(day.file)} {late} late." if day.file else f"{missing}: {late} late."
    return {
        "name": _about(day), "about": day_text(day.day), "url": url_for("late.one", task_id=day.id),
        "reason": f"{said} {_whose(day)}", "due": None, "late": day.days_late, "waits": day.file is not None,
        "tier": None, "day": day.day, "asked_at": _asked_at(day), "owner": day.owner or "nobody yet",
        "role": _role(day.owner_role), "raised": day.raised_at,
    }  # fmt: skip


def _asked_at(day: LateDay) -> datetime:
    """Since when whoever has it has it."""
    return max(day.asked_at, day.file.received_at) if day.file and day.rule == HELD else day.asked_at


def _whose(day: LateDay) -> str:
    """Whom it was asked of, for whoever else sees it; who is to send a day is not asked for what came."""
    if day.file and day.rule != HELD:
        return ""
    if day.owner_id is not None and day.owner_id == actor().person_id:
        return "It is asked of you."
    return f"Asked of {day.owner}." if day.owner else "Nobody was there to be asked."


def _now() -> tuple[Any, Any, Any]:
    return school_year_start(today()), today(), wall_clock()


def _answer(total: int) -> str:
    return f"{many(total, 'school day')} {are(total)} missing" if total else "No school is asked for a day"


def _stands(day: LateDay) -> str:
    if day.status != "open":
        return "is asked for no longer"
    return f"is {many(day.days_late, 'school day')} late" if day.days_late else "is not due yet"


def _waits(file: WaitingFile) -> str:
    """What came of a day, and for whom it waits."""
    came = f"A file of this day came {moment(file.received_at)} from {file.sender}"
    if file.held:
        return f"{came} and is held until somebody has looked at it."
    return f"{came}, was checked, and counts as soon as it is applied."


def _file_within_reach(day: LateDay) -> str:
    """The address of the file that waits, for those who may open it."""
    area = scope(Permission.IMPORT_ATTENDANCE).whole
    seen = day.file and imports.batch(day.file.batch_id, area, actor().login)
    return url_for("batches.one", batch_id=seen.id) if seen else ""


def _lead(day: LateDay) -> str:
    if day.status != "open":
        return day.note
    if day.file and day.rule != HELD:
        return f"{_waits(day.file)} It need not be sent again."
    who = f"{day.owner}, {_role(day.owner_role)}, has it" if day.owner else "Nobody has it: nobody holds the role today"
    if day.file:
        return f"{_waits(day.file)} It need not be sent again. {who}."
    return f"{who}{_since(day)}. It ends by itself when the day comes in."


def _since(day: LateDay) -> str:
    return f" since {moment(day.raised_at or day.asked_at)}"


def _role(key: str) -> str:
    return lower_first(roles.role(key).label)


def _source(day: LateDay) -> str:
    """What is known of the source that should have brought it by itself."""
    alarm = _alarm(day)
    return alarm.sentence if alarm and day.status == "open" else ""


def _alarm(day: LateDay) -> expecting.Alarm | None:
    return next((alarm for alarm in expecting.alarms() if day.school_id in alarm.schools), None)


def _of_a_source(day: LateDay) -> bool:
    """Whether it was asked for all schools of a source at once, with one of them."""
    return day.title == WHOLE_SOURCE


def _about(day: LateDay) -> str:
    """The school, or the source that has brought nothing for any of its schools."""
    if not _of_a_source(day):
        return short_school(day.school)
    alarm = _alarm(day)
    return alarm.source if alarm else "A source that runs by itself"


def _may_send(day: LateDay) -> bool:
    """Whether this person brings in attendance for the school."""
    place = Place.of_school(day.school_key, staff.school_network(day.school_key))
    return access.can(actor().grants, Permission.IMPORT_ATTENDANCE, place)


def _entry(event: Event) -> dict[str, Any]:
    icon, words = EVENTS[event.kind]
    to = event.data.get("to") or "nobody: nobody holds the role"
    role = f", {_role(event.data['role'])}" if event.data.get("to") else ""
    batch = event.data.get("batch")
    return {
        "icon": icon, "kind": words.format(to=f"{to}{role}"), "who": event.actor, "position": event.position,
        "when": moment(event.at), "when_iso": event.at.isoformat(), "text": f"With delivery {batch}." if batch else "",
    }  # fmt: skip
