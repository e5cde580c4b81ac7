"""S13: What protected needs are open? A workspace for each compartment, for those who look after it and nobody else.

What is open, what is due, what waits. Whom a list names is written down, once a day for each reader and student.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import day_text, today
from ew_app.services.casework import reaching, tasks, waiting, workspaces
from ew_app.services.casework.waiting import Span, Waited
from ew_app.web import asked, limits, on_track
from ew_app.web.case_words import grade_words
from ew_app.web.guard import actor, requires
from ew_app.web.lists import PAGE, pages_of
from ew_app.web.page import days, moment
from models.people import Student
from models.queries import compartment_reads
from models.queries import promises as rows
from models.queries.promises import ToDo, Waiting
from rules.access import FieldClass, Scope
from rules.counting import are, many
from rules.promises import promises
from rules.roles import OPENS
from rules.stints import school_year_start
from rules.vocabulary import vocabulary

screen = Blueprint("supports", __name__)

Line = dict[str, Any]
SHOWN = 25
READ = {
    "compartment_opened": "opened",
    "compartment_read": "read by a command",
    "compartment_listed": "seen in a list",
}
# compartment -> what a rule finds, whom the roster names, what it says when nothing waits
WORDS = {
    FieldClass.STLS: ("Missing days again", "Nothing asked for yet", "Nobody waits for anything that was promised"),
    FieldClass.HEALTH: ("Ill again and again", "No plan asked for yet", "Nobody waits for a plan"),
    FieldClass.COUNSELING: ("To be offered a talk", "", "Nothing waits here"),
    FieldClass.IEP_504: ("To be looked at", "", "Nothing waits here"),
    FieldClass.PROTECTED: ("To be looked at", "", "Nothing waits here"),
}


@screen.get("/supports")
@requires(*OPENS.values())
def show() -> ResponseReturnValue:
    """The one workspace of this person, or a choice of them."""
    mine = workspaces.of(actor())
    if len(mine) == 1:
        return redirect(url_for("supports.one", compartment=mine[0]))
    return render_template("supports_choose.html", workspaces=[(_label(one), _address(one)) for one in mine])


@screen.get("/supports/<compartment>")
@requires(*OPENS.values())
@limits.student_page
def one(compartment: str) -> str:
    """Everything that is open in one compartment."""
    here, reach = workspaces.enter(compartment, actor())
    values, named = _work(here, reach)
    values |= _unasked(here, reach, named) | _searched(here, reach)
    values["track"] = on_track.lines() if here is FieldClass.COUNSELING else None
    workspaces.shown(here, named, by=actor())  # ends the transaction: what was read is in `values` by now
    return render_template("supports.html", compartment=here, label=_label(here), titles=WORDS[here], **values)


def _work(here: FieldClass, reach: Scope) -> tuple[dict[str, Any], set[int]]:
    """What is to do, what waits, what rules say and what ended last, with the students it names."""
    me, on = actor().person_id, today()
    todo = rows.to_do(here, reaching.openings(actor()), me, on, limit=SHOWN)
    open_, late = rows.counts(here, reach, me, on)
    waits = rows.waiting(here, reach, me, on, page=asked.page(), size=PAGE)
    ended, found = rows.settled(here, reach, me, on), rows.findings(here, reach, me, on, limit=SHOWN)
    about: tuple[ToDo | Waiting | rows.Found, ...] = (*todo, *waits, *ended, *found)
    values = {
        "answer": _answer(here, [one.late for one in todo], open_, late, len(found)),
        "todo": [_task(one) for one in todo],
        "waits": promise_lines(waits), "open": open_, "ended": [_ended(one) for one in ended],
        "found": [_found(here, one) for one in found], "page": asked.page(), "pages": pages_of(open_),
        "page_url": url_for("supports.one", compartment=here, page=""), "keeps_promises": bool(promises().of(here)),
    }  # fmt: skip
    return values, {one.student.id for one in about}


def _unasked(here: FieldClass, reach: Scope, named: set[int]) -> dict[str, Any]:
    """Those whom the roster names and for whom nothing was asked this school year; where things are asked for."""
    if not promises().of(here):
        return {"unasked": [], "unasked_total": 0}
    since = school_year_start(today())
    found, total = rows.nothing_asked(here, reach, actor().person_id, today(), since, limit=SHOWN)
    named.update(student.id for student in found)
    return {"unasked": [_student(here, student) for student in found], "unasked_total": total}


def _searched(here: FieldClass, reach: Scope) -> dict[str, Any]:
    """Whom something can be asked for, by part of a name; whatever the compartment holds of them."""
    words = request.args.get("q", "").strip()[:100]
    writes = bool(promises().of(here)) and workspaces.writes_for_all(here, actor())
    found = rows.search(reach, actor().person_id, today(), words) if words and writes else []
    return {"q": words, "writes": writes, "searched": [_student(here, one, ask=True) for one in found]}


@screen.get("/supports/<compartment>/reads")
@requires(*OPENS.values())
def reads(compartment: str) -> str:
    """Who read what of this compartment, and when."""
    here, reach = workspaces.enter(compartment, actor())
    me, on, page = actor().person_id, today(), asked.page()
    total = compartment_reads.total(here, reach, me, on)
    return render_template(
        "supports_reads.html",
        compartment=here,
        label=_label(here),
        answer=f"{many(total, 'reading')} {are(total)} written down" if total else "Nobody has read anything here yet",
        rows=[
            {
                "when": moment(one.at), "who": one.name, "position": one.position, "student": one.student,
                "url": url_for("student.show", key=one.student_key), "what": READ[one.action], "why": one.reason,
            }
            for one in compartment_reads.reads(here, reach, me, on, page=page)
        ],
        page=page,
        pages=pages_of(total),
        total=total,
        page_url=url_for("supports.reads", compartment=here, page=""),
    )  # fmt: skip


@screen.post("/supports/<compartment>/tasks/<int:task_id>/done")
@requires(*OPENS.values())
def finish(compartment: str, task_id: int) -> ResponseReturnValue:
    """A task of the compartment is done."""
    here, _ = workspaces.enter(compartment, actor())
    task = tasks.finish(task_id, by=actor())
    flash(f"Done: {task.title}", "good")
    return redirect(_address(here))


# -- what stands in it -----------------------------------------------------------------------------------------


def promise_lines(found: list[Waiting]) -> list[Line]:
    """Promises as rows: for whom, how far, how long they have waited and what it cost."""
    spans = waiting.spans_of([one.promise for one in found])
    return [_promise(*line) for line in zip(found, spans, waiting.waited(spans), strict=True)]


def _promise(one: Waiting, span: Span, waited: Waited) -> Line:
    promise, kind = one.promise, promises().kinds[one.promise.kind]
    state = promises().states[kind.compartment][promise.state]  # type: ignore[index]
    return {
        "name": one.student.name, "about": f"{one.school}", "url": url_for("promises.one", promise_id=promise.id),
        "what": kind.words(promise.for_whom), "note": promise.what, "state": state,
        "since": waiting.since_words(span), "days": waited.days, "missed": days(waited.missed),
        "system": bool(kind.district_cause) and waited.missed > 0, "due": promise.due, "late": waited.late,
        "owner": one.owner or "nobody yet", "asks_appeal": promise.state == "refused",
    }  # fmt: skip


def _ended(one: Waiting) -> Line:
    promise, kind = one.promise, promises().kinds[one.promise.kind]
    state = promises().states[kind.compartment][promise.state]  # type: ignore[index]
    return {
        "name": one.student.name, "url": url_for("promises.one", promise_id=promise.id),
        "what": kind.words(promise.for_whom), "state": state,
        "when": day_text(promise.settled_on) if promise.settled_on else "",
    }  # fmt: skip


def _task(one: ToDo) -> Line:
    task = one.task
    return {
        "id": task.id, "name": one.student.name, "about": one.school, "title": task.title, "due": task.due,
        "late": one.late, "url": _where(one),
    }  # fmt: skip


def _where(one: ToDo) -> str:
    """Where the compartment opens for this student: on the case, or on the student's own page."""
    kept = one.task.compartment
    if one.case_number is not None:
        return url_for("case_restricted.show", number=one.case_number, compartment=kept)
    return page_of(FieldClass(str(kept)), one.student.key)


def _found(here: FieldClass, one: rows.Found) -> Line:
    return _student(here, one.student) | {"why": one.sentence, "since": day_text(one.since)}


def _student(here: FieldClass, student: Student, *, ask: bool = False) -> Line:
    asking = url_for("promises.ask", compartment=here, student_id=student.id)
    return {
        "name": student.name, "about": grade_words(student.grade), "ask": asking,
        "url": asking if ask else page_of(here, student.key),
    }  # fmt: skip


def page_of(here: FieldClass, key: str) -> str:
    """Where a student's compartment opens for this reader: their own page, from which others go on to the case."""
    if workspaces.reads_for_all(here, actor()):
        return url_for("student_restricted.show", key=key, compartment=here)
    return url_for("student.show", key=key)


def _answer(here: FieldClass, late_days: list[int], open_: int, late: int, found: int) -> str:
    """What is late first, then what waits."""
    overdue = late + sum(1 for one in late_days if one)
    if overdue:
        return f"{many(overdue, 'thing')} {are(overdue)} past the day set for {'it' if overdue == 1 else 'them'}"
    if late_days or open_:
        total = len(late_days) + open_
        return f"{many(total, 'thing')} {are(total)} open, none is late"
    return f"{many(found, 'student')} to look at" if found else WORDS[here][2]


def _label(here: FieldClass) -> str:
    return vocabulary().label("restricted", str(here))


def _address(here: FieldClass) -> str:
    return url_for("supports.one", compartment=here)
