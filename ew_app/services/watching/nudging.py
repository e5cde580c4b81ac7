"""Asking a colleague for one thing about a place, by a day: from a board, or as what a review agrees on.

The reason stands as the numbers were when it was asked. Whoever is asked answers in a sentence, and who asked is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, NotFound, Refused, day_text, now, operation, record, today
from ew_app.services.casework.staffing import place_of
from ew_app.services.people.telling import tell
from models.base import db
from models.org import School
from models.queries import boards, case_page, following
from models.queries import reviews as rows
from models.queries.reviews import Asked
from models.queries.staff import place_names
from models.reviews import Nudge
from rules import access, roles
from rules.access import Permission, Place
from rules.reviews import rhythm
from rules.school_days import add_school_days
from rules.words import check_words

NUDGE, RUN = Permission.NUDGE, Permission.RUN_REVIEW
LONGEST = 300
RECENT = timedelta(days=60)  # so long an answer stays on the list
LATEST = timedelta(days=200)
WEEKEND = (5, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked, of whom (a person's id), by which day; reason: out of the data, in words."""

    words: str
    owner_id: int | None
    due: date | None
    reason: str = ""


def may_be_asked(school: School) -> list[tuple[int, str]]:
    """(person id, name) of who answers for a school: those who hold its reviews, principals first."""
    found = case_page.people_at({str(Place.of_school(school.key))}, today())
    able = [row for row in found if RUN in roles.role(row.role).permissions]
    able.sort(key=lambda row: (row.role != "principal", row.name))
    return list({row.person_id: (row.person_id, f"{row.name}, {roles.role(row.role).label}") for row in able}.values())


def answer_day(school: School) -> date:
    """By which day an answer is asked for unless another is chosen."""
    days = following.school_days([school.id], today()).get(school.id, [])
    return add_school_days(today(), rhythm().answer, days)


def school_to_ask(key: str, by: Actor) -> School:
    """A school that this person may ask. Raises NotAllowed, NotFound."""
    access.check(by.grants, NUDGE)
    school = boards.school(key)
    if school is None or not access.can(by.grants, NUDGE, place_of(school)):
        raise NotFound("There is no such school, or it is not one of yours.")
    return school


@operation
def ask(school_key: str, wanted: Wanted, *, once: str, by: Actor) -> int:
    """Ask somebody who answers for a school; the same form twice is one question. Returns its number.

    Raises NotAllowed, NotFound, Refused, UnfitWords.
    """
    school = school_to_ask(school_key, by)
    if wanted.owner_id not in {person for person, _ in may_be_asked(school)}:
        raise Refused("Choose somebody who answers for this school.")
    return put(str(Place.of_school(school.key)), wanted, once=once, by=by)


def put(place: str, wanted: Wanted, *, once: str, by: Actor, line_id: int | None = None) -> int:
    """Write it down and tell whoever is asked, in the open transaction; asked twice is once. Refused, UnfitWords."""
    words, due = _checked(wanted)
    row = {
        "place": place, "review_line_id": line_id, "reason": wanted.reason, "words": words, "owner_id": wanted.owner_id,
        "due": due, "asked_id": by.person_id, "asked_by": by.name, "position": by.position, "asked_at": now(),
        "once": once,
    }  # fmt: skip
    number = db.session.scalar(insert(Nudge).values(row).on_conflict_do_nothing().returning(Nudge.id))
    if number is None:
        return int(db.session.scalars(select(Nudge.id).where(Nudge.once == once)).one())
    name = place_names({place})[place]
    tell("nudge_asked", [wanted.owner_id], once=f"nudge/{number}", by=by, place=name, day=day_text(due))
    record("nudge_asked", by=by, subject=f"nudge:{number}", place=place, due=due.isoformat())
    return int(number)


def _checked(wanted: Wanted) -> tuple[str, date]:
    words = wanted.words.strip()
    check_words(words)
    if not words:
        raise Refused("Write what you ask for.")
    if len(words) > LONGEST:
        raise Refused(f"Please keep it under {LONGEST} characters.")
    if wanted.owner_id is None or wanted.due is None:
        raise Refused("Say who does it and by which day. Without both it is a wish.")
    if not today() <= wanted.due <= today() + LATEST:
        raise Refused("Choose today or a later day of this school year.")
    if wanted.due.weekday() in WEEKEND:
        raise Refused(f"{day_text(wanted.due)} is no school day. Choose a day from Monday to Friday.")
    return words, wanted.due


@operation
def answer(number: int, words: str, *, by: Actor) -> None:
    """Answer what one was asked; said twice is once, and a first answer stays. NotFound, Refused, UnfitWords."""
    nudge = db.session.get(Nudge, number, with_for_update=True, populate_existing=True)
    if nudge is None or nudge.owner_id != by.person_id:
        raise NotFound("There is no such question, or it is not asked of you.")
    said = words.strip()
    if nudge.answer == said:
        return
    if nudge.answer is not None:
        raise Refused(f"You have answered this already: {nudge.answer}")
    check_words(said)
    if not said or len(said) > LONGEST:
        raise Refused(f"Answer in at most {LONGEST} characters: what was done, or what stands in the way.")
    nudge.answer, nudge.answered_at = said, now()
    name = place_names({nudge.place})[nudge.place]
    tell("nudge_answered", [nudge.asked_id], once=f"nudge/{number}/answered", by=by, place=name)
    record("nudge_answered", by=by, subject=f"nudge:{number}", place=nudge.place)


def of_me(by: Actor) -> list[Asked]:
    """What this person is asked and has not answered, the earliest day first."""
    return rows.asked_of(by.person_id) if by.person_id else []


def answered_by_me(by: Actor) -> list[Asked]:
    """What this person has answered, the newest last day first."""
    every = rows.asked_of(by.person_id, still_open=False) if by.person_id else []
    return [one for one in reversed(every) if one.nudge.answered_at is not None][:30]


def by_me(by: Actor) -> list[Asked]:
    """What this person has asked of others: open, or answered lately."""
    return rows.asked_by(by.person_id, now() - RECENT) if by.person_id else []


def about(school: School, by: Actor) -> list[Asked]:
    """What was asked about a school, for those who may ask it or hold its reviews; nothing for others."""
    place = place_of(school)
    if not (access.can(by.grants, NUDGE, place) or access.can(by.grants, RUN, place)):
        return []
    return rows.asked_about(str(Place.of_school(school.key)), now() - RECENT)
