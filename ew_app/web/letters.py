"""A letter of a case: its words, that somebody has sent it, and that the family was told where it was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import today
from ew_app.services.casework import letters
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.web import case_lines, case_page
from ew_app.web.guard import actor, requires, scope
from ew_app.web.page import moment
from ew_app.web.today_parts import SHOWN, Part
from models.cases import Case
from models.letters import Letter
from models.queries import letters as rows
from rules import access
from rules.access import Permission
from rules.letters import templates

screen = Blueprint("letters", __name__)

STATES = {"draft": ("draft", "new"), "sent": ("sent", "good"), "withdrawn": ("taken back", "plain")}
SETTLED = {"told": "The family was told of the correction.", "not_needed": "Nothing more to tell the family."}


@screen.get("/cases/<int:number>/letters/<int:letter_id>")
@requires(letters.MAY_SEND)
def one(number: int, letter_id: int) -> str:
    shown = letters.read(number, letter_id, by=actor())
    at_hand = case_page.held(number, Permission.SEE_CASE)
    line = _line(shown.letter)
    return render_template("letter.html", **case_page.frame(at_hand, "tasks"), letter=line, text=shown.text)


@screen.post("/cases/<int:number>/letters/<int:letter_id>/sent")
@requires(letters.MAY_SEND)
def sent(number: int, letter_id: int) -> ResponseReturnValue:
    """Somebody has put it in the mail, or into the child's bag."""
    letters.sent(number, letter_id, by=actor())
    return _done(number, "Written down. If its marks turn out wrong, it comes back to your Today page.")


@screen.post("/cases/<int:number>/letters/<int:letter_id>/told")
@requires(letters.MAY_SEND)
def told(number: int, letter_id: int) -> ResponseReturnValue:
    letters.settle(number, letter_id, by=actor(), told=True)
    return _done(number, "Written down: the family was told of the correction.")


@screen.post("/cases/<int:number>/letters/<int:letter_id>/as-it-is")
@requires(letters.MAY_SEND)
def as_it_is(number: int, letter_id: int) -> ResponseReturnValue:
    letters.settle(number, letter_id, by=actor(), told=False)
    return _done(number, "Written down: the family needs to hear nothing more.")


def _done(number: int, sentence: str) -> ResponseReturnValue:
    flash(sentence, "good")
    return redirect(url_for("case.tasks", number=number))


def of_case(case: Case) -> list[dict[str, Any]]:
    """The letters of a case as rows, the newest first."""
    return [_line(letter) for letter in rows.of_case(case)]


def may_read(at_hand: CaseAtHand) -> bool:
    """Whether this person may read and send letters of this very case."""
    return case_page.may(at_hand, letters.MAY_SEND)


def _line(letter: Letter) -> dict[str, Any]:
    waits = letter.corrected_at is not None and letter.settled_at is None
    when = letter.sent_at or letter.withdrawn_at or letter.created_at
    return {
        "id": letter.id, "label": templates()[letter.template].label, "state": STATES[letter.status],
        "is_draft": letter.status == "draft", "when": moment(when), "waits": waits,
        "note": letter.note or SETTLED.get(letter.settled_as or "", ""),
    }  # fmt: skip


def to_tell_again() -> tuple[Part, ...]:
    """Letters that this person sent and whose marks were corrected since; no part when there are none."""
    lines = list(_lines()) if access.can(actor().grants, letters.MAY_SEND) else []
    if not lines:
        return ()
    hint = "You sent them a letter, and then the marks behind it were corrected."
    return (Part("Families to tell that a letter was wrong", lines[:SHOWN], "", len(lines), hint, tiers=False),)


def _lines() -> Iterator[case_lines.Line]:
    me = actor()
    found = rows.to_tell_again(me.login, scope(Permission.SEE_CASE), me.person_id, today())
    for letter, student, school, number in found:
        label = templates()[letter.template].label
        yield {
            "name": student.name, "about": case_lines.short_school(school), "due": None, "late": 0, "tier": None,
            "reason": f"{label}, sent {moment(letter.sent_at)}",
            "url": url_for("letters.one", number=number, letter_id=letter.id),
        }  # fmt: skip
