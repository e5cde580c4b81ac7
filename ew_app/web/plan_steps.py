"""One way for every form of a plan: ask on GET, do on POST, and never lose what was typed.

Where somebody else was faster, the page shows what stands now beside what was written; whoever wrote decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Conflict, Refused
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.web import asked, case_page, guard

Values = Mapping[str, Any]
Stands = Callable[[Any], list[tuple[str, str, str]]]  # what stands now -> (what, in what words, whose field)


def step(
    held: CaseAtHand,
    template: str,
    act: Callable[[], str],
    *,
    values: Values,
    stands: Stands | None = None,
    **shown: Any,
) -> ResponseReturnValue:
    """A form about a case's plan; after it the Plan tab with a sentence. `values`: what it is filled with at first."""
    if request.method == "GET":
        return _asked(held, template, values, {}, **shown)
    try:
        sentence = act()
    except SENTENCES as refusal:
        errors = {shown.get("blame", ""): str(refusal)}
        theirs = getattr(refusal, "theirs", None) if isinstance(refusal, Conflict) else None
        if theirs is not None and stands is not None:
            shown |= {"stands": stands(theirs), "seen": theirs.version}
        return _asked(held, template, request.form, errors, **shown), 422 if theirs is None else 409
    flash(sentence, "good")
    return redirect(shown.get("back") or url_for("case.plan", number=held.case.number))


def _asked(held: CaseAtHand, template: str, values: Values, errors: dict[str, str], **shown: Any) -> str:
    frame = case_page.frame(held, "plan")
    back = {"back": url_for("case.plan", number=held.case.number)}
    return render_template(
        template, **(frame | back | shown), values=values, errors=errors, key=guard.new_once(), action=request.path
    )


def number(name: str, what: str) -> int | None:
    """A whole number of the form, or None for an empty field. Raises Refused."""
    text = request.form.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Refused(f"{what}: write a whole number.")
    return int(text) if text else None


def row(name: str) -> int | None:
    """The number of a row that the form names; None for none."""
    return request.form.get(name, type=asked.number)
