"""S09: What happened in this contact? How and with what result are enough; everything else may stay empty."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, day_text, today, transaction
from ew_app.services.casework import causes, families, laddering, reaching, staffing
from ew_app.services.casework.causes import Heard
from ew_app.services.casework.families import Family
from ew_app.services.casework.outreach import Attempt
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.web import asked, case_lines, case_page, guard, outreach_form, ways
from ew_app.web.case_words import grade_words, lower_first
from ew_app.web.guard import actor, requires, scope
from models.cases import Case
from models.org import School
from models.people import Student
from models.queries import caseload, student_page
from rules.access import Permission, Place
from rules.vocabulary import Cause, vocabulary

screen = Blueprint("outreach", __name__)

LOG = Permission.LOG_OUTREACH
SAID_BY = {"student": "student", "caregiver": "caregiver", "relative": "caregiver"}
OFFERED = 12


@dataclass(frozen=True)
class About:
    """Whom a contact is about: a case, or a student without one. Found within reach, or not at all."""

    student: Student
    school: School | None
    place: Place
    own: bool
    url: str
    action: str
    number: int | None = None
    held: CaseAtHand | None = None

    @classmethod
    def case(cls, number: int) -> About:
        held = case_page.held(number, LOG)
        case = held.case
        addresses = url_for("case.show", number=number), url_for("outreach.save", number=number)
        return cls(case.student, case.school, held.place, held.own, *addresses, number, held)

    @classmethod
    def of_student(cls, student_id: int) -> About:
        student = reaching.student_at_hand(student_id, actor(), LOG, Permission.CALL_ABSENT)
        school = next(iter(student_page.schools_of(student_id, today())), None)
        place = staffing.place_of(school) if school else Place.district()
        own = student_page.is_own(student_id, actor().person_id)
        action = url_for("outreach.save_for_student", student_id=student_id)
        return cls(student, school, place, own, url_for("today.show"), action)

    @cached_property
    def people(self) -> list[dict[str, Any]]:
        return ways.people([ways.Whose(self.student.id, self.place, self.own)])[self.student.id] or []

    @cached_property
    def family(self) -> Family:
        return families.of_student(self.student.id, by=actor())

    @cached_property
    def open_case(self) -> Case | None:
        """The case whose next date this contact may set."""
        return self.held.case if self.held and self.held.case.status not in ("closed", "paused") else None


@screen.get("/outreach")
@requires(LOG)
def choose() -> str:
    """Whom was it about? The open cases that this person may write to, the next due first."""
    text = request.args.get("q", "").strip()[:100]
    found = caseload.caseload(scope(LOG), actor().person_id, today(), text=text, size=OFFERED)
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
    return _page(About.of_student(student_id))


@screen.post("/outreach/<int:student_id>")
@requires(LOG, Permission.CALL_ABSENT)
def save_for_student(student_id: int) -> ResponseReturnValue:
    return _save(About.of_student(student_id))


def _save(about: About) -> ResponseReturnValue:
    errors: dict[str, str] = {}
    attempt = outreach_form.attempt(errors, about.school.id if about.school else None)
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
        families.log_talk(
            attempt, case_number=about.number, student_id=about.student.id, task_id=task, by=actor(), once=once,
            others=outreach_form.others({one.id for one in about.family.siblings}),
            told_too="told_too" in request.form,
        )  # fmt: skip
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
    words, values = vocabulary(), {**request.form.to_dict()} or _begun(about)
    methods = outreach_form.methods()
    return render_template(
        "outreach.html",
        about=case_page.subject(about.student, about.school.name if about.school else ""),
        phones=ways.phones(about.people),
        numbers=outreach_form.numbers(about.people),
        cautions=outreach_form.cautions(about.family),
        coming=_coming(about),
        siblings=[(one.id, f"{one.first_name}, {grade_words(one.grade).lower()}") for one in about.family.siblings],
        also=request.form.getlist("also"),
        action=about.action,
        task=request.values.get("task", ""),
        errors=errors or {},
        values=values,
        key=guard.new_once(),
        back=_back(about.url),
        open=any(values.get(name) for name in outreach_form.MORE),
        methods=methods,
        others={m.key for m in methods if not m.common},
        outcomes=outreach_form.outcomes(),
        reasons=words.choices("absence_reason") if values.get("about_day") else (),
        whom=words.choices("with_whom"),
        languages=words.choices("language"),
        causes=[(one.code, one.label) for one in _offered(about)],
    )


def _begun(about: About) -> dict[str, str]:
    """A fresh form: a phone call or what the address asks for, its next date by the ladder."""
    day = outreach_form.day_or_none(request.args.get("about_day", ""))
    method = request.args.get("method", "")
    fresh = {"method": method if method in vocabulary().methods else "call", "when": outreach_form.BY_LADDER}
    return fresh | ({"about_day": day.isoformat()} if day else {})


def _coming(about: About) -> list[tuple[str, str]]:
    case = about.open_case
    return outreach_form.coming(case, laddering.climb(case)) if case else []


def _offered(about: About) -> list[Cause]:
    """Causes that may be noted in passing: the open ones; a restricted one has its own page."""
    held = about.held
    if held is None or held.case.closed_on is not None or not case_page.writes_case(held):
        return []
    return [one for one in vocabulary().causes_shown(held.readable) if one.restricted is None and one.known]


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
