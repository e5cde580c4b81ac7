"""What the form of a contact says, field by field, and the choices it offers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request

from ew_app.kernel import Refused, day_text, now, wall_clock
from ew_app.services.casework import tasks
from ew_app.services.casework.families import Family
from ew_app.services.casework.laddering import Climb
from ew_app.services.casework.outreach import Attempt
from ew_app.web import asked
from ew_app.web.case_words import day_given, lower_first
from models.cases import Case
from rules.counting import many
from rules.ladder import manners
from rules.vocabulary import Outcome, vocabulary

COMMON = {"call": "Call", "text": "Text", "in_person": "At school", "visit": "Visit"}
FIRST = ("reached_agreed", "left_voicemail", "no_answer", "message_delivered", "visited_spoke", "visited_card_left")
SAID = ("with_whom", "next_date", "promise", "cause", "note")
MORE = (*SAID, "language", "interpreter", "minutes", "on_day", "from_them")
BY_LADDER, LATER = "ladder", {"next": 1, "week": 5}


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


def methods() -> list[Way]:
    """Ways a person can try, the common ones first."""
    found = [Way(m.key, m.label, str(m.way)) for m in vocabulary().methods.values() if not m.automatic]
    return sorted(found, key=lambda way: list(COMMON).index(way.key) if way.common else len(COMMON))


def outcomes() -> list[Outcome]:
    """What can come of a try, the common ones first."""
    return sorted(vocabulary().outcomes.values(), key=lambda o: FIRST.index(o.key) if o.key in FIRST else len(FIRST))


def numbers(people: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(number or address, words) of each way to reach the family."""
    found: dict[str, str] = {}
    for one in people:
        for kind in ("phone", "email", "address"):
            if one[kind]:
                found.setdefault(one[kind], f"{one[kind]}, {one['name']}" if one["name"] else one[kind])
    return list(found.items())


def coming(case: Case, climb: Climb) -> list[tuple[str, str]]:
    """When to try again: by the ladder while nobody was reached, or on a day; the first is chosen already."""
    by_itself = "as the ladder says" if climb.reached is None else "the next school day"
    first = [(BY_LADDER, f"If nobody is reached: {by_itself}")]
    return first + [(key, day_text(tasks.due_in(days, case.school_id))) for key, days in LATER.items()]


def attempt(errors: dict[str, str], school_id: int | None) -> Attempt:
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
        next_date=_next(errors, school_id),
        minutes=_minutes(errors),
        note=form.get("note", "").strip(),
        about_day=_day("about_day", errors),
        told=form.get("told", ""),
        used=form.get("used", ""),
        by_ladder=form.get("when") == BY_LADDER,
    )


def _next(errors: dict[str, str], school_id: int | None) -> date | None:
    """The day that was typed, else the one that was chosen."""
    typed = _day("next_date", errors)
    days = LATER.get(request.form.get("when", ""))
    return tasks.due_in(days, school_id) if typed is None and days and school_id else typed


def others(allowed: Collection[int]) -> list[int]:
    """The other children whom the same talk was about."""
    given = [asked.row_number(text) for text in request.form.getlist("also")]
    return [number for number in given if number is not None and number in allowed]


def _day(name: str, errors: dict[str, str]) -> date | None:
    try:
        return day_given(request.form.get(name, "").strip())
    except Refused as refusal:
        errors[name] = str(refusal)
        return None


def day_or_none(text: str) -> date | None:
    """A day as an address writes it; None for anything else."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _minutes(errors: dict[str, str]) -> int | None:
    text = request.form.get("minutes", "").strip()
    fits = text.isdecimal() and len(text) < 6
    if text and not fits:
        errors["minutes"] = "Give the minutes as a number."
    return int(text) if fits else None


def cautions(family: Family) -> list[str]:
    """What a caller should know before dialling: the hour, a call just made, ways that the family does not want."""
    said = []
    if manners().quiet(wall_clock()):
        hours = f"{manners().begin:%H:%M} and {manners().end:%H:%M}"
        said.append(f"It is {wall_clock():%H:%M} now. Families are called between {hours}, unless they asked for it.")
    if family.called_at is not None:
        minutes = max(1, int((now() - family.called_at).total_seconds() // 60))
        said.append(f"This family was called {many(minutes, 'minute')} ago.")
    if family.stopped:
        named = [
            lower_first(vocabulary().label("method", key)) for key in vocabulary().methods if key in family.stopped
        ]
        said.append(f"The family has asked us not to use: {', '.join(named)}.")
    return said
