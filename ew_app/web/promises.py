"""S13, one thing asked for inside a compartment: ask, look at its way, say how far it is, give it to somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, day_text, today
from ew_app.services.casework import promises as work
from ew_app.services.casework import waiting, workspaces
from ew_app.services.casework.promises import AtHand, Wanted
from ew_app.web import asked, case_page, guard
from ew_app.web.case_words import day_given, lower_first
from ew_app.web.guard import actor, found, requires
from ew_app.web.page import days, moment
from models.promises import Promise, PromiseStep
from models.queries import case_page as people
from models.queries import compartment_reads
from models.queries import promises as rows
from rules.access import FieldClass
from rules.counting import many
from rules.promises import Kind, State, Whom, promises
from rules.roles import OPENS
from rules.vocabulary import vocabulary

screen = Blueprint("promises", __name__)

ICONS = {State.IN_HAND: "done", State.REFUSED: "warning", State.NOT_WANTED: "done"}
WHOM = (("student", "The student"), ("caregiver", "The caregiver who brings the child"))


@screen.route("/supports/<compartment>/ask/<int:student_id>", methods=["GET", "POST"])
@requires(*OPENS.values())
def ask(compartment: str, student_id: int) -> ResponseReturnValue:
    """Ask for something for a student of a school of this person."""
    here, _ = workspaces.enter(compartment, actor())
    held = work.at_hand(student_id, here, actor())
    kinds = found(promises().of(here) or None if held.writes else None)
    if request.method == "GET":
        return _form(here, held, kinds)
    try:
        promise = work.ask(student_id, _wanted(), by=actor(), once=guard.once())
    except SENTENCES as refusal:
        return _form(here, held, kinds, str(refusal)), 422
    flash(f"Asked for: {_words(promise)}", "good")
    return redirect(url_for("promises.one", promise_id=promise.id))


def _wanted() -> Wanted:
    form = request.form
    return Wanted(
        kind=form.get("kind", ""), for_whom=form.get("for_whom") or Whom.STUDENT, what=form.get("what", ""),
        asked_on=day_given(form.get("asked_on")), due=day_given(form.get("due")),
        owner=form.get("owner", type=asked.row_number),
    )  # fmt: skip


def _form(here: FieldClass, held: AtHand, kinds: tuple[Kind, ...], error: str = "") -> str:
    return render_template(
        "promise_ask.html",
        subject=case_page.subject(held.student, held.school.name),
        compartment=here,
        label=vocabulary().label("restricted", str(here)),
        kinds=[(kind.key, kind.label) for kind in kinds],
        whom=WHOM if any(kind.caregiver for kind in kinds) else (),
        owners=work.may_own(held.place, here),
        me=actor().person_id,
        values=request.form,
        error=error,
        today=today(),
        key=guard.new_once(),
    )


@screen.get("/supports/promises/<int:promise_id>")
@requires(*OPENS.values())
def one(promise_id: int) -> str:
    """Its way so far, how long it has taken, and what can be said next."""
    promise, held = work.open_one(promise_id, by=actor())
    return _page(promise, held)


@screen.post("/supports/promises/<int:promise_id>")
@requires(*OPENS.values())
def move(promise_id: int) -> ResponseReturnValue:
    """How far it is now."""
    form = request.form
    promise, held = work.open_one(promise_id, by=actor())
    try:
        promise = work.move(
            promise_id, form.get("state", ""), by=actor(), on_day=day_given(form.get("on_day")),
            note=form.get("note", ""), appeal_told=bool(form.get("appeal_told")),
            version=form.get("version", type=asked.number), once=guard.once(),
        )  # fmt: skip
    except SENTENCES as refusal:
        return _page(promise, held, str(refusal)), 422
    flash(f"{_words(promise)}: {lower_first(_state(promise, promise.state))}", "good")
    return redirect(url_for("promises.one", promise_id=promise_id))


@screen.post("/supports/promises/<int:promise_id>/owner")
@requires(*OPENS.values())
def give(promise_id: int) -> ResponseReturnValue:
    """Somebody else sees to it from now on."""
    promise, held = work.open_one(promise_id, by=actor())
    try:
        version = request.form.get("version", type=asked.number)
        work.give(promise_id, request.form.get("owner", -1, type=asked.number), by=actor(), version=version)
    except SENTENCES as refusal:
        return _page(promise, held, str(refusal)), 422
    flash("Somebody else sees to it now.", "good")
    return redirect(url_for("promises.one", promise_id=promise_id))


def lines(found: Sequence[Promise], *, linked: bool) -> list[dict[str, Any]]:
    """What was asked for a student, as rows inside the compartment."""
    return [
        {
            "what": _words(one), "state": _state(one, one.state), "note": one.what,
            "when": f"since {waiting.since_words(span)}" if one.settled_on is None else day_text(one.settled_on),
            "url": url_for("promises.one", promise_id=one.id) if linked else None,
        }
        for one, span in zip(found, waiting.spans_of(found), strict=True)
    ]  # fmt: skip


def readers(student_id: int, compartment: str) -> list[str]:
    """Who opened or listed this compartment of a student lately, for those who may open it."""
    here, reach = workspaces.enter(compartment, actor())
    found = compartment_reads.reads(here, reach, actor().person_id, today(), student=student_id, size=10)
    return [f"{moment(one.at)}: {one.name}, {one.position}" for one in found]


def _page(promise: Promise, held: AtHand, error: str = "") -> str:
    here = FieldClass(promise.compartment)
    (span,) = waiting.spans_of([promise])
    (waited,) = waiting.waited([span])
    name = people.names([promise.owner_id] if promise.owner_id else [], today())
    return render_template(
        "promise.html",
        subject=case_page.subject(held.student, held.school.name),
        student_url=student_url(held, here),
        compartment=here,
        label=vocabulary().label("restricted", str(here)),
        promise=promise,
        answer=f"{_words(promise)}: {lower_first(_state(promise, promise.state))}",
        facts=_facts(promise, span, waited, name.get(promise.owner_id or 0, "nobody yet")),
        late=waited.late if promise.settled_on is None else 0,
        appeal=promise.state == State.REFUSED and promise.settled_on is None,
        entries=[_entry(promise, step) for step in rows.steps(promise.id)],
        states=[(key, words) for key, words in promises().states[here].items()],
        owners=work.may_own(held.place, here),
        may_write=held.writes,
        values=request.form,
        error=error,
        today=today(),
        key=guard.new_once(),
    )


def student_url(held: AtHand, here: FieldClass) -> str:
    """The compartment on the student's page for whoever opens it there; the page itself for all others."""
    if workspaces.reads_for_all(here, actor()):
        return url_for("student_restricted.show", key=held.student.key, compartment=here)
    return url_for("student.show", key=held.student.key)


def _facts(promise: Promise, span: waiting.Span, waited: waiting.Waited, owner: str) -> list[tuple[str, ...]]:
    kind = promises().kinds[promise.kind]
    ended = f", until {day_text(promise.settled_on)}" if promise.settled_on else ""
    missed = f"{days(waited.missed)} of them missed" if waited.missed else "none of them missed"
    facts: list[tuple[str, ...]] = [
        ("Asked for", waiting.since_words(span)),
        ("Waiting" if promise.settled_on is None else "Waited", f"{many(waited.days, 'school day')}{ended}, {missed}"),
        ("Sees to it", owner),
    ]
    if promise.what:
        facts.append(("What exactly", promise.what))
    if kind.district_cause:
        facts.append(("Days missed meanwhile", "count as caused by the district, not by the family"))
    return facts


def _entry(promise: Promise, step: PromiseStep) -> dict[str, Any]:
    """A state it reached, as a line of its history."""
    state, told = State(step.state), " The family knows how to appeal." if step.appeal_told else ""
    written = "" if step.on_day == step.written_at.date() else f" Written down {moment(step.written_at)}."
    return {
        "icon": ICONS.get(state, "plan"), "kind": _state(promise, step.state), "who": step.author,
        "position": step.position, "when": day_text(step.on_day), "when_iso": step.on_day.isoformat(),
        "text": f"{step.note}{told}{written}".strip(),
    }  # fmt: skip


def _state(promise: Promise, state: str) -> str:
    return promises().states[FieldClass(promise.compartment)][State(state)]


def _words(promise: Promise) -> str:
    return promises().kinds[promise.kind].words(promise.for_whom)
