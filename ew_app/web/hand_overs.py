"""S11: Who should help, and did they? Asking about a case, the answers, and what is asked of me."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, today
from ew_app.services.casework import answering, handing_over, school_changes
from ew_app.services.casework.handing_over import Receiver, Wanted
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.web import case_page, guard, hand_over_lines
from ew_app.web.case_words import day_given, lower_first
from ew_app.web.guard import actor, found, requires
from models.queries import case_page as people
from models.queries import hand_overs as rows
from rules.access import Permission
from rules.handing_over import Kind, asks_for_consent, may_own, would_see
from rules.kept_words import only_for_some
from rules.vocabulary import vocabulary

screen = Blueprint("hand_overs", __name__)

ASK = handing_over.MAY_ASK
ANSWER = (Permission.DO_TASKS, Permission.WORK_CASE)
KINDS = (
    (Kind.REFER.value, "Help with it; the case stays where it is"),
    (Kind.TRANSFER.value, "Take the case over, once they say yes"),
)


# -- about a case --------------------------------------------------------------------------------------------


@screen.route("/cases/<int:number>/help", methods=["GET", "POST"])
@requires(*ASK)
def ask(number: int) -> ResponseReturnValue:
    """The question, then what they would see, then it is sent; below it, what was asked before."""
    held = case_page.held(number, *ASK)
    able = handing_over.receivers(held.case, held.place, actor())
    if request.method == "GET" or "change" in request.form:
        return _page(held, able)
    try:
        wanted = _wanted()
        chosen = next((one for one in able if one.key == wanted.to), None)
        if "send" not in request.form:
            return _page(held, able, preview=_preview(chosen, wanted))
        _send(number, wanted)
    except SENTENCES as refusal:
        return _page(held, able, error=str(refusal)), 422
    flash(f"{chosen.name if chosen else 'They'} will see it under Today and can say yes or no.", "good")
    return redirect(url_for("hand_overs.ask", number=number))


def _send(number: int, wanted: Wanted) -> None:
    kind = request.form.get("kind", Kind.REFER.value)
    verb = handing_over.transfer if kind == Kind.TRANSFER else handing_over.refer
    verb(number, wanted, by=actor(), once=guard.once())


def _wanted() -> Wanted:
    form = request.form
    return Wanted(
        to=form.get("to", ""),
        asked=form.get("asked", ""),
        due=day_given(form.get("due")),
        agreed_by=form.get("agreed_by", ""),
        agreed_on=day_given(form.get("agreed_on")),
    )


def _preview(chosen: Receiver | None, wanted: Wanted) -> dict[str, Any]:
    """What they would see, before and after saying yes. Refused where the question is not whole yet."""
    if chosen is None:
        raise Refused("Choose whom you ask.")
    if not wanted.asked.strip():
        raise Refused("Say in a sentence what you ask for.")
    if request.form.get("kind") == Kind.TRANSFER and not may_own(chosen.role):
        raise Refused(f"A {chosen.role.label} cannot own a case. Ask them for help instead.")
    if asks_for_consent(chosen.role) and not (wanted.agreed_by and wanted.agreed_on):
        raise Refused("A partner is asked only with the family's consent. Say who agreed, and on which day.")
    return {
        "name": chosen.name, "role": lower_first(chosen.role.label), "asked": wanted.asked.strip(),
        "keeps": chosen.role.entrusted, "private": only_for_some(wanted.asked),
        "now": would_see(chosen.role, accepted=False), "then": would_see(chosen.role, accepted=True)[2:],
    }  # fmt: skip


def _page(held: CaseAtHand, able: list[Receiver], *, error: str = "", preview: dict[str, Any] | None = None) -> str:
    case, away = held.case, people.on_leave([str(one) for one in held.place.upwards()], today())
    return render_template(
        "case_help.html",
        **case_page.frame(held, "tasks"),
        lines=hand_over_lines.lines(rows.of_case(case.id), actor().person_id, answers=False),
        people=[(one.key, hand_over_lines.receiver_words(one, away)) for one in able],
        kinds=KINDS,
        said_by=vocabulary().choices("said_by"),
        values=request.form,
        error=error,
        preview=preview,
        action=request.path,
        key=guard.new_once(),
        partners=any(asks_for_consent(one.role) for one in able),
    )


@screen.post("/cases/<int:number>/request")
@requires(*ASK)
def ask_for_case(number: int) -> ResponseReturnValue:
    """Ask a colleague for a case of theirs."""
    case_page.held(number, Permission.SEE_CASE)
    why = request.form.get("why", "")
    return _told(
        lambda: handing_over.ask_for_case(number, by=actor(), why=why, once=guard.once()),
        "Its owner is asked. You see the answer under Today.",
        url_for("hand_overs.ask", number=number),
    )


# -- what is asked of me, and one by one ---------------------------------------------------------------------


@screen.get("/asked")
@requires(*ANSWER)
def inbox() -> str:
    me = actor().person_id or 0
    waiting = handing_over.asked_of(actor())
    return render_template(
        "asked.html",
        answer=hand_over_lines.answer(waiting),
        waiting=hand_over_lines.lines(waiting, me, answers=True),
        sent=hand_over_lines.lines(rows.asked_by(me), me, answers=False),
    )


@screen.get("/asked/<int:number>")
@requires(*ANSWER)
def one(number: int) -> str:
    return _one(number)


def _one(number: int, error: str = "") -> str:
    me = actor().person_id or 0
    row = _reached(number)
    mine = rows.one(number, handing_over.addressed_to(actor())) is not None
    return render_template(
        "asked_one.html",
        **hand_over_lines.whole(row, me, mine=mine),
        key=guard.new_once(),
        values=request.form,
        error=error,
    )


def _reached(number: int) -> rows.Line:
    """A hand-over within reach. Conflict for somebody who was asked too, once another has answered; else NotFound."""
    row = rows.one(number, handing_over.within_reach(actor()))
    if row is None:
        handing_over.check_not_answered(number, actor())
    return found(row)


@screen.post("/asked/<int:number>/<any(accept, decline, finish, take_back, write):answer>")
@requires(*ANSWER)
def answer(number: int, answer: str) -> ResponseReturnValue:
    """Yes, no with a reason, done with a report, taken back, or the words of a hand-over to another school."""
    _reached(number)
    words, by = request.form.get("words", ""), actor()
    verbs: dict[str, Callable[[], object]] = {
        "accept": lambda: answering.accept(number, by=by, words=words),
        "decline": lambda: answering.decline(number, by=by, why=words),
        "finish": lambda: answering.finish(number, by=by, report=words),
        "take_back": lambda: answering.take_back(number, by=by, why=words),
        "write": lambda: school_changes.write(number, by=by, story=words),
    }
    try:
        verbs[answer]()
    except SENTENCES as refusal:
        return _one(number, str(refusal)), 422
    flash(hand_over_lines.DONE[answer], "good")
    row = rows.one(number, handing_over.within_reach(by))
    return redirect(url_for("hand_overs.one", number=number) if row else url_for("hand_overs.inbox"))


def _told(act: Callable[[], object], sentence: str, back: str) -> ResponseReturnValue:
    """Do it, and say on the next page what became of it."""
    try:
        act()
        flash(sentence, "good")
    except SENTENCES as refusal:
        flash(str(refusal), "error")
    return redirect(back)
