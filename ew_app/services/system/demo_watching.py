"""What there is to watch over in the demo: a bus that stayed home, a record put right late, goals, a question."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import text

from ew_app.kernel import Actor, Refused, told_as_of, transaction
from ew_app.services.people import signing_in
from ew_app.services.system.demo_staff import moment
from ew_app.services.watching import goals, integrity, nudging
from models.base import db
from models.queries.boards import schools_in
from models.staff import Person
from rules.access import Area
from rules.integrity import asking
from rules.places import Place

HEADER: Final = ("student_id", "school_id", "date", "code", "last_modified", "modified_by")
AIMED: Final = 25  # the school day of the year on which goals are set
ENTERED_LATE: Final = 16
# login, measure, target in tenths of a percent, group, what is done for it, days from today when it is looked at
GOALS: Final = (
    ("district_analyst", "chronic", 180, "", "Every school has a first contact within three days.", 14),
    ("network_lead", "in_time", 850, "", "A second caller on Mondays where posts are empty.", -1),
    ("principal", "attendance", 935, "", "A warm word at the door in every homeroom.", -4),
    ("principal", "tiers", 150, "low_income:yes", "Breakfast from 7:30, and the clothes closet on Fridays.", 7),
)

# Riders of the fullest route at these schools who were not marked on the day.
_RIDERS = """
    WITH here AS (
        SELECT s.id, s.key, c.key AS school, s.bus_route FROM stint t
        JOIN student s ON s.id = t.student_id JOIN school c ON c.id = t.school_id
        WHERE c.key = ANY(:schools) AND s.bus_route <> '' AND t.entry_date <= :day
          AND coalesce(t.exit_date, 'infinity'::date) >= :day
    ), fullest AS (SELECT school, bus_route FROM here GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 1)
    SELECT key, school FROM here JOIN fullest USING (school, bus_route)
    WHERE NOT EXISTS (SELECT FROM mark m WHERE m.student_id = here.id AND m.day = :day) ORDER BY 1
"""
# Unexcused days of a school that nobody has changed.
_ABSENT = """
    SELECT s.key, c.key, m.day FROM mark m JOIN student s ON s.id = m.student_id JOIN school c ON c.id = m.school_id
    WHERE c.key = :school AND m.day BETWEEN :first AND :last AND m.code = 'A' ORDER BY m.day, 1 LIMIT :most
"""


def late_changes(days: Sequence[date]) -> bytes | None:
    """Rows that schools of the demo lead's network send behind the file of the last of these days; None where few.

    At one of them a bus stayed home; another puts absences of last week right, long after their day.
    """
    network, own = (_demo(login).grants.held[0].place.key for login in ("network_lead", "principal"))
    near = [one.key for one in schools_in(Area(networks=frozenset({network}))) if one.key != own]
    if len(near) < 2:
        return None
    riders: Any = db.session.execute(text(_RIDERS), {"schools": near, "day": days[-1]})
    rode = list(riders)
    elsewhere = next(key for key in near if not rode or key != rode[0].school)
    asked = {"school": elsewhere, "first": days[-9], "last": days[-4], "most": ENTERED_LATE}
    found: Any = db.session.execute(text(_ABSENT), asked)
    out = io.StringIO()
    file = csv.writer(out)
    file.writerow(HEADER)
    file.writerows((who, school, days[-1], "A", f"{days[-1]}T10:05:00", "office") for who, school in rode)
    file.writerows((who, school, day, "P", f"{days[-1]}T10:20:00", "office") for who, school, day in found)
    return out.getvalue().encode()


def aim(nth: int, days: Sequence[date]) -> None:
    """Goals of the demo's people and what is done for them; what was to be looked at by now was not, at the school."""
    if nth != AIMED:
        return
    for number, (login, measure, target, group, words, ahead) in enumerate(GOALS):
        by = _demo(login)
        place = by.grants.held[0].place
        wanted = goals.Wanted(measure=measure, target=target, subgroup=group)
        try:
            thread = goals.put(place, wanted, once=f"demo/goal/{number}", by=by)
        except Refused:  # a group of nearly nobody in a small district
            continue
        looked = days[-1] + timedelta(days=ahead)
        goals.add_strategy(thread, words, by.person_id, looked, once=f"demo/strategy/{number}", by=by)


def ask(days: Sequence[date]) -> None:
    """The network asks its first school one thing, which waits; Accountability asks about what stands out."""
    lead, principal, analyst = (_demo(login) for login in ("network_lead", "principal", "district_analyst"))
    school = _key(principal.grants.held[0].place)
    with told_as_of(moment(days[-3], 9)), transaction():
        wanted = nudging.Wanted(
            words="What would help you to reach the families who have waited longest?", owner_id=principal.person_id,
            due=days[-1], reason="First contacts past their day",
        )  # fmt: skip
        nudging.ask(school, wanted, once="demo/nudge", by=lead)
    for told in integrity.watch(analyst, asking().windows[0]).measures:
        for line in told.out[:1]:
            words = "Was there a day on which the registers came in late?"
            integrity.ask(told.measure.key, line.school.key, line.who, asking().windows[0], words, by=analyst)


def _key(place: Place) -> str:
    return place.key


def _demo(login: str) -> Actor:
    return signing_in.actor_of(db.session.query(Person).filter_by(login=login, is_demo=True).one())
