"""Holding a review: begun once a day with the numbers as they are, walked line by line, decided, closed, kept for ever.

Two people may write at once: whoever saves later over a text they have not seen is told so, and nothing is lost.
A school's team has its meeting; its review by the principal is of grades and counts, and either keeps the rhythm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, NotFound, Refused, now, operation, record, today
from ew_app.services.meetings.holding import Changed
from ew_app.services.watching import nudging, review_numbers
from ew_app.services.watching.nudging import Wanted
from models.base import db
from models.org import School
from models.queries import boards, case_page
from models.queries import reviews as rows
from models.queries.staff import school_network
from models.reviews import Review, ReviewLine
from rules import access, roles
from rules.access import Area, Permission, Place, PlaceKind
from rules.counting import are, many
from rules.words import check_words

RUN = Permission.RUN_REVIEW
NO_REVIEW = "There is no such review, or not of a place of yours."
OVER = "This review is closed, and its minutes stay as they are. Begin the next one for what comes now."
LONGEST_NOTE, LONGEST_MINUTES, LONGEST_THERE = 500, 4000, 400


@dataclass(frozen=True, slots=True)
class Sitting:
    """A review with its place and name; holds: whether this reader may write in it."""

    review: Review
    place: Place
    name: str
    holds: bool


@operation
def begin(place: Place, *, by: Actor) -> int:
    """Begin today's review of a place and keep its numbers; begun again it is the same one. Returns its number.

    Raises NotAllowed, NotFound, Refused where the place has no school.
    """
    here, schools = _place(place, by, to_hold=True)
    if not schools:
        raise Refused("No school belongs there yet, so there is nothing to review.")
    row = {"place": str(here), "day": today(), "begun_at": now(), "begun_by": by.name}
    number = db.session.scalar(insert(Review).values(row).on_conflict_do_nothing().returning(Review.id))
    if number is None:
        same = select(Review.id).where(Review.place == str(here), Review.day == today())
        return int(db.session.scalars(same).one())
    material = review_numbers.of(here, schools, rows.last_before(str(here), today()))
    db.session.execute(
        update(Review).where(Review.id == number).values(numbers=material.numbers, there=f"{by.name}, {by.position}")
    )
    db.session.add_all(
        ReviewLine(review_id=number, position=place, subject=one.subject, name=one.name, numbers=one.numbers)
        for place, one in enumerate(material.entries, 1)
    )
    record("review_begun", by=by, subject=f"review:{number}", place=str(here), lines=len(material.entries))
    return int(number)


@operation
def look(
    review_id: int, position: int, note: str, *, version: int, by: Actor, wanted: Wanted | None = None, once: str = ""
) -> None:
    """A line was looked at: keep the note, and what was agreed as something asked of one person. Sent twice is once.

    Raises Changed, NotFound, Refused, UnfitWords.
    """
    sitting = _open(review_id, by)
    line = _line(review_id, position)
    text = note.strip()
    check_words(text)
    if len(text) > LONGEST_NOTE:
        raise Refused(f"Please keep the note under {LONGEST_NOTE} characters.")
    if line.version != version and line.note != text:
        raise Changed(line.note)
    if wanted is not None:
        if wanted.owner_id not in {person for person, _ in may_do(sitting, line)}:
            raise Refused("Choose somebody of this place.")
        about = line.subject if not line.subject.startswith("grade:") else str(sitting.place)
        nudging.put(about, wanted, once=f"review/{once}", by=by, line_id=line.id)
    if line.looked_at is None or line.note != text:
        line.version += line.note != text
        line.note, line.looked_at, line.looked_by = text, line.looked_at or now(), line.looked_by or by.name


@operation
def write_minutes(review_id: int, there: str, minutes: str, *, version: int, by: Actor) -> None:
    """Keep who was there and what was said. Raises Changed, NotFound, Refused, UnfitWords."""
    review = _open(review_id, by).review
    there, minutes = there.strip(), minutes.strip()
    for text, longest in ((there, LONGEST_THERE), (minutes, LONGEST_MINUTES)):
        check_words(text)
        if len(text) > longest:
            raise Refused(f"Please keep it under {longest} characters.")
    if (review.there, review.minutes) == (there, minutes):
        return
    if review.version != version:
        raise Changed(f"{review.there}\n{review.minutes}".strip())
    review.there, review.minutes, review.version = there, minutes, review.version + 1


@operation
def end(review_id: int, *, by: Actor) -> None:
    """Close it: from here on it is proof and changes no more; closed twice is once. Raises NotFound, Refused."""
    sitting = at_hand(review_id, by, lock=True)
    if not sitting.holds:
        raise NotFound(NO_REVIEW)
    review, lines = sitting.review, rows.lines(review_id)
    if review.ended_at is not None:
        return
    looked = sum(line.looked_at is not None for line in lines)
    if not looked:
        raise Refused("Nothing was looked at yet. Open at least one line before you close the review.")
    left = len(lines) - looked
    if left and not review.minutes.strip():
        raise Refused(
            f"{many(left, 'line')} of {len(lines)} {are(left, 'was', 'were')} not looked at. Open them, or write in the"
            " minutes why they wait."
        )
    review.ended_at, review.ended_by = now(), by.name
    agreed = len(rows.agreed_in(review_id))
    record("review_ended", by=by, subject=f"review:{review_id}", place=review.place, looked=looked, agreed=agreed)


# -- pieces --------------------------------------------------------------------------------------------------


def at_hand(review_id: int, by: Actor, *, lock: bool = False) -> Sitting:
    """A review of a place of this person, or inside one. Raises NotAllowed, NotFound."""
    access.check(by.grants, RUN)
    review = db.session.get(Review, review_id, with_for_update=lock, populate_existing=True)
    if review is None:
        raise NotFound(NO_REVIEW)
    place = _known(Place.parse(review.place))
    if place is None or not access.can(by.grants, RUN, place):
        raise NotFound(NO_REVIEW)
    return Sitting(review, place, _name(place), _holds(place, by))


def may_do(sitting: Sitting, line: ReviewLine) -> list[tuple[int, str]]:
    """(person id, name) of whom something can be asked: who holds reviews at the place, and where the line is about."""
    places = {str(sitting.place), *([line.subject] if not line.subject.startswith("grade:") else [])}
    found = case_page.people_at(places, today())
    able = [row for row in found if RUN in roles.role(row.role).permissions]
    return list({row.person_id: (row.person_id, f"{row.name}, {roles.role(row.role).label}") for row in able}.values())


def _holds(place: Place, by: Actor) -> bool:
    """Whether its reviews are this person's own to hold, and not only to read."""
    return any(grant.place == place and RUN in role.permissions for grant, role in by.grants)


def _place(place: Place, by: Actor, *, to_hold: bool) -> tuple[Place, Sequence[School]]:
    access.check(by.grants, RUN)
    known = _known(place)
    if known is None or not access.can(by.grants, RUN, known) or (to_hold and not _holds(known, by)):
        raise NotFound("There is no such place, or its reviews are not yours to hold.")
    return known, boards.schools_in(Area().with_place(known))


def _known(place: Place) -> Place | None:
    """The place with the network it belongs to, if there is such a place."""
    match place.kind:
        case PlaceKind.SCHOOL:
            network = school_network(place.key)
            return Place.of_school(place.key, network) if network else None
        case PlaceKind.NETWORK:
            return place if boards.network(place.key) else None
        case PlaceKind.DISTRICT:
            return place


def _name(place: Place) -> str:
    if place.kind is PlaceKind.DISTRICT:
        return "The whole district"
    one = boards.school(place.key) if place.kind is PlaceKind.SCHOOL else boards.network(place.key)
    return one.name if one else place.key


def _open(review_id: int, by: Actor) -> Sitting:
    sitting = at_hand(review_id, by, lock=True)
    if not sitting.holds:
        raise NotFound(NO_REVIEW)
    if sitting.review.ended_at is not None:
        raise Refused(OVER)
    return sitting


def _line(review_id: int, position: int) -> ReviewLine:
    here = select(ReviewLine).where(ReviewLine.review_id == review_id, ReviewLine.position == position)
    line = db.session.scalar(here.with_for_update().execution_options(populate_existing=True))
    if line is None:
        raise NotFound(NO_REVIEW)
    return line
