"""S09: What happened in this contact? How and with what result are enough; everything else may stay empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, day_text, today, transaction
from ew_app.services.casework import causes, outreach, reaching, staffing
from ew_app.services.casework.causes import Heard
from ew_app.services.casework.outreach import Attempt
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.web import asked, case_lines, case_page, guard
from ew_app.web.case_words import day_given, lower_first
from ew_app.web.guard import actor, requires, scope
from models.queries import student_page, worklists
from rules.access import Permission, Place
from rules.vocabulary import Cause, Outcome, vocabulary

screen = Blueprint("outreach", __name__)

LOG = Permission.LOG_OUTREACH
COMMON = {"call": "Call", "text": "Text", "in_person": "At school", "visit": "Visit"}
FIRST = ("reached_agreed", "left_voicemail", "no_answer", "message_delivered", "visited_spoke", "visited_card_left")
MORE = (
    "with_whom",
    "next_date",
    "promise",
    "cause",
    "note",
    "language",
    "interpreter",
    "minutes",
    "on_day",
    "from_them",
)
SAID_BY = {"student": "student", "caregiver": "caregiver", "relative": "caregiver"}
OFFERED = 12


@dataclass(frozen=True, slots=True)
class Way:
    """A method as a chip: `way` says which outcomes fit, the common ones are in sight under a short name."""

    key: str
    label: str
    way: str

    @property
    def common(self) -> bool:
        return self.key in COMMON

    @property
    def short(self) -> str:
        return COMMON.get(self.key, self.label)


@dataclass(frozen=True, slots=True)
class About:
    """Whom a contact is about: a case, or a student without one. Found within reach, or not at all."""

    student_id: int
    shown: dict[str, Any]
    phones: list[dict[str, Any]]
    url: str
    action: str
    number: int | None = None
    held: CaseAtHand | None = None

    @classmethod
    def case(cls, number: int) -> About:
        held = case_page.held(number, LOG)
        return cls(
            held.case.student_id,
            case_page.subject(held.case.student, held.case.school.name),
            [one for one in case_page.people(held.case.student_id, held.place, own=held.own) or [] if one["phone"]],
            url_for("case.show", number=number),
            url_for("outreach.save", number=number),
            number,
            held,
        )

    @classmethod
    def student(cls, student_id: int) -> About:
        student = reaching.student_at_hand(student_id, actor(), LOG, Permission.CALL_ABSENT)
        school = next(iter(student_page.schools_of(student_id, today())), None)
        place = staffing.place_of(school) if school else Place.district()
        own = student_page.is_own(student_id, actor().person_id)
        return cls(
            student_id,
            case_page.subject(student, school.name if school else ""),
            [one for one in case_page.people(student_id, place, own=own) or [] if one["phone"]],
            url_for("today.show"),
            url_for("outreach.save_for_student", student_id=student_id),
        )


@screen.get("/outreach")
@requires(LOG)
def choose() -> str:
    """Whom was it about? The open cases that this person may write to, the next due first."""
    text = request.args.get("q", "").strip()[:100]
    found = worklists.caseload(scope(LOG), actor().person_id, today(), text=text, size=OFFERED)
    return render_template("outreach_choose.html", rows=case_lines.case_lines(found.rows), q=text, back=_back("/today"))


@screen.get("/cases/<int:number>/outreach")
@requires(LOG)
def show(number: int) -> str:
    return _page(About.case(number))


@screen.post("/cases/<int:number>/outreach")
@requires(LOG)
def save(number: int) -> ResponseReturnValue:
    return _save(About.case(number))


@screen.get("/outreach/<int:student_id>")
@requires(LOG, Permission.CALL_ABSENT)
def for_student(student_id: int) -> str:
    """The same for a student without a case: a call that a rule or a teacher asked for."""
    return _page(About.student(student_id))


@screen.post("/outreach/<int:student_id>")
@requires(LOG, Permission.CALL_ABSENT)
def save_for_student(student_id: int) -> ResponseReturnValue:
    return _save(About.student(student_id))


def _save(about: About) -> ResponseReturnValue:
    errors: dict[str, str] = {}
    attempt = _attempt(errors)
    heard = _heard(about, errors)
    if not errors:
        try:
            _write(about, attempt, heard)
        except SENTENCES as refusal:
            errors[""] = str(refusal)
    if errors:
        return _page(about, errors), 422
    flash(_saved(about), "good")
    return redirect(_back(about.url))


def _write(about: About, attempt: Attempt, heard: Heard | None) -> None:
    """The contact and what was learned in it: both are kept, or neither."""
    once, task = guard.once(), request.form.get("task", type=asked.number)
    with transaction():
        outreach.log_outreach(
            attempt, case_number=about.number, student_id=about.student_id, task_id=task, by=actor(), once=once
        )
        if heard is not None and about.number is not None:
            causes.record_cause(about.number, heard, by=actor(), once=once)


def _saved(about: About) -> str:
    """That it is kept, and what is next."""
    case = case_page.held(about.number, LOG).case if about.number else None
    if case is None or case.closed_on is not None or not case.next_step:
        return "The contact is saved."
    by = f", by {day_text(case.due)}" if case.due else ""
    return f"The contact is saved. Next: {lower_first(case.next_step)}{by}."


# -- the form ----------------------------------------------------------------------------------------------------


def _page(about: About, errors: dict[str, str] | None = None) -> str:
    """The form with what was typed; a fresh one has a phone call chosen."""
    words, values = vocabulary(), {**request.form.to_dict()} or {"method": "call"}
    methods = [Way(m.key, m.label, str(m.way)) for m in words.methods.values() if not m.automatic]
    return render_template(
        "outreach.html",
        about=about.shown,
        phones=about.phones,
        action=about.action,
        task=request.values.get("task", ""),
        errors=errors or {},
        values=values,
        key=guard.new_once(),
        back=_back(about.url),
        open=any(values.get(name) for name in (*MORE, "from_them")),
        methods=sorted(methods, key=lambda way: list(COMMON).index(way.key) if way.common else len(COMMON)),
        others={m.key for m in methods if not m.common},
        outcomes=sorted(words.outcomes.values(), key=_place),
        whom=words.choices("with_whom"),
        languages=words.choices("language"),
        causes=[(one.code, one.label) for one in _offered(about)],
    )


def _place(outcome: Outcome) -> int:
    return FIRST.index(outcome.key) if outcome.key in FIRST else len(FIRST)


def _offered(about: About) -> list[Cause]:
    """Causes that may be noted in passing: the open ones; a restricted one has its own page."""
    held = about.held
    if held is None or held.case.closed_on is not None or not case_page.writes_case(held):
        return []
    return [one for one in vocabulary().causes_shown(held.readable) if one.restricted is None and one.known]


def _attempt(errors: dict[str, str]) -> Attempt:
    """What the form says; a sentence for each field that cannot be taken goes to `errors`."""
    form = request.form
    method, outcome = form.get("method", ""), form.get("outcome", "")
    if method not in vocabulary().methods:
        errors["method"] = "Choose how you tried."
    if outcome not in vocabulary().outcomes:
        errors["outcome"] = "Choose what happened."
    elif "method" not in errors and vocabulary().outcomes[outcome] not in vocabulary().outcomes_for(method):
        errors["outcome"] = "Choose an outcome that fits the way you tried."
    return Attempt(
        method=method,
        outcome=outcome,
        on_day=_day("on_day", errors),
        direction="in" if "from_them" in form else "out",
        with_whom=form.get("with_whom", ""),
        language=form.get("language", ""),
        interpreter="interpreter" in form,
        promise=form.get("promise", "").strip(),
        next_date=_day("next_date", errors),
        minutes=_minutes(errors),
        note=form.get("note", "").strip(),
    )


def _day(name: str, errors: dict[str, str]) -> date | None:
    try:
        return day_given(request.form.get(name, "").strip())
    except Refused as refusal:
        errors[name] = str(refusal)
        return None


def _minutes(errors: dict[str, str]) -> int | None:
    text = request.form.get("minutes", "").strip()
    if text and not text.isdecimal():
        errors["minutes"] = "Give the minutes as a number."
    return int(text) if text.isdecimal() else None


def _heard(about: About, errors: dict[str, str]) -> Heard | None:
    """What was learned on the way, said by whoever was spoken with."""
    code = request.form.get("cause", "")
    if not code:
        return None
    if code not in {one.code for one in _offered(about)}:
        errors["cause"] = "Choose what gets in the way from the list."
    return Heard(code=code, said_by=SAID_BY.get(request.form.get("with_whom", ""), "staff"), confidence="said")


def _back(otherwise: str) -> str:
    """Where the person came from, on this server."""
    asked = request.values.get("back")
    return guard.local_path(asked) if asked else otherwise
