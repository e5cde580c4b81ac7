"""What the pages of one delivery say: counts that add up, problems by cause, what is usual, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import url_for

from ew_app.kernel import Actor, day_text, local, now
from ew_app.services.casework import taking_back
from ew_app.services.deliveries import came_twice, ingest, periods, releasing
from ew_app.services.deliveries.staging import OTHER_SCHOOL
from ew_app.web.effect import sentences
from ew_app.web.guard import actor
from ew_app.web.imports import area
from models.attendance import Batch
from models.queries import imports as rows
from rules import access
from rules.access import Area, Permission, Place
from rules.counting import many

# Buckets of rows in the order they are added up; the last line is their sum.
BUCKETS = (
    ("applied", "New"),
    ("superseded", "Correct what is stored"),
    ("unchanged", "Stored already, nothing to do"),
    ("duplicate", "Repeat another row of the file"),
    ("rejected", "Stay out until they are mended"),
)
HELD_OUT = (
    ("unknown_code", "with a code nobody has explained"),
    ("off_calendar", "on days without school"),
    ("not_enrolled", "of students not enrolled there that day"),
)
MENDS = {
    "unknown_student": "Correct the id, or send the student with the next roster.",
    "unknown_school": "Correct the id, or send the school with the next roster.",
    "date": "If there was school that day, correct the calendar and the rows count by themselves.",
    "code": "Say what the code means and its days count.",
    "student_id": "Check the entry and exit dates. The row counts as soon as an enrolment covers the day.",
}
CORRECT = "Correct it where the file comes from, or in the file, and send it once more."


def checked(batch: Batch) -> dict[str, Any]:
    """For the check page: progress while it is on its way, then everything there is to decide on."""
    if batch.status in rows.UNDER_WAY:
        aside = rows.set_aside(batch.id)
        address = None if aside is not None else url_for("batches.one", batch_id=batch.id)
        return {"under_way": True, "poll": address, "set_aside": aside}
    held = releasing.is_held(batch)
    return {
        "under_way": False,
        "poll": None,
        "held": held,
        "may_let_in": held and access.can(actor().grants, Permission.ACCEPT_HELD),
        "compared": _compared(batch),
        "brings": _brings(batch),
        **_told(batch),
    }


def finished(batch: Batch, here: Area, by: Actor) -> dict[str, Any]:
    """For the last page: what became of it, and whether this person may take it back."""
    needs = undo_needs(batch)
    return {
        "poll": None,
        "days": rows.days_of(batch.id, here),
        "may_undo": batch.status == "applied" and access.can(by.grants, needs),
        "undo_later": batch.status == "applied" and needs is Permission.UNDO_ANY,
        "moved": sentences(batch.effect, done=True),
        "together": batch.decided_with if batch.decided_with != batch.id else None,
        "undecided": batch.undecided,
        "outlook": [*came_twice.outlook(batch.id), *taking_back.outlook(batch.id)] if batch.status == "applied" else [],
        **_told(batch),
    }


def undo_needs(batch: Batch) -> Permission:
    """What taking it back asks for now, by the clock that stamped it and not a date that is fixed."""
    return ingest.undo_needs(batch, local(now()).date())


def _told(batch: Batch) -> dict[str, Any]:
    told = ingest.describe(batch.id, most_problems=0)
    counts = [(told[key], words) for key, words in BUCKETS if told[key] or key in ("applied", "rejected")]
    groups = rows.problem_groups(batch.id)
    days = batch.counts.get("unclear_days", 0)
    unclear = [f"{_students_days(days)} of which only missed class periods are told"] if days else []
    told["notes"] = [note for note in told["notes"] if note != periods.unclear(days)]  # asked beside it
    return {
        "told": told,
        "going_in": told["rows_in"] - told["rejected"] - told["duplicate"],
        "counts": counts,
        "held_out": [f"{many(told[key], 'row')} {words}" for key, words in HELD_OUT if told[key]] + unclear,
        "effect": sentences(told["effect"]),
        "groups": [_group(group) for group in groups],
        "problems": rows.problem_count(batch.id),
    }


def _students_days(number: int) -> str:
    return "one student's day" if number == 1 else f"{number:,} students' days"


def _group(group: Any) -> dict[str, Any]:
    """One cause of trouble: how many, where, what mends it."""
    said = [f"line {line}: {value}" for line, value in zip(group.lines, group.values, strict=True) if value]
    return {
        "count": group.rows,
        "noun": "row" if group.rejected else "note",
        "cause": group.reason,
        "lines": group.lines,
        "more": max(0, group.rows - len(group.lines)),
        "file": group.file,
        "mend": _mend(group),
        "samples": said,
        "code": group.values[0] if group.column == "code" and not group.rejected else "",
        "map": _map_link(group),
    }


def _mend(group: Any) -> str:
    if group.reason == OTHER_SCHOOL:
        return ""
    if group.cause or not group.rejected:
        return MENDS.get(group.cause or group.column, "")
    return CORRECT


def _map_link(group: Any) -> str:
    """Where this person can say what the code means: for the district, or for the one school they have."""
    if group.column != "code" or group.rejected or not access.can(actor().grants, Permission.MAP_CODES):
        return ""
    if access.can(actor().grants, Permission.MAP_CODES, Place.district()):
        return url_for("fix_code.ask", code=group.values[0])
    schools = rows.schools_in(area())
    return url_for("fix_code.ask", code=group.values[0], school=schools[0].key) if len(schools) == 1 else ""


def _brings(batch: Batch) -> str:
    """Which days of which schools the file would bring for the first time; '' where it brings none."""
    days, schools = _first_told(batch)
    if not schools:
        return ""
    where = rows.school_name(min(schools)) if len(schools) == 1 else many(len(schools), "school")
    first, last = _day(min(days)), _day(max(days))
    when = first if first == last else f"{many(len(days), 'day')}, {first} to {last},"
    return f"It brings {when} of {where} for the first time."


def _first_told(batch: Batch) -> tuple[Mapping[str, list[int]], set[int]]:
    """The days that a file would bring for the first time, with the schools of each; and all these schools."""
    days: Mapping[str, list[int]] = batch.counts.get("brings_first", {})
    return days, {school for told in days.values() for school in told}


def _compared(batch: Batch) -> list[tuple[str, str]]:
    """This file beside what is usual, as term and words."""
    found: Mapping[str, Any] = batch.counts.get("compared", {})
    here, usual = found.get("schools", [0, None])
    facts = [("Schools the file names", _schools(here, usual, len(_first_told(batch)[1])))] if here else []
    word = "Absent from a class or the day," if batch.counts.get("class_rows") else "Absent"
    for day, absences, due, often in found.get("days", [])[:5]:
        facts.append((f"{word} {_day(day)}", _absent(absences, due, often)))
    removed = batch.counts.get("removed", 0)
    return [*facts, ("Stored marks that would disappear", f"{removed:,}")] if found else []


def _schools(named: int, usual: int | None, first: int) -> str:
    """Schools that rows or claims name; of these many may have days that are in already, or no school."""
    often = f", usually {usual:,}" if usual is not None else ""
    return f"{named:,}{often}" + (f"; a day that was not in yet for {first:,} of them" if 0 < first < named else "")


def _absent(absences: int, due: int, usual: int | None) -> str:
    share = f"{absences:,} of {due:,} ({_percent(absences, due)})" if due else f"{absences:,}"
    return share + (f", usually about {usual:,} ({_percent(usual, due)})" if usual is not None and due else "")


def _percent(part: int, whole: int) -> str:
    return f"{1000 * part // whole / 10:.1f}%"


def _day(text: str) -> str:
    return day_text(date.fromisoformat(text))
