"""Cases given to somebody from a list: one or several, several only after a question, and for ten seconds undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, NotFound, Refused, today
from ew_app.services.casework import handfuls
from ew_app.services.casework.reaching import NO_CASE
from ew_app.web import asked, case_lines, case_moves, guard
from ew_app.web.guard import actor, requires, scope
from models.lists import Handful
from models.queries import naming, own_views, worklists
from rules import access
from rules.access import Permission, Place
from rules.counting import are, many

screen = Blueprint("giving", __name__)

WORK = Permission.WORK_CASE
UNDO_SHOWN = 10  # seconds
Again = Callable[[str, Sequence[str]], str]


def people(schools: Sequence[int]) -> list[tuple[int, str]]:
    """Who could own a case at these schools, with what each carries; for those who may give one."""
    if not access.can(actor().grants, WORK):
        return []
    here = naming.places(schools).values()
    return case_moves.may_own(*(Place.of_school(school, network) for school, network in sorted(here)))


def give(again: Again) -> ResponseReturnValue:
    """Do what the form of a list asks for; `again` shows the list with a sentence and what was ticked."""
    form, ticked = request.form, request.form.getlist("case")
    taken = form.get("take", type=asked.number)
    numbers = [taken] if taken else [number for text in ticked if (number := asked.row_number(text))]
    to = actor().person_id if taken else form.get("to", type=asked.number)
    try:
        if not numbers:
            raise Refused("Tick the students whose cases you want to give away.")
        if to is None:
            raise Refused("Choose the person who takes them on.")
        if taken is not None:
            _check_free(taken)
        if len(numbers) > 1 and "sure" not in form:
            return _ask(numbers, to)
        kept = handfuls.give(numbers, to=to, by=actor())
    except SENTENCES as refusal:
        return again(str(refusal), ticked), 422
    flash(_said(kept), "good")
    return redirect(_with_undo(guard.local_path(form.get("back")), kept.id))


def _check_free(number: int) -> None:
    """Whoever takes a case from an old list is told where a colleague was faster. Raises Refused."""
    for line in worklists.by_number(scope(WORK), actor().person_id, today(), [number]):
        if line.owner_id not in (None, actor().person_id):
            raise Refused(f"{line.owner} has taken this case in the meantime. Ask them for it, or leave it with them.")


def _ask(numbers: Sequence[int], to: int) -> str:
    """Who is meant, how many, what the person carries already, and which cannot be given to them, and why."""
    found = worklists.by_number(scope(WORK), actor().person_id, today(), numbers)
    if len(found) < len(set(numbers)):
        raise NotFound(NO_CASE)
    stay = handfuls.refused(numbers, to=to, by=actor())
    going = [line for line in found if line.number not in stay]
    if not going:
        raise Refused(f"None of these can be given. {' '.join(dict.fromkeys(stay.values()))}")
    carried = dict(people(sorted({line.school_id for line in going}))).get(to)
    return render_template(
        "give.html",
        lines=case_lines.case_lines(going),
        stay=[
            (case_lines.name(line), case_lines.about(line), stay[line.number]) for line in found if line.number in stay
        ],
        answer=f"Give {many(len(going), 'case')} to {case_moves.person_name(to)}?",
        carried=carried,
        action=request.path,
        fields=[("to", str(to)), ("sure", "1"), ("back", guard.local_path(request.form.get("back")))],
        back=guard.local_path(request.form.get("back")),
    )


def _said(kept: Handful) -> str:
    count = len(kept.before)
    if kept.given_to == actor().person_id:
        return "This case is yours now." if count == 1 else f"{count} cases are yours now."
    return f"{many(count, 'case')} given to {case_moves.person_name(kept.given_to)}."


def _with_undo(path: str, handful_id: int) -> str:
    return f"{path}{'&' if '?' in path else '?'}{urlencode({'undo': handful_id})}"


def undo(back: str) -> dict[str, Any] | None:
    """The way back for what this person has just given away, for the foot of the page."""
    number = request.args.get("undo", type=asked.number)
    kept = own_views.handful(actor().person_id, number) if number else None
    if kept is None or not handfuls.can_take_back(kept):
        return None
    action = url_for("giving.take_back", handful_id=kept.id, back=back)
    return {"text": "You can still take it back.", "action": action, "once": guard.new_once(), "seconds": UNDO_SHOWN}


@screen.post("/given/<int:handful_id>/undo")
@requires(WORK)
def take_back(handful_id: int) -> ResponseReturnValue:
    """Put them back as they were."""
    try:
        count = handfuls.take_back(handful_id, by=actor())
        flash(
            f"Taken back: {many(count, 'case')} {are(count)} where {are(count, 'it was', 'they were')} before.", "good"
        )
    except Refused as refusal:
        flash(str(refusal), "error")
    return redirect(guard.local_path(request.args.get("back")))
