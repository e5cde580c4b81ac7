"""What people do with a case: give, take, plan, follow, pause, close, reopen; causes, notes and tasks on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, day_text
from ew_app.services.casework import causes, closing, notes, tasks
from ew_app.services.casework import moves as casework
from ew_app.services.casework.causes import Heard
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.web import asked, case_moves, case_page, guard
from ew_app.web.case_page import Page
from ew_app.web.case_words import day_given, lower_first
from ew_app.web.guard import actor, found, requires
from rules.access import FieldClass, Permission, Right
from rules.kept_words import only_for_some
from rules.vocabulary import vocabulary

screen = Blueprint("case_work", __name__)

WORK = Permission.WORK_CASE
LOG = Permission.LOG_OUTREACH
Act = Callable[[], str]
LOOK_AGAIN = (
    "Not saved yet: this note names “{words}”, and everybody who works on this case reads it. Write what is needed, "
    "without the reason{how}; or say below that it is meant for all of them."
)
IN_A_PART = ", or choose who may read it"


# -- one way for all of them: ask on GET, do on POST, show what is wrong beside what was typed -----------------


def _step(number: int, template: str, permission: Permission, act: Act, **shown: Any) -> ResponseReturnValue:
    held = case_page.held(number, permission)
    if request.method == "GET":
        return _asked(held, template, {}, shown)
    try:
        sentence = act()
    except SENTENCES as refusal:
        return _asked(held, template, {shown.get("blame", ""): str(refusal)}, shown), 422
    return _done(number, sentence)


def _asked(held: CaseAtHand, template: str, errors: dict[str, str], shown: dict[str, Any]) -> str:
    frame = case_page.frame(held, "overview")
    return render_template(
        template, errors=errors, values=request.values, key=guard.new_once(), action=request.path, **frame, **shown
    )


def _done(number: int, sentence: str) -> ResponseReturnValue:
    flash(sentence, "good")
    return redirect(url_for("case.show", number=number))


def _version() -> int | None:
    """Which version of the case the form was filled in for."""
    return request.form.get("version", type=asked.number)


# -- who has it ------------------------------------------------------------------------------------------------


@screen.post("/cases/<int:number>/take")
@requires(WORK)
def take(number: int) -> ResponseReturnValue:
    """Make it one's own case."""
    casework.take(number, by=actor())
    return _done(number, "This case is yours now.")


@screen.route("/cases/<int:number>/assign", methods=["GET", "POST"])
@requires(WORK)
def assign(number: int) -> ResponseReturnValue:
    held = case_page.held(number, WORK)
    people = case_moves.may_own(held.place)

    def act() -> str:
        to = request.form.get("to", type=asked.number)
        if to not in dict(people):
            raise Refused("Choose a person of the school, its network or the district.")
        casework.assign(number, to=to, by=actor(), version=_version())
        return f"Given to {dict(people)[to].partition(',')[0]}."

    return _step(
        number, "case_assign.html", WORK, act, people=people, blame="to", title="Who takes this on?", button="Give it"
    )


# -- the way of a case -----------------------------------------------------------------------------------------


@screen.post("/cases/<int:number>/monitor")
@requires(WORK)
def monitor(number: int) -> ResponseReturnValue:
    case = casework.monitor(number, by=actor())
    return _done(number, f"You are following the plan. Next: {_next(case.next_step, case.due)}")


@screen.route("/cases/<int:number>/pause", methods=["GET", "POST"])
@requires(WORK)
def pause(number: int) -> ResponseReturnValue:
    def act() -> str:
        until = day_given(request.form.get("until"))
        case = casework.pause(
            number, reason=request.form.get("reason", ""), until=until, by=actor(), version=_version()
        )
        return f"Paused until {day_text(case.paused_until)}." if case.paused_until else "Paused."

    return _step(
        number, "case_pause.html", WORK, act, title="Why does this case rest?", button="Pause it",
        hint="While it rests, no new task is asked for. Attendance is counted as before.",
        reasons=vocabulary().choices("pause_reason"),
    )  # fmt: skip


@screen.post("/cases/<int:number>/resume")
@requires(WORK)
def resume(number: int) -> ResponseReturnValue:
    case = casework.resume(number, by=actor())
    return _done(number, f"Taken up again. Next: {_next(case.next_step, case.due)}")


@screen.route("/cases/<int:number>/close", methods=["GET", "POST"])
@requires(WORK)
def close(number: int) -> ResponseReturnValue:
    """The last questions of a case, on a page of their own because closing ends its tasks."""
    rules = closing.rules_to_answer(case_page.held(number, WORK).case)

    def act() -> str:
        form = request.form
        answers = {one.rule: form[f"useful_{one.rule}"] for one in rules if form.get(f"useful_{one.rule}")}
        closing.close(
            number, reason=form.get("reason", ""), useful=answers, goals_reviewed="goals_reviewed" in form,
            family_told="family_told" in form, note=form.get("note", ""), by=actor(), version=_version(),
        )  # fmt: skip
        return "The case is closed. Its open tasks are taken off everyone's list."

    return _step(
        number, "case_close.html", WORK, act, title="Close this case?", button="Close the case", rules=rules,
        hint="Its open tasks are taken back. It can be reopened, and opens by itself when a rule is met anew.",
        reasons=vocabulary().closing_choices(), useful=vocabulary().choices("useful"),
    )  # fmt: skip


@screen.route("/cases/<int:number>/reopen", methods=["GET", "POST"])
@requires(WORK)
def reopen(number: int) -> ResponseReturnValue:
    def act() -> str:
        case = closing.reopen(number, why=request.form.get("why", ""), by=actor(), version=_version())
        return f"Taken up again. Next: {_next(case.next_step, case.due)}"

    return _step(
        number, "case_reopen.html", WORK, act, blame="why", title="Take this case up again?", button="Take it up again"
    )


def _next(step: str, due: date | None) -> str:
    step = lower_first(step or "decide what comes next")
    return f"{step}, by {day_text(due)}." if due else f"{step}."


def _where_kept(compartment: str | None) -> str:
    """Where to find it again: what only some may read does not stand on the page of the case."""
    if compartment is None:
        return "It stands on this page."
    label = vocabulary().labels["restricted"][compartment]
    return f"Only those who may open “{label}” can read it, under “Restricted”."


# -- what is known -----------------------------------------------------------------------------------------------


@screen.route("/cases/<int:number>/causes", methods=["GET", "POST"])
@requires(WORK, LOG)
def cause(number: int) -> ResponseReturnValue:
    held = case_page.held(number, WORK, LOG)

    def act() -> str:
        form = request.form
        heard = Heard(
            code=form.get("code", ""), said_by=form.get("said_by", ""), confidence=form.get("confidence", ""),
            primary="is_primary" in form, strengths=form.get("strengths", ""), note=form.get("note", ""),
        )  # fmt: skip
        _check_asked(heard)
        noted = causes.record_cause(number, heard, by=actor(), once=guard.once())
        return f"Written down. {_where_kept(noted.compartment)} Whoever can help with it is asked."

    return _step(
        number, "case_cause.html", LOG, act, title="What gets in the way?", button="Save",
        hint="What you were told or saw yourself. Nobody has to answer why.", families=_families(held),
        said_by=vocabulary().choices("said_by"), confidence=vocabulary().choices("confidence"),
    )  # fmt: skip


def _check_asked(heard: Heard) -> None:
    """One sentence for what was left out, before the words of the keys."""
    if not heard.code:
        raise Refused("Choose what gets in the way. There is an entry for what nobody knows yet.")
    if not heard.said_by:
        raise Refused("Choose who says so.")
    if not heard.confidence:
        raise Refused("Choose how sure it is.")


def _families(held: CaseAtHand) -> list[tuple[str, list[Any]]]:
    """The causes this person may choose, by family."""
    shown = vocabulary().causes_shown(held.readable)
    return [(label, [one for one in shown if one.family == key]) for key, label in vocabulary().choices("cause_family")]


@screen.post("/cases/<int:number>/causes/<int:cause_id>/end")
@requires(WORK, LOG)
def end_cause(number: int, cause_id: int) -> ResponseReturnValue:
    page = Page(case_page.held(number, WORK, LOG))
    found(next((cause for cause in page.causes if cause.id == cause_id), None))
    causes.end_cause(cause_id, by=actor())
    return _done(number, "It stays in the history as something that was so.")


@screen.route("/cases/<int:number>/notes", methods=["GET", "POST"])
@requires(WORK, LOG)
def note(number: int) -> ResponseReturnValue:
    held = case_page.held(number, WORK, LOG)
    places, text = note_places(held), request.form.get("text", "")
    where = (places[0][0] if len(places) == 1 else request.form.get("compartment")) or None
    private = only_for_some(text) if where is None else ""

    def act() -> str:
        if private and not request.form.get("meant"):
            raise Refused(LOOK_AGAIN.format(words=private, how=IN_A_PART if len(places) > 1 else ""))
        notes.write_note(number, text, compartment=where, by=actor(), once=guard.once())
        return "The note is saved."

    return _step(
        number, "case_note.html", LOG, act, blame="text", title="Write a note", button="Save the note", readers=places,
        private=private,
    )  # fmt: skip


def note_places(held: CaseAtHand) -> list[tuple[str, str]]:
    """Where this person may write: on the case, or in a compartment of it."""
    words = vocabulary()
    wanted = [(FieldClass.NOTES, "", "Everyone who works on this case")]
    wanted += [(c, str(c), words.label("restricted", str(c))) for c in FieldClass if c.restricted]
    return [(key, label) for field_class, key, label in wanted if case_page.right(held, field_class) is Right.WRITE]


# -- tasks -------------------------------------------------------------------------------------------------------


@screen.post("/cases/<int:number>/tasks/<int:task_id>/done")
@requires(Permission.DO_TASKS)
def finish(number: int, task_id: int) -> ResponseReturnValue:
    case_page.held(number, Permission.SEE_CASE)
    task = tasks.finish(task_id, by=actor())
    return redirect(url_for("case.tasks", number=number, undo=task.id))


@screen.post("/cases/<int:number>/tasks/<int:task_id>/undo")
@requires(Permission.DO_TASKS)
def undo(number: int, task_id: int) -> ResponseReturnValue:
    case_page.held(number, Permission.SEE_CASE)
    tasks.undo(task_id, by=actor())
    flash("It is open again.", "good")
    return redirect(url_for("case.tasks", number=number))
