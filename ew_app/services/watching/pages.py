"""The pages of counts that a command can take along, asked for by name as the screens ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Final

from ew_app.kernel import Actor, Refused, today
from ew_app.services.measuring import hindsight
from ew_app.services.watching import (
    departments,
    following_through,
    groups,
    movement,
    over_year,
    told_pages,
    transfers,
    what_works,
)
from ew_app.services.watching.movement import GROUPS, Unit
from ew_app.services.watching.taking_along import Asked, Told
from models.org import School
from rules import access
from rules.access import FieldClass, Permission, Right
from rules.places import Place, PlaceKind

RESTRICTED: Final = (FieldClass.STLS, FieldClass.IEP_504)  # facts of the roster that a compartment keeps
TIERS: Final = {"support": "Tier 2 and 3", "3": "Tier 3", "2": "Tier 2", "watch": "Watch", "all": "All students"}
WEEKS: Final = (*map(str, following_through.WEEKS), "year")
NOTHING: Final = "No school day has been counted there yet, so there is nothing to take along."
Page = tuple[Asked, Callable[[], Told]]
Make = Callable[[str, Sequence[School], Actor, Mapping[str, str]], Page]


def sees_students(by: Actor, place: Place) -> bool:
    """Whether somebody may open every student and case of a place, so that no count tells them more."""
    everyone = access.scope_of(by.grants, Permission.SEE_STUDENT).whole.covers(place)
    return everyone and access.right(by.grants, FieldClass.CASE, place).reaches(Right.READ)


def compartments_of(by: Actor, place: Place) -> list[str]:
    """The facts of the roster kept in compartments that somebody may read of a place."""
    readable = access.readable_classes(by.grants, place)
    return [one.value for one in RESTRICTED if one in readable]


def units_of(place: Place, schools: Sequence[School]) -> list[Unit]:
    """The lines of a place: networks of the district, schools otherwise."""
    if place.kind is not PlaceKind.DISTRICT:
        return [Unit(one.key, one.name, (one,)) for one in schools]
    inside: dict[tuple[str, str], list[School]] = {}
    for one in schools:
        inside.setdefault((one.network.name, one.network.key), []).append(one)
    return [Unit(key, name, tuple(some)) for (name, key), some in sorted(inside.items(), key=itemgetter(0))]


def noun_of(place: Place) -> str:
    """What one of these lines is."""
    return "Network" if place.kind is PlaceKind.DISTRICT else "School"


def ask(name: str, where: str, schools: Sequence[School], by: Actor, what: Mapping[str, str]) -> Page:
    """A page by its name in PAGES; `where`: as Area.words. Raises Refused where nothing can be told, NotAllowed."""
    said = {key: value for key, value in what.items() if value}
    return PAGES[name](where, schools, by, said)


def _place(where: str, schools: Sequence[School]) -> Place:
    one = Place.parse(where)
    return Place.of_school(one.key, schools[0].network.key) if one.kind is PlaceKind.SCHOOL else one


def _since(weeks: str) -> date:
    if weeks not in WEEKS:
        raise Refused(f"Choose how far back: {', '.join(WEEKS)}.")
    return following_through.since_of(None if weeks == "year" else int(weeks))


def _movement(where: str, schools: Sequence[School], by: Actor, what: Mapping[str, str]) -> Page:
    place, span = _place(where, schools), movement.span(schools, today())
    if span is None:
        raise Refused(NOTHING)
    days = [movement.day_in(span, what.get(name, "")) for name in ("from", "as_of")]
    until = days[1] or span[1]
    since = days[0] or max(span[0], until - timedelta(days=7))
    tiers = what["tier"] if what.get("tier") in GROUPS else "support"
    one = schools[0] if place.kind is PlaceKind.SCHOOL else None
    exact = sees_students(by, place)
    asked = {"from": str(since), "to": str(until), "tier": tiers}

    def tell() -> Told:
        both = transfers.two_truths(one, exact=exact) if one else None
        told = movement.between(units_of(place, schools), since, until, GROUPS[tiers])
        return told_pages.movement(told, noun_of(place), TIERS[tiers], both)

    return Asked("movement", "Movement", str(place), asked, "exact" if one and exact else ""), tell


def _year(where: str, schools: Sequence[School], by: Actor, what: Mapping[str, str]) -> Page:
    place = _place(where, schools)
    told = over_year.over_year(units_of(place, schools), day_asked(what))
    if told is None:
        raise Refused(NOTHING)
    asked = Asked("year", "Over the year", str(place), {"as_of": what.get("as_of", str(told.last))})
    return asked, lambda: told_pages.year(told, noun_of(place))


def _groups(where: str, schools: Sequence[School], by: Actor, what: Mapping[str, str]) -> Page:
    place = _place(where, schools)
    open_to = compartments_of(by, place)
    told = groups.groups(schools, day_asked(what), compartments=open_to)
    if told is None:
        raise Refused(NOTHING)
    asked = Asked(
        "groups", "Groups and causes", str(place), {"as_of": what.get("as_of", str(told.asked))}, " ".join(open_to)
    )
    return asked, lambda: told_pages.groups(told)


def _follow_through(where: str, schools: Sequence[School], by: Actor, what: Mapping[str, str]) -> Page:
    weeks = what.get("weeks", str(following_through.USUAL))
    place, since = _place(where, schools), _since(weeks)
    networks = place.kind is PlaceKind.DISTRICT
    asked, exact = {"as_of": what.get("as_of", str(today())), "weeks": weeks}, sees_students(by, place)

    def tell() -> Told:
        told = following_through.of(schools, since, by_network=networks)
        roles = following_through.by_role(told, exact=exact, network=place.kind is PlaceKind.NETWORK)
        return told_pages.follow_through(told, roles, noun_of(place), today())

    eyes = "exact" if exact else ""
    return Asked("follow-through", "Does help arrive?", str(place), asked, eyes, live=True), tell


def _what_works(where: str, schools: Sequence[School], by: Actor, what: Mapping[str, str]) -> Page:
    for place in where.split():
        access.check(by.grants, Permission.SEE_WHAT_WORKS, Place.parse(place))
    weeks = what.get("weeks", "year")
    since = _since(weeks)
    asked = {"as_of": what.get("as_of", str(today())), "weeks": weeks}
    return Asked("what-works", "What works", where, asked, live=True), lambda: told_pages.what_works(
        what_works.of(schools, since), today()
    )


def _departments(where: str, schools: Sequence[School], by: Actor, what: Mapping[str, str]) -> Page:
    there, eyes = departments.seen_by(by)
    if where != there:
        raise Refused(f"Departments are told of the whole of what you see: --place {there!r}.")
    asked = {"as_of": what.get("as_of", str(today()))}
    return Asked("departments", "Departments", where, asked, eyes, live=True), lambda: told_pages.departments(
        departments.listed(by), today()
    )


def _department(where: str, schools: Sequence[School], by: Actor, what: Mapping[str, str]) -> Page:
    there, eyes = departments.seen_by(by)
    page = departments.one(what["department"], by)
    asked = {"as_of": what.get("as_of", str(today()))}
    name = f"department-{page.row.department.key}"
    file = Asked(name, page.row.department.label, there, asked, eyes, live=True)
    return file, lambda: told_pages.department(page, today())


def day_asked(what: Mapping[str, str]) -> date:
    """The day that a page is asked to tell of, today without one. Raises Refused for one that has not come, or none."""
    day = movement.day_of(what.get("as_of", "")) or today()
    hindsight.check_come(day)
    return day


PAGES: Final[Mapping[str, Make]] = {
    "movement": _movement,
    "year": _year,
    "groups": _groups,
    "follow-through": _follow_through,
    "what-works": _what_works,
    "departments": _departments,
    "department": _department,
}
BOARDS: Final = tuple(name for name in PAGES if name != "department")
