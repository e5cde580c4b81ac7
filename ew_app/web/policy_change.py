"""S18, a change of the policy: thresholds in a form or a file, a second person, and the day from which it holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Conflict, Refused, day_text, settings, today
from ew_app.services.measuring import policies, policy_changes, policy_story, policy_texts
from ew_app.services.measuring.policy_changes import OPEN, State
from ew_app.web.guard import actor, found, requires
from ew_app.web.policy import SHORT, may, names
from ew_app.web.policy_form import Form, chosen_day, wanted
from models.policies import PolicyChange, PolicyWord
from models.queries import policies as rows
from rules.access import Permission
from rules.counting import many
from rules.policy import Policy
from rules.policy_difference import Line

screen = Blueprint("policy_change", __name__, url_prefix="/policy")

changes = requires(Permission.CHANGE_POLICY)
looks = requires(Permission.CHANGE_POLICY, Permission.APPROVE_POLICY, Permission.TRY_POLICY)
STATES = {
    State.EDITING: ("being written", "wait"),
    State.SENT: ("waits for a second person", "new"),
    State.APPROVED: ("approved", "good"),
    State.RETURNED: ("returned", "late"),
    State.ACTIVATED: ("put in force", "good"),
    State.DROPPED: ("let go", "plain"),
}
SAID = {State.SENT: "Sent for approval", State.APPROVED: "Approved", State.RETURNED: "Returned"}
ICONS = {State.SENT: "refer", State.APPROVED: "done", State.RETURNED: "reply"}
STEPS = ("Write", "Second person", "Choose the day", "Holds")
AT_STEP = {State.EDITING: 1, State.RETURNED: 1, State.SENT: 2, State.APPROVED: 3, State.ACTIVATED: 5, State.DROPPED: 1}


# -- writing -------------------------------------------------------------------------------------------------


@screen.get("/changes/new")
@changes
def new() -> str:
    """Thresholds in a form, as today's policy or a chosen version has them."""
    return _form(Form.of(_base(request.args), starts=_first_day()))


@screen.post("/changes/new")
@changes
def begin() -> ResponseReturnValue:
    """Start a change."""
    base = _base(request.form)
    try:
        number = policy_changes.begin(base.version, wanted(base), by=actor())
    except SENTENCES as refusal:
        return _form(Form.again(base, refusal)), 422
    flash("The draft is kept. Nothing holds yet.", "good")
    return redirect(url_for("policy_change.one", number=number))


@screen.get("/changes/upload")
@changes
def upload() -> str:
    """A file somebody wrote."""
    return render_template("policy_upload.html", starts=_first_day(), error="", note="")


@screen.post("/changes/upload")
@changes
def hand_in() -> ResponseReturnValue:
    """Start a change with a file."""
    note = request.form.get("note", "")
    try:
        starts = chosen_day(request.form.get("starts", ""))
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Refused("Choose a file first. A policy is one file that ends with .yaml.")
        text = file.stream.read(policy_texts.LARGEST + 1).decode("utf-8")
        number = policy_changes.hand_in(text, file.filename, starts=starts, note=note, by=actor())
    except UnicodeDecodeError:
        said = "This file is not text (UTF-8). A policy is a YAML file; a spreadsheet or a document is none."
        return _upload_again(said, note)
    except SENTENCES as refusal:
        return _upload_again(str(refusal), note)
    flash("The file can be used. It is kept as a draft, and nothing holds yet.", "good")
    return redirect(url_for("policy_change.one", number=number))


@screen.get("/changes/<int:number>/edit")
@changes
def edit(number: int) -> str:
    """The thresholds of a change in a form."""
    change = _open(number)
    return _form(Form.of_change(policies.stored(change.base), policies.stored(change.version), change))


@screen.post("/changes/<int:number>/edit")
@changes
def save(number: int) -> ResponseReturnValue:
    """Write a change anew."""
    change = _open(number)
    base, revision = policies.stored(change.base), request.form.get("revision", 0, type=int)
    try:
        policy_changes.save(number, wanted(base), revision=revision, by=actor())
    except SENTENCES as refusal:
        theirs = _open(number) if isinstance(refusal, Conflict) else None
        return _form(Form.again(base, refusal, change=change, theirs=theirs)), 422
    flash("The draft is kept. Nothing holds yet.", "good")
    return redirect(url_for("policy_change.one", number=number))


# -- looking, and the second person --------------------------------------------------------------------------


@screen.get("/changes/<int:number>")
@looks
def one(number: int) -> str:
    """What a change would do, where it stands, and what can be done with it."""
    return _page(found(rows.change(number)))


@screen.post("/changes/<int:number>/send")
@changes
def send(number: int) -> ResponseReturnValue:
    """Ask for a second person."""
    return _do(number, "It was sent. Whoever may approve it sees it under Policy.", policy_changes.send)


@screen.post("/changes/<int:number>/approve")
@requires(Permission.APPROVE_POLICY)
def approve(number: int) -> ResponseReturnValue:
    """Agree to it."""
    return _do(number, "It is approved. It can be put in force now.", policy_changes.approve, note=_note())


@screen.post("/changes/<int:number>/return")
@requires(Permission.APPROVE_POLICY)
def give_back(number: int) -> ResponseReturnValue:
    """Return it with a word."""
    return _do(number, "It went back to its authors with your word.", policy_changes.give_back, note=_note())


@screen.post("/changes/<int:number>/drop")
@changes
def drop(number: int) -> ResponseReturnValue:
    """Let it go; it stays on its page, from where it can be taken up again."""
    policy_changes.drop(number, by=actor())
    return redirect(url_for("policy_change.one", number=number))


@screen.post("/changes/<int:number>/take-up")
@changes
def take_up(number: int) -> ResponseReturnValue:
    """Go on with one that was let go."""
    policy_changes.take_up(number, by=actor())
    flash("You can go on with it.", "good")
    return redirect(url_for("policy_change.one", number=number))


# -- pages ---------------------------------------------------------------------------------------------------


def _page(change: PolicyChange, error: str = "") -> str:
    words, by = rows.words_of(change.id), actor()
    lines = policy_story.would_change(change.version, change.starts)
    return render_template(
        "policy_change.html",
        change=change,
        policy=policies.stored(change.version),
        answer=_answer(change, lines),
        lines=lines,
        state=STATES[State(change.state)],
        step=AT_STEP[State(change.state)],
        steps=STEPS,
        entries=[_entry(word) for word in words],
        names=names({change.saved_by, *change.authors}),
        is_open=change.state in OPEN,
        two=settings().policy_approval == "two",
        may=may(),
        approves=policy_changes.may_approve(change, by),
        wrote=by.login in change.authors,
        error=error,
        short=SHORT,
    )


def _answer(change: PolicyChange, lines: tuple[Line, ...]) -> str:
    if change.state in (State.ACTIVATED, State.DROPPED):
        return "This change is in force" if change.state == State.ACTIVATED else "This change was let go"
    if len(lines) == 1:
        return lines[0].sentence.removesuffix(".")
    return f"{many(len(lines), 'thing')} would change" if lines else "Nothing would change yet"


def _entry(word: PolicyWord) -> dict[str, Any]:
    state = State(word.said)
    return {
        "kind": SAID[state],
        "icon": ICONS[state],
        "when": day_text(word.said_at.date()),
        "when_iso": word.said_at.isoformat(),
        "text": word.note,
        "who": names({word.said_by})[word.said_by],
        "position": "",
    }


def _form(form: Form) -> str:
    return render_template("policy_form.html", form=form, today=today())


def _upload_again(error: str, note: str) -> ResponseReturnValue:
    starts = request.form.get("starts", "")
    return render_template("policy_upload.html", starts=starts, error=error, note=note), 422


def _do(number: int, done: str, verb: Any, **more: str) -> ResponseReturnValue:
    change, revision = found(rows.change(number)), request.form.get("revision", 0, type=int)
    try:
        verb(number, revision=revision, by=actor(), **more)
    except SENTENCES as refusal:
        return _page(change, str(refusal)), 422
    flash(done, "good")
    return redirect(url_for("policy_change.one", number=number))


def _open(number: int) -> PolicyChange:
    return found(rows.change(number))


def _base(asked: Mapping[str, str]) -> Policy:
    """The version a change begins from: the one that is named, or today's."""
    return policies.stored(asked.get("base") or policies.timeline().on(today()).version)


def _note() -> str:
    return request.form.get("note", "")[: policy_changes.LONGEST_NOTE]


def _first_day() -> date:
    """The first of the next month: thresholds seldom change in the middle of one."""
    day = today()
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
