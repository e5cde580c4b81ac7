"""S19: Who can see what, and why? People, their roles with dates, and what each role opens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, today
from ew_app.services.people import accounts, credentials, granting, signing_in
from ew_app.web import asked, people_terms
from ew_app.web.guard import actor, found, requires, scope
from models.queries import staff
from models.staff import Person
from rules import access, roles
from rules.access import FieldClass, Permission, Right

screen = Blueprint("people", __name__)

PAGE = 25
CLASSES = {
    FieldClass.ROSTER: "Enrolment and attendance",
    FieldClass.CASE: "Cases, tasks, contacts made",
    FieldClass.NOTES: "Case notes",
    FieldClass.STLS: "Temporary living situation",
    FieldClass.HEALTH: "Health",
    FieldClass.COUNSELING: "Counseling",
    FieldClass.IEP_504: "IEP and 504",
    FieldClass.PROTECTED: "Protected reasons",
    FieldClass.CONTACTS: "Phones and addresses",
    FieldClass.RISK: "Risk score",
    FieldClass.AGG: "Counts",
}
RIGHTS = {
    Right.NONE: "",
    Right.AGGREGATE: "counts",
    Right.FLAG: "that support is in place",
    Right.PART: "some fields",
    Right.READ: "reads",
    Right.WRITE: "reads and writes",
}


@screen.get("/people")
@requires(Permission.SEE_PEOPLE)
def show() -> str:
    text, role = request.args.get("q", "").strip()[:100], request.args.get("role", "")
    which = request.args.get("show", "active")
    which = which if which in ("active", "ended", "all") else "active"
    page = asked.page()
    area = scope(Permission.SEE_PEOPLE).whole
    people, total = staff.people(area, on=today(), text=text, role=role, show=which, page=page, size=PAGE)
    return render_template(
        "people.html",
        people=[_line(person) for person in people],
        total=total,
        page=page,
        pages=-(-total // PAGE),
        last=staff.last_sign_ins([person.id for person in people]),
        place_names=staff.place_names({grant.place for person in people for grant in person.grants}),
        chips=_chips(text, role, which),
        filters={"q": text, "role": role, "show": which},
        roles=_role_choices(accounts.assignable()),
        may_manage=access.can(actor().grants, Permission.MANAGE_PEOPLE),
    )


def _line(person: Person) -> dict[str, object]:
    """A person with the roles that hold today, or the ended ones when none does."""
    held = [
        grant for grant in person.grants if grant.starts <= today() and (grant.ends is None or grant.ends >= today())
    ]
    return {"person": person, "grants": held or person.grants, "active": bool(held) and person.disabled_at is None}


def _chips(text: str, role: str, which: str) -> list[tuple[str, str]]:
    """Each filter in words with the address of the list without it."""
    shown = {"q": text, "role": role, "show": which if which != "active" else ""}
    words = {"q": f"“{text}”", "role": _label(role), "show": {"ended": "no access now"}.get(which, "everyone")}
    return [
        (words[key], f"{url_for('people.show')}?{urlencode({k: v for k, v in shown.items() if v and k != key})}")
        for key, value in shown.items()
        if value
    ]


def _label(role: str) -> str:
    known = roles.all_roles().get(role)
    return known.label if known else role


def _role_choices(known: Iterable[roles.Role]) -> list[tuple[str, str]]:
    return [(role.key, role.label) for role in known]


def _grantable() -> list[tuple[str, str]]:
    """The roles that this person may give."""
    return _role_choices(access.grantable_roles(actor().grants))


@screen.get("/people/classes")
@requires(Permission.SEE_PEOPLE)
def classes() -> str:
    """The matrix: what each role sees of each class of information."""
    rows = [(role, [_words(role, one) for one in CLASSES]) for role in accounts.assignable()]
    return render_template("people_classes.html", classes=list(CLASSES.values()), rows=rows)


def _words(role: roles.Role, field_class: FieldClass) -> str:
    others, own = RIGHTS[role.right(field_class)], RIGHTS[role.right(field_class, own=True)]
    if others == own:
        return others
    return f"{others}; own: {own}" if others else f"own: {own}"


@screen.route("/people/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_PEOPLE)
def new() -> ResponseReturnValue:
    if request.method == "GET":
        return _new_page()
    form = request.form
    try:
        person = accounts.add_person(
            login=form.get("login", ""),
            name=form.get("name", ""),
            role=form.get("role", ""),
            place=form.get("place", ""),
            homeroom=form.get("homeroom", "").strip(),
            starts=_date("starts"),
            ends=_date("ends"),
            by=actor(),
        )
    except SENTENCES as refusal:
        return _new_page(str(refusal)), 422
    return _page(person.id, link=credentials.new_link(person_id=person.id, by=actor()))


def _new_page(error: str = "") -> str:
    return render_template(
        "people_new.html", error=error, values=request.form, roles=_grantable(), place_choices=_places()
    )


def _places() -> list[tuple[str, str]]:
    """Where this person may give roles."""
    return staff.places_in(scope(Permission.MANAGE_PEOPLE).whole)


def _date(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused(f"{text!r} is not a date. Write it like 2026-11-20.") from error


@screen.get("/people/<int:person_id>")
@requires(Permission.SEE_PEOPLE)
def one(person_id: int) -> str:
    return _page(person_id)


def _page(person_id: int, link: str = "", error: str = "") -> str:
    person = found(staff.person(person_id, scope(Permission.SEE_PEOPLE).whole))
    held = signing_in.grants_today(person)
    return render_template(
        "people_person.html",
        person=person,
        grants=person.grants,
        labels={role.key: role.label for role in roles.all_roles().values()},
        place_names=staff.place_names({grant.place for grant in person.grants}),
        may=list(dict.fromkeys(phrase for _, role in held for phrase in role.may())),
        sees=[(CLASSES[c], _sees(held, c)) for c in CLASSES if _sees(held, c)],
        sessions=staff.sessions(person.id),
        may_manage=access.can(actor().grants, Permission.MANAGE_PEOPLE),
        is_self=actor().person_id == person.id,
        roles=_grantable(),
        place_choices=_places(),
        values=request.form,
        link=link,
        error=error,
        terms=people_terms.lines(person),
    )


def _sees(held: access.Grants, field_class: FieldClass) -> str:
    others = RIGHTS[access.right(held, field_class)]
    own = RIGHTS[access.right(held, field_class, own=True)]
    return others if others == own or not own else f"{others}; own: {own}".removeprefix("; ")


# -- changes: each names the person within reach first, so that others look like nobody ----------------------


@screen.post("/people/<int:person_id>/roles")
@requires(Permission.MANAGE_PEOPLE)
def give_role(person_id: int) -> ResponseReturnValue:
    _manageable(person_id)
    form = request.form
    try:
        granting.give_role(
            person_id=person_id,
            role=form.get("role", ""),
            place=form.get("place", ""),
            homeroom=form.get("homeroom", "").strip(),
            starts=_date("starts"),
            ends=_date("ends"),
            by=actor(),
        )
    except SENTENCES as refusal:
        return _page(person_id, error=str(refusal)), 422
    return _done(person_id, "The role is given. The person signs in again with their new rights.")


@screen.post("/people/<int:person_id>/roles/<int:grant_id>/end")
@requires(Permission.MANAGE_PEOPLE)
def end_role(person_id: int, grant_id: int) -> ResponseReturnValue:
    person = _manageable(person_id)
    found(next((grant for grant in person.grants if grant.id == grant_id), None))
    granting.end_role(grant_id=grant_id, by=actor())
    return _done(person_id, "The role has ended.")


@screen.post("/people/<int:person_id>/disable")
@requires(Permission.MANAGE_PEOPLE)
def disable(person_id: int) -> ResponseReturnValue:
    _manageable(person_id)
    accounts.disable(person_id=person_id, by=actor(), reason=request.form.get("reason", "").strip()[:500])
    return _done(person_id, "This person can no longer sign in. Their cases and notes keep their name.")


@screen.post("/people/<int:person_id>/enable")
@requires(Permission.MANAGE_PEOPLE)
def enable(person_id: int) -> ResponseReturnValue:
    _manageable(person_id)
    accounts.enable(person_id=person_id, by=actor())
    return _done(person_id, "This person can sign in again.")


@screen.post("/people/<int:person_id>/link")
@requires(Permission.MANAGE_PEOPLE)
def link(person_id: int) -> ResponseReturnValue:
    """The link stands on this one page and nowhere else."""
    _manageable(person_id)
    return _page(person_id, link=credentials.new_link(person_id=person_id, by=actor()))


@screen.post("/people/<int:person_id>/second-factor")
@requires(Permission.MANAGE_PEOPLE)
def drop_second_factor(person_id: int) -> ResponseReturnValue:
    _manageable(person_id)
    credentials.drop_second_factor(person_id=person_id, by=actor(), reason=request.form.get("reason", ""))
    return _done(person_id, "The app is forgotten. At the next sign-in the person adds a new one.")


@screen.post("/people/<int:person_id>/sign-out")
@requires(Permission.MANAGE_PEOPLE)
def sign_out(person_id: int) -> ResponseReturnValue:
    _manageable(person_id)
    accounts.sign_out_everywhere(person_id=person_id, by=actor())
    return _done(person_id, "Signed out everywhere.")


def _manageable(person_id: int) -> Person:
    return found(staff.person(person_id, scope(Permission.MANAGE_PEOPLE).whole))


def _done(person_id: int, sentence: str) -> ResponseReturnValue:
    flash(sentence, "good")
    return redirect(url_for("people.one", person_id=person_id))
