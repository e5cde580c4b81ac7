"""What has to happen before anything can be told: a roster, then attendance, then attendance of this school year.

A page that finds nothing wrong asks here first whether anything is known at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flask import url_for

from ew_app.kernel import day_text, today
from ew_app.web.guard import actor, scope
from models.queries import boards as rows
from rules import access, roles
from rules.access import Area, Permission, Place
from rules.stints import school_year_start

P = Permission


@dataclass(frozen=True, slots=True)
class Step:
    """What is not known yet, what this person can do about it, and where. `empty`: nothing at all is known."""

    answer: str
    hint: str
    action: tuple[str, str] | None = None
    empty: bool = True


def step() -> Step | None:
    """The first thing that is missing for this person; None once attendance of this school year has come in."""
    if not rows.any_school():
        return _roster()
    last = rows.last_day_in(_area())
    if last is None:
        return _attendance()
    return Step(NOT_THIS_YEAR, as_of(last), _send(), empty=False) if is_old(last) else None


NOT_THIS_YEAR = "Nothing of this school year has come in yet"


def is_old(day: date) -> bool:
    """Whether a day lies before this school year."""
    return day < school_year_start(today())


def as_of(day: date) -> str:
    """What every number on a page of old days rests on."""
    return f"What you see is as of {day_text(day)}."


def _area() -> Area:
    """The schools this person counts or brings files for; else the district, of which no more than a date is told."""
    return scope(P.SEE_SCHOOL_BOARD).whole or scope(P.IMPORT_ATTENDANCE).whole or Area(district=True)


def _roster() -> Step:
    answer = "No school is known here yet"
    if _may(P.IMPORT_ROSTER):
        hint = "Begin with the roster: schools, students, enrolments and calendars. Attendance comes after it."
        return Step(answer, hint, ("Load the roster", url_for("imports.show")))
    who = _holders(P.IMPORT_ROSTER)
    if _may(P.MANAGE_PEOPLE):
        hint = f"Give somebody a role that loads the roster ({who}), or load it on the server with ew load roster."
        return Step(answer, hint, ("Give somebody a role", url_for("people.new")))
    return Step(answer, f"The roster has to be loaded first, then attendance. Ask for it: {who}.")


def _attendance() -> Step:
    answer, send = "No attendance has come in yet", _send()
    if send:
        return Step(answer, "The roster is here. Bring in attendance next; before that nothing can be told.", send)
    who = _holders(P.IMPORT_ATTENDANCE)
    return Step(answer, f"Before that nothing can be told about anybody. Who can bring it in: {who}.")


def _send() -> tuple[str, str] | None:
    return ("Bring in attendance", url_for("imports.show")) if access.can(actor().grants, P.IMPORT_ATTENDANCE) else None


def _may(permission: Permission) -> bool:
    return access.can(actor().grants, permission, Place.district())


def _holders(permission: Permission) -> str:
    """The roles that may do it, as a list of words."""
    return _either(role.label.lower() for role in roles.assignable_roles() if permission in role.permissions)


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
