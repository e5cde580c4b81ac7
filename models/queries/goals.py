"""Goals as they hold, how far each has come, and what is done for them. Counts only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select, text, update

from models.base import db
from models.goals import Goal, Strategy, StrategyLook
from models.staff import Person


def holding(places: Collection[str], *, ended: bool = False) -> Sequence[Goal]:
    """The newest version of each goal of these places, the soonest day first; perhaps with those that ended."""
    newest = select(func.max(Goal.id)).group_by(Goal.thread)
    wanted = select(Goal).where(Goal.id.in_(newest), Goal.place.in_(sorted(places)))
    wanted = wanted if ended else wanted.where(Goal.ended == "")
    return db.session.scalars(wanted.order_by(Goal.place, Goal.by_day, Goal.id)).all()


def every_goal() -> list[tuple[str, str]]:
    """(thread, place) of every goal that holds."""
    newest = select(func.max(Goal.id)).group_by(Goal.thread)
    found = db.session.execute(select(Goal.thread, Goal.place).where(Goal.id.in_(newest), Goal.ended == ""))
    return [(thread, place) for thread, place in found]


def versions(thread: str) -> Sequence[Goal]:
    """Every version of a goal, the newest first."""
    return db.session.scalars(select(Goal).where(Goal.thread == thread).order_by(Goal.version.desc())).all()


# The schools that each of some goals counts: those of its place as the roster has it now.
_INSIDE = """
    inside AS (
        SELECT DISTINCT g.thread, s.id AS school_id FROM goal g
        CROSS JOIN school s JOIN network n ON n.id = s.network_id
        WHERE g.thread = ANY(:threads) AND g.place IN ('district', 'network:' || n.key, 'school:' || s.key)
    )
"""


def points(threads: Collection[str]) -> dict[str, list[tuple[date, int, int]]]:
    """Thread -> (day, part, whole) week by week, of the days on which every school of its place was counted."""
    found = db.session.execute(
        text(f"""
            WITH {_INSIDE}, every AS (SELECT thread, count(*) AS schools FROM inside GROUP BY 1)
            SELECT thread, p.day, sum(p.part)::bigint, sum(p.whole)::bigint
            FROM inside JOIN goal_part p USING (thread, school_id) JOIN every e USING (thread)
            GROUP BY thread, p.day, e.schools HAVING count(*) = e.schools ORDER BY 1, 2
        """),
        {"threads": list(threads)},
    )
    told: dict[str, list[tuple[date, int, int]]] = {thread: [] for thread in threads}
    for thread, day, part, whole in found:
        told[thread].append((day, int(part), int(whole)))
    return told


def counted_of(threads: Collection[str]) -> dict[str, tuple[int, int]]:
    """Thread -> (schools of its place that were counted for it, all of them)."""
    found = db.session.execute(
        text(f"""
            WITH {_INSIDE}
            SELECT thread, count(*) FILTER (WHERE EXISTS (
                SELECT FROM goal_part p WHERE p.thread = i.thread AND p.school_id = i.school_id)), count(*)
            FROM inside i GROUP BY 1
        """),
        {"threads": list(threads)},
    )
    return dict.fromkeys(threads, (0, 0)) | {thread: (counted, every) for thread, counted, every in found}


def put_parts(thread: str, school: int, parts: Sequence[tuple[date, int, int]]) -> None:
    """What a school brings to a goal, in the place of what was counted before."""
    key = {"thread": thread, "school": school}
    db.session.execute(text("DELETE FROM goal_part WHERE thread = :thread AND school_id = :school"), key)
    db.session.execute(
        text("""
            INSERT INTO goal_part (thread, school_id, day, part, whole)
            SELECT :thread, :school, p.* FROM unnest(CAST(:days AS date[]), CAST(:parts AS bigint[]),
                                                     CAST(:wholes AS bigint[])) p
        """),
        key
        | {
            "days": [day for day, _, _ in parts],
            "parts": [part for _, part, _ in parts],
            "wholes": [whole for _, _, whole in parts],
        },
    )


def keep_base(thread: str, schools: Sequence[int]) -> None:
    """Keep how a goal stood when it was set, once all of these schools were counted; never a second time.

    That is the last day counted up to the day it was set, however much later the first count comes. The lock lets
    schools that are counted at once take turns, so that the last one sees them all.
    """
    first = select(Goal).where(Goal.thread == thread).order_by(Goal.version).limit(1)
    goal = db.session.scalars(first.with_for_update().execution_options(populate_existing=True)).first()
    if goal is None or goal.base_whole is not None:
        return
    counted = db.session.execute(
        text("""SELECT day, sum(part)::bigint, sum(whole)::bigint FROM goal_part
                WHERE thread = :thread AND school_id = ANY(:schools) AND day <= :set
                GROUP BY 1 HAVING count(*) = :every ORDER BY 1 DESC LIMIT 1"""),
        {"thread": thread, "schools": list(schools), "every": len(schools), "set": goal.base_day},
    ).first()
    if counted is not None:
        kept = {"base_on": counted[0], "base_part": counted[1], "base_whole": counted[2]}
        db.session.execute(update(Goal).where(Goal.thread == thread).values(**kept))


def stood(school: int, since: date) -> list[tuple[int, date, date, int]]:
    """(student, first day, last day, tier) of who belonged to a school since a day."""
    found = db.session.execute(
        text("""
            SELECT student_id, since, coalesce(until, DATE '9999-12-31'), tier
            FROM standing WHERE school_id = :school AND coalesce(until, DATE '9999-12-31') >= :since
        """),
        {"school": school, "since": since},
    )
    return [(student, first, last, tier) for student, first, last, tier in found]


def in_time(school: int, days: Sequence[date]) -> list[tuple[date, int, int]]:
    """(day, families reached in time, families whose day had come) of the cases begun in the four weeks before."""
    found = db.session.execute(
        text("""
            WITH begun AS (
                SELECT c.id, c.contact_due, coalesce(e.opened, c.opened) AS begun, r.reached
                FROM support_case c LEFT JOIN case_episode e ON e.case_id = c.id AND e.episode = c.episode
                CROSS JOIN LATERAL (SELECT min(on_day) AS reached FROM outreach o
                    WHERE o.student_id = c.student_id AND o.is_contact AND o.on_day >= coalesce(e.opened, c.opened)) r
                WHERE c.school_id = :school
            )
            SELECT w.day, count(b.id) FILTER (WHERE b.reached <= least(b.contact_due, w.day)),
                   count(b.id) FILTER (WHERE b.contact_due < w.day OR b.reached <= least(b.contact_due, w.day))
            FROM unnest(CAST(:days AS date[])) w (day)
            LEFT JOIN begun b ON b.begun <= w.day AND b.begun > w.day - 28
            GROUP BY 1 ORDER BY 1
        """),
        {"school": school, "days": list(days)},
    )
    return [(day, part, whole) for day, part, whole in found]


def days_ahead(schools: Collection[int], after: date, until: date) -> dict[int, int]:
    """School -> what its school days after one day up to another are worth, in thousandths."""
    found = db.session.execute(
        text("""
            SELECT school_id, sum(weight)::bigint FROM calendar_day
            WHERE school_id = ANY(:schools) AND calendar_key = '' AND day > :after AND day <= :until
              AND day_type IN ('instructional', 'make_up') GROUP BY 1
        """),
        {"schools": list(schools), "after": after, "until": until},
    )
    return {school: int(worth) for school, worth in found}


def last_school_day(schools: Collection[int], after: date) -> date | None:
    """The last school day of these schools' calendars after a day."""
    asked = {"schools": list(schools), "after": after}
    last: date | None = db.session.scalar(
        text("""SELECT max(day) FROM calendar_day WHERE school_id = ANY(:schools) AND day > :after
                AND day_type IN ('instructional', 'make_up')"""),
        asked,
    )
    return last


def students_now(schools: Collection[int], on: date) -> dict[int, int]:
    """School -> how many belong to it on a day."""
    found = db.session.execute(
        text("""
            SELECT school_id, count(*)::int FROM standing
            WHERE school_id = ANY(:schools) AND since <= :on AND coalesce(until, DATE '9999-12-31') >= :on GROUP BY 1
        """),
        {"schools": list(schools), "on": on},
    )
    return {school: count for school, count in found}


def strategies(thread: str) -> list[tuple[Strategy, str, list[StrategyLook]]]:
    """(strategy, who leads it, its looks, the newest first) of a goal."""
    found = db.session.execute(
        select(Strategy, Person.name)
        .join(Person, Person.id == Strategy.owner_id)
        .where(Strategy.thread == thread)
        .order_by(Strategy.id)
    ).all()
    looks: dict[int, list[Any]] = {one.id: [] for one, _ in found}
    wanted = select(StrategyLook).where(StrategyLook.strategy_id.in_(looks)).order_by(StrategyLook.id.desc())
    for look in db.session.scalars(wanted):
        looks[look.strategy_id].append(look)
    return [(one, name, looks[one.id]) for one, name in found]


def past_their_day(on: date, owner: int | None = None) -> list[tuple[Strategy, Goal, date]]:
    """(what is done, its goal, the day for a look) of goals that hold, where that day has passed; `owner`: of one."""
    found = db.session.execute(
        text("""
            SELECT s.id, g.id, l.next_on FROM strategy s
            JOIN LATERAL (SELECT next_on FROM strategy_look WHERE strategy_id = s.id ORDER BY id DESC LIMIT 1) l ON true
            JOIN LATERAL (SELECT id, ended FROM goal WHERE thread = s.thread ORDER BY version DESC LIMIT 1) g ON true
            WHERE l.next_on < :on AND g.ended = '' AND (CAST(:owner AS int) IS NULL OR s.owner_id = :owner)
            ORDER BY l.next_on, s.id
        """),
        {"on": on, "owner": owner},
    ).all()
    wanted = select(Strategy).where(Strategy.id.in_([row[0] for row in found]))
    done = {one.id: one for one in db.session.scalars(wanted)}
    held = {one.id: one for one in db.session.scalars(select(Goal).where(Goal.id.in_([row[1] for row in found])))}
    return [(done[strategy], held[goal], day) for strategy, goal, day in found]
