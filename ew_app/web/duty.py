"""Supports before any sanction with the record to print, the search list, and days that the district caused."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import Refused, day_text, now, today
from ew_app.services.casework import district_days, evidence, searching
from ew_app.services.casework.evidence import Pack
from ew_app.services.measuring import why
from ew_app.web import case_page, duty_parts, guard, plan_parts
from ew_app.web.case_words import cause_line, day_given, entry_of_contact, grade_words, lower_first
from ew_app.web.guard import actor, found, requires
from ew_app.web.page import moment
from models.queries import case_page as people
from rules.access import Permission
from rules.duty_of_care import FOUND, duty
from rules.vocabulary import vocabulary

screen = Blueprint("duty", __name__)

WORK, LOG, FIX = Permission.WORK_CASE, Permission.LOG_OUTREACH, Permission.FIX_DATA


ASKED = {"department_contact": "Legal is asked to look at it before anybody goes on."}
ASKED_OTHERS = "Nobody of Legal is named here, so the principal is asked to bring it to them before anybody goes on."


# -- supports before any sanction ------------------------------------------------------------------------------


@screen.get("/cases/<int:number>/supports-first")
@requires(WORK)
def supports_first(number: int) -> str:
    """What is there and what is missing before each step that is asked about first."""
    pack = evidence.look(number, by=actor())
    steps = [
        {"key": one.key, "label": one.label, "source": one.source, "missing": pack.lacks(one)}
        for one in duty().steps.values()
    ]
    return _page(number, steps=steps, asked="")


@screen.post("/cases/<int:number>/supports-first/<step>")
@requires(WORK)
def ask(number: int, step: str) -> ResponseReturnValue:
    """Refuse with what is missing, or ask Legal and lead to the record."""
    case_page.held(number, WORK)
    found(duty().steps.get(step))
    told, lacks = evidence.ask(number, step, by=actor())
    if not lacks:
        flash(f"The record is whole. {ASKED.get(evidence.who_is_asked(told, step), ASKED_OTHERS)}", "good")
        return redirect(url_for("duty.pack", number=number, step=step))
    one = duty().steps[step]
    shown = {"key": step, "label": one.label, "source": one.source, "missing": lacks}
    return _page(number, steps=[shown], asked=one.label), 422


def _page(number: int, **shown: Any) -> str:
    held = case_page.held(number, WORK)
    return render_template("supports_first.html", **case_page.frame(held, "tasks"), **shown)


@screen.get("/cases/<int:number>/supports-first/<step>/record")
@requires(WORK)
def pack(number: int, step: str) -> ResponseReturnValue:
    """The whole record on one page, to be printed; each time it is opened stands in the audit."""
    case_page.held(number, WORK)
    found(duty().steps.get(step))
    try:
        told, one = evidence.take_out(number, step, by=actor())
    except Refused as refusal:
        flash(str(refusal), "warning")
        return redirect(url_for("duty.supports_first", number=number))
    return render_template("supports_record.html", **_record(told), step=one, back=url_for("case.tasks", number=number))


def _record(told: Pack) -> dict[str, Any]:
    """The record in words, the oldest first."""
    case, names = told.case.case, people.names({one.owner_id for one, _ in told.supports if one.owner_id}, today())
    return {
        "number": case.number, "who": case.student.name, "key": case.student.key,
        "facts": ", ".join(part for part in (grade_words(case.student.grade), case.school.name) if part),
        "at": moment(now()), "through": day_text(told.through) if told.through else "no day yet",
        "supports": [
            plan_parts.support_line(one, list(reversed(given)), names) | {"given": [_given(row) for row in given]}
            for one, given in told.supports
        ],
        "contacts": [entry_of_contact(one) | {"text": ""} for one in told.contacts],
        "causes": [cause_line(one) for one in told.causes],
        "caused": duty_parts.sentence(told.caused), "enrolled": told.enrolled,
        "caused_days": [
            f"{day_text(day)}: {lower_first(vocabulary().label('district_cause', key))}"
            for day, key in told.caused.days
        ],
        "counts": told.counts, "days_in_a_row": told.days_in_a_row, "search": _search(told),
    }  # fmt: skip


def _given(row: Any) -> str:
    return f"{day_text(row.on_day)} ({row.author}, {row.position})"


def _search(told: Pack) -> list[str]:
    """The steps of the search that are done, each with its day and who did it; what was said stays in the case."""
    if told.search is None:
        return []
    lines = [
        f"{line.step.label}: {day_text(line.done.on_day)}, {line.done.author}, {line.done.position}"
        for line in told.search.lines
        if line.done
    ]
    end = told.search.found
    return [*lines, *([f"Found on {day_text(end.on_day)}, {end.author}, {end.position}"] if end else [])]


# -- looking for a student -------------------------------------------------------------------------------------


@screen.post("/cases/<int:number>/search")
@requires(WORK, LOG)
def begin_search(number: int) -> ResponseReturnValue:
    searching.begin(number, by=actor(), again="again" in request.args)
    if searching.copy_is_held(case_page.held(number, WORK, LOG).case):
        return _tasks(number, "The list has begun. The network's re-engagement contact has a copy.")
    return _tasks(number, "The list has begun. Nobody at the network has the copy yet: call there too.", kind="warning")


@screen.post("/cases/<int:number>/search/<step>")
@requires(WORK, LOG)
def search_step(number: int, step: str) -> ResponseReturnValue:
    """A step of the list is done, or the student was found."""
    case_page.held(number, WORK, LOG)
    found(duty().search.get(step) or (step == FOUND or None))
    try:
        search = searching.do(number, step, by=actor(), words=request.form.get("words", ""), once=guard.once())
    except Refused as refusal:
        return _tasks(number, str(refusal), kind="warning")
    if step == FOUND:
        return _tasks(number, "Good. The search has ended, and nobody has to look any more.")
    return _tasks(number, "The list is whole." if search.whole else "Written down.")


def _tasks(number: int, sentence: str, kind: str = "good") -> ResponseReturnValue:
    flash(sentence, kind)
    return redirect(url_for("case.tasks", number=number))


# -- days that the district caused -----------------------------------------------------------------------------


@screen.post("/cases/<int:number>/attendance/district")
@requires(LOG, FIX)
def tag_day(number: int) -> ResponseReturnValue:
    """Write down that the district caused a day away."""
    held = case_page.held(number, Permission.SEE_CASE)
    told = why.glance(held.case.student.key).days
    try:
        day, cause = day_given(request.form.get("day")), request.form.get("why", "")
        if day is None or not cause:
            raise Refused("Choose the day and what the district did.")
        district_days.tag(
            held.case.student_id, day, cause, place=held.place, missed=told, by=actor(), own=held.own
        )  # fmt: skip
    except Refused as refusal:
        return _attendance(number, str(refusal), kind="warning")
    return _attendance(number, f"{day_text(day or date.max)} is counted apart now.")


@screen.post("/cases/<int:number>/attendance/district/<int:row_id>/taken-back")
@requires(LOG, FIX)
def take_day_back(number: int, row_id: int) -> ResponseReturnValue:
    """Count a day with the others again; taken back twice it is so once."""
    held = case_page.held(number, Permission.SEE_CASE)
    row = district_days.take_back(row_id, student_id=held.case.student_id, by=actor())
    return _attendance(number, f"{day_text(row.day)} is counted with the others again.")


def _attendance(number: int, sentence: str, kind: str = "good") -> ResponseReturnValue:
    flash(sentence, kind)
    return redirect(url_for("case.attendance", number=number))
