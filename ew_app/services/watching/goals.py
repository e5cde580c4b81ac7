"""Goals: set for a place or a group of it, with a day; changed by a new version, never written over; what is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, NotFound, Refused, day_text, now, operation, record, today
from ew_app.services.people.telling import tell
from ew_app.services.watching import goal_counts, goal_groups
from models.base import db
from models.goals import Goal, Strategy, StrategyLook
from models.org import School
from models.queries import boards, case_page
from models.queries import goals as rows
from models.queries.staff import place_names, school_network
from rules import access, roles
from rules.access import Permission, Place, PlaceKind
from rules.goals import WHOLE, Measure
from rules.stints import school_year_start
from rules.suppression import CLEAR
from rules.words import check_words

SET = Permission.SET_GOALS
NO_GOAL = "There is no such goal, or not of a place of yours."
LONGEST = 300
BOARDS = {
    PlaceKind.SCHOOL: Permission.SEE_SCHOOL_BOARD,
    PlaceKind.NETWORK: Permission.SEE_NETWORK_BOARD,
    PlaceKind.DISTRICT: Permission.SEE_DISTRICT_BOARD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """target in tenths of a percent; by_day None: the last school day; subgroup '' or kind and value ("grade:7")."""

    measure: str
    target: int | None
    by_day: date | None = None
    subgroup: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A goal as it holds, with the name of its place; own: whether this reader may change it."""

    goal: Goal
    place: Place
    name: str
    own: bool


@operation
def put(place: Place, wanted: Wanted, *, once: str, by: Actor) -> str:
    """Set a goal for a place of this person's; the same form twice is one goal. Returns its thread.

    Raises NotAllowed, NotFound, Refused, UnfitWords.
    """
    access.check(by.grants, SET)
    known = _known(place)
    if known is None or not _own(known, by):
        raise NotFound("There is no such place, or its goals are not yours to set.")
    _new_of_its_kind(str(known), wanted, once)
    row = _row(wanted, known) | {"thread": uuid4().hex[:12], "version": 1, "place": str(known), "base_day": today()}
    return _write(row, once, by)


def _new_of_its_kind(place: str, wanted: Wanted, once: str) -> None:
    """Raises Refused where the place has a goal for the same: two of them would say two things."""
    if db.session.scalar(select(Goal.id).where(Goal.once == once)):
        return
    for one in rows.holding([place]):
        if (one.measure, one.subgroup) == (wanted.measure, wanted.subgroup) and wanted.by_day in (None, one.by_day):
            raise Refused(
                f"There is such a goal already, set on {day_text(one.base_day)}: change it, or choose another day."
            )


@operation
def change(thread: str, wanted: Wanted, *, version: int, once: str, by: Actor) -> None:
    """Set another target or day: a new version; what is measured and of whom stays. NotFound, Refused, UnfitWords."""
    goal = _own_goal(thread, by)
    if db.session.scalar(select(Goal.id).where(Goal.once == once)):
        return
    if goal.version != version:
        raise Refused("A colleague has changed this goal in the meantime. Look at what stands now, then change it.")
    if not wanted.why.strip():
        raise Refused("Say why the goal changes. It stands in its history.")
    kept = Wanted(
        measure=goal.measure, subgroup=goal.subgroup, target=wanted.target, by_day=wanted.by_day, why=wanted.why
    )
    row = _row(kept, Place.parse(goal.place)) | _as_before(goal)
    _write(row, once, by)


@operation
def end(thread: str, why: str, *, once: str, by: Actor) -> None:
    """Give a goal up, or call it reached, with a reason; it stays on record. Raises NotFound, Refused, UnfitWords."""
    goal = _own_goal(thread, by)
    words = _words(why, "Say why this is no goal any more.")
    if goal.ended:
        return
    same = {"measure": goal.measure, "subgroup": goal.subgroup, "target": goal.target, "by_day": goal.by_day}
    _write(same | {"why": words, "ended": words} | _as_before(goal), once, by)


def _as_before(goal: Goal) -> dict[str, object]:
    return {
        "thread": goal.thread, "version": goal.version + 1, "place": goal.place, "base_day": goal.base_day,
        "base_on": goal.base_on, "base_part": goal.base_part, "base_whole": goal.base_whole,
    }  # fmt: skip


def _row(wanted: Wanted, place: Place) -> dict[str, object]:
    try:
        measure = Measure(wanted.measure)
    except ValueError:
        raise Refused("Choose what is measured.") from None
    if wanted.target is None or not 0 < wanted.target < WHOLE:
        raise Refused("Write the target as a percentage between 0.1 and 99.9.")
    on = today()
    by_day = wanted.by_day or last_day(goal_counts.schools_of(str(place)))
    if by_day is None or not on < by_day <= date(school_year_start(on).year + 3, 6, 30):
        raise Refused("Choose a later day, within three school years.")
    if wanted.subgroup:
        if measure is not goal_groups.MEASURE:
            raise Refused("Of a group only students in Tier 2 or 3 can be a goal: that is what its tables tell.")
        if wanted.subgroup not in goal_groups.groups_of([place]):
            raise Refused(
                f"How many are in this group is not told, because fewer than {CLEAR} are, or because it would tell how"
                " many another is. A goal would tell it."
            )
    why = _words(wanted.why) if wanted.why.strip() else ""
    return {"measure": measure, "target": wanted.target, "by_day": by_day, "subgroup": wanted.subgroup, "why": why}


def last_day(schools: Sequence[School]) -> date | None:
    """The last school day ahead of these schools."""
    return rows.last_school_day([one.id for one in schools], today())


def _write(row: dict[str, object], once: str, by: Actor) -> str:
    made = insert(Goal).values(row | _signed(by) | {"once": once}).on_conflict_do_nothing(index_elements=["once"])
    thread = db.session.scalar(made.returning(Goal.thread))
    if thread is None:
        return str(db.session.scalars(select(Goal.thread).where(Goal.once == once)).one())
    record("goal_set", by=by, subject=f"goal:{thread}", place=row["place"], version=row["version"])
    goal_counts.ask_for(str(thread), str(row["place"]))
    return str(thread)


# -- what is done for it -------------------------------------------------------------------------------------


@operation
def add_strategy(
    thread: str, words: str, owner_id: int | None, review_on: date | None, *, once: str, by: Actor
) -> None:
    """Write what is done for a goal, who leads it and when it is looked at; sent twice is once.

    Raises NotFound, Refused, UnfitWords.
    """
    goal = _own_goal(thread, by)
    said = _words(words, "Write what is done.")
    if owner_id not in {person for person, _ in may_lead(goal.place)}:
        raise Refused("Say who leads it: somebody of this place.")
    _ahead(review_on)
    row = {"thread": thread, "place": goal.place, "words": said, "owner_id": owner_id, "once": once} | _signed(by)
    made = db.session.scalar(insert(Strategy).values(row).on_conflict_do_nothing().returning(Strategy.id))
    if made is not None:
        db.session.add(
            StrategyLook(strategy_id=made, words="Begun", next_on=review_on, once=f"{once}/begun", **_signed(by))
        )
        record("strategy_begun", by=by, subject=f"goal:{thread}", place=goal.place)


@operation
def look_at(strategy_id: int, words: str, next_on: date | None, *, once: str, by: Actor) -> str:
    """Write what a look at a strategy found, and when it is looked at again (None: it is over). Returns the thread.

    Raises NotFound, Refused, UnfitWords.
    """
    strategy = db.session.get(Strategy, strategy_id)
    if strategy is None:
        raise NotFound(NO_GOAL)
    _own_goal(strategy.thread, by)
    said = _words(words, "Write what you found.")
    if next_on is not None:
        _ahead(next_on)
    row = {"strategy_id": strategy_id, "words": said, "next_on": next_on, "once": once} | _signed(by)
    db.session.execute(insert(StrategyLook).values(row).on_conflict_do_nothing())
    return strategy.thread


def may_lead(place: str) -> list[tuple[int, str]]:
    """(person id, name) of whoever holds a role at a place."""
    found = case_page.people_at({place}, today())
    named = {row.person_id: (row.person_id, f"{row.name}, {roles.role(row.role).label}") for row in found}
    return list(named.values())


@operation
def tell_of_due(day: str = "") -> int:
    """Tell whoever leads something that its day for a look has passed, once a day set. Returns how many were told."""
    found = rows.past_their_day(today())
    names = place_names({strategy.place for strategy, _, _ in found}) if found else {}
    return sum(
        tell("strategy_due", [strategy.owner_id], once=f"strategy/{strategy.id}/{on}", place=names[strategy.place])
        for strategy, _, on in found
    )


def due_for(by: Actor) -> list[tuple[Strategy, Goal, date]]:
    """What this person leads for a goal and was to look at by now, the longest wait first."""
    return rows.past_their_day(today(), by.person_id) if by.person_id else []


# -- reading -------------------------------------------------------------------------------------------------


def of(by: Actor) -> list[Standing]:
    """The goals that hold at the places whose boards this person may see, the widest place first."""
    inside = boards.schools_in(access.scope_of(by.grants, Permission.SEE_SCHOOL_BOARD).whole)
    places = {str(Place.of_school(one.key)): Place.of_school(one.key, one.network.key) for one in inside}
    networks = boards.networks_in(access.scope_of(by.grants, Permission.SEE_NETWORK_BOARD).whole)
    places |= {str(Place.of_network(one.key)): Place.of_network(one.key) for one in networks}
    places |= {"district": Place.district()} if access.can(by.grants, Permission.SEE_DISTRICT_BOARD) else {}
    held, names = rows.holding(places), place_names(places)
    made = [Standing(goal, places[goal.place], names[goal.place], _own(places[goal.place], by)) for goal in held]
    return sorted(made, key=lambda one: (-one.place.breadth, one.name, one.goal.by_day))


def one(thread: str, by: Actor) -> Standing:
    """A goal of a place whose board this person may see. Raises NotFound."""
    found = rows.versions(thread)
    place = _known(Place.parse(found[0].place)) if found else None
    if place is None or not access.can(by.grants, BOARDS[place.kind], place):
        raise NotFound(NO_GOAL)
    return Standing(found[0], place, place_names({str(place)})[str(place)], _own(place, by))


def stands(held: Sequence[Goal]) -> dict[str, tuple[list[tuple[date, int, int]], tuple[int, int]]]:
    """Thread -> ((day, part, whole) of each day it was counted or told on, (schools counted for it, all of them))."""
    whole = [one.thread for one in held if not one.subgroup]
    points, counted = rows.points(whole) | goal_groups.points(held), rows.counted_of(whole)
    return {one.thread: (points[one.thread], counted.get(one.thread, (0, 0))) for one in held}


def own_places(by: Actor) -> list[Place]:
    """The places whose goals this person sets."""
    return [grant.place for grant, role in by.grants if SET in role.permissions]


def _own_goal(thread: str, by: Actor) -> Goal:
    access.check(by.grants, SET)
    standing = one(thread, by)
    if not standing.own:
        raise NotFound(NO_GOAL)
    if standing.goal.ended:
        raise Refused("This goal has ended. Set a new one.")
    return standing.goal


def _own(place: Place, by: Actor) -> bool:
    return any(held == place for held in own_places(by))


def _known(place: Place) -> Place | None:
    if place.kind is PlaceKind.SCHOOL:
        network = school_network(place.key)
        return Place.of_school(place.key, network) if network else None
    return place if place.kind is PlaceKind.DISTRICT or boards.network(place.key) else None


def _words(words: str, empty: str = "Write a few words.") -> str:
    said = words.strip()
    check_words(said)
    if not said:
        raise Refused(empty)
    if len(said) > LONGEST:
        raise Refused(f"Please keep it under {LONGEST} characters.")
    return said


def _ahead(day: date | None) -> None:
    if day is None or day < today():
        raise Refused("Say when it is looked at: today or a later day.")


def _signed(by: Actor) -> dict[str, object]:
    return {"author_id": by.person_id, "author": by.name, "position": by.position, "written_at": now()}
