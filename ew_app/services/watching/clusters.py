"""Clusters of absences: found every hour in which something came, each one case, followed until somebody ends it.

A look reads the last school days once and judges those of which something came since they were last looked at. What
stands out goes to whom the routing table names, is written on day by day, and is withdrawn when corrections take its
evidence away. Students are counted here and never named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Final

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import WORKER, Actor, day_text, now, operation, record, today
from ew_app.services.casework.staffing import Staff
from ew_app.services.people.telling import tell
from ew_app.services.watching import panels
from ew_app.services.watching.panels import Seen
from models.base import db
from models.clusters import Cluster, ClusterDay, ClusterLook, ClusterNote
from models.queries import away_panel, following
from models.queries import clusters as rows
from rules import cluster_days, clusters
from rules.cluster_days import Day
from rules.cluster_sums import Panel, Sums
from rules.clusters import WEEKDAY, Jump, Tuning, tuning
from rules.routing import tasks_for
from rules.school_days import add_school_days

LOCK: Final = 7312
BACK: Final = 5  # school days that are looked at again when something comes about them
REMEMBERED: Final = timedelta(days=30)  # what ended within so many days is not opened again for the same days
LEAD: Final = 9  # school days before it that are shown with it
MOST_ODDS: Final = 1_000_000_000


def look(*_: object) -> int:
    """The queued work: look at the days of which something came; how many numbers were judged."""
    return _look()


@operation
def _look() -> int:
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    days, last = away_panel.days_before(today(), tuning().days + BACK), rows.last_look()
    if not days or not rows.corrected_since(last.looked_at if last else None, days):
        return 0
    seen, networks = panels.read(days), rows.networks()
    standing = list(rows.standing(today() - REMEMBERED))
    judged = 0
    for day in rows.days_to_look_at(days[-BACK:]):
        judged += _one_day(seen.up_to(day), standing, networks)
    buildings = cache(lambda: cluster_days.all_buildings(seen.panel))
    for cluster in standing:
        if cluster.state == "open":
            _follow(cluster, seen, networks, buildings)
    return judged


def _one_day(seen: Seen, standing: list[Cluster], networks: Mapping[int, int]) -> int:
    """Judge the last day of what is seen; open what is new, and let what stands grow."""
    limits = tuning()
    cut = max(0, len(seen.panel.days) - limits.days)
    newest = _since(seen, cut)
    found = clusters.look(newest.panel, limits)
    for jump in found.jumps:
        _take_in(jump, newest, standing, networks)
    db.session.add(ClusterLook(day=seen.panel.days[-1], looked_at=now(), judged=found.judged, found=len(found.jumps)))
    return found.judged


def _since(seen: Seen, first: int) -> Seen:
    panel = seen.panel
    cut = Panel(panel.days[first:], panel.school, panel.groups, panel.away[:, first:], panel.here[:, first:])
    return replace(seen, panel=cut, excused=seen.excused[:, first:])


def _take_in(jump: Jump, seen: Seen, standing: list[Cluster], networks: Mapping[int, int]) -> None:
    """A jump belongs to the open cluster of its group, or of its route at another school of the network; one that
    lies in days that were answered for already is nothing new."""
    school, key, day = seen.schools[jump.school], seen.group_key(jump.kind, jump.group), seen.panel.days[-1]
    first = _first_day(jump, seen)
    network = networks[school]
    for cluster in standing:
        same = cluster.school_id == school or (jump.kind == "route" and cluster.network_id == network)
        if (cluster.kind, cluster.group_key) != (jump.kind, key) or not same:
            continue
        if cluster.state == "open":
            _grow(cluster, jump, day, school)
            return
        if first <= max(cluster.last_day, cluster.through):
            return
    standing.append(_open(jump, seen, key, network))


def _first_day(jump: Jump, seen: Seen) -> date:
    days = seen.panel.days
    if jump.kind == WEEKDAY:
        same = [day for day in days if day.weekday() == days[-1].weekday()]
        return same[-min(jump.window, len(same))]
    return days[-jump.window]


def _grow(cluster: Cluster, jump: Jump, day: date, school: int) -> None:
    """It stands out again: the newest numbers count, and the history says so once a day."""
    if day < cluster.last_day or (day == cluster.last_day and cluster.observed == jump.observed):
        return
    if day > cluster.last_day:
        note(cluster, "grew", f"It stands out again on {day_text(day)}.", once=f"{cluster.id}/grew/{school}/{day}")
    if school == cluster.school_id:
        _tell_numbers(cluster, jump)
    cluster.last_day, cluster.gone_on = day, None


def _tell_numbers(cluster: Cluster, jump: Jump) -> None:
    cluster.window_days, cluster.observed, cluster.members = jump.window, jump.observed, jump.members
    cluster.expected = round(jump.expected * 1000)
    cluster.odds = min(MOST_ODDS, round(1 / jump.chance)) if jump.chance > 1 / MOST_ODDS else MOST_ODDS


def _open(jump: Jump, seen: Seen, key: str, network: int) -> Cluster:
    school, day = seen.schools[jump.school], seen.panel.days[-1]
    kind, staff = tuning().kinds[jump.kind], Staff([school])
    excused = seen.excused_on("building", jump.school, day)
    trigger = kind.ill if kind.ill and 2 * excused > jump.observed / max(jump.window, 1) else kind.condition
    (plan,) = tasks_for(trigger, staff.place(school), staff.near(school), on=staff.on, loads=staff.loads)
    taught = following.school_days([school], today()).get(school, [])
    cluster = Cluster(
        kind=jump.kind, group_key=key, school_id=school, network_id=network, department=plan.department,
        owner_role=plan.role, owner_id=plan.person_id, due=add_school_days(today(), plan.due_days, taught),
        state="open", opened=today(), opened_at=now(), first_day=_first_day(jump, seen), alarmed_day=day, last_day=day,
        through=day,
    )  # fmt: skip
    _tell_numbers(cluster, jump)
    db.session.add(cluster)
    db.session.flush()
    note(cluster, "opened", "The groups of the school were compared.", once=f"{cluster.id}/opened")
    record("cluster_opened", by=WORKER, subject=f"cluster:{cluster.id}", group=jump.kind)
    tell("cluster_given", [plan.person_id], once=f"cluster/{cluster.id}/given")
    return cluster


# -- what is known of an open one ------------------------------------------------------------------------------------


def _follow(cluster: Cluster, seen: Seen, networks: Mapping[int, int], buildings: Callable[[], Sums]) -> None:
    """Write its days as they are known now; withdraw it, or say so, when nothing stands out in them any more."""
    limits = tuning()
    at = {cluster.school_id}
    if cluster.kind == "route":
        at |= {school for school in seen.schools if networks[school] == cluster.network_id}
    series, since = {}, _shown_since(cluster, seen, limits)
    for school in at:
        group = seen.group(cluster.kind, school, cluster.group_key)
        if group is not None:
            series[school] = cluster_days.told(seen.panel, cluster.kind, group, since, limits), group
    known = {school: days for school, (days, _) in series.items() if days}
    if cluster.kind == WEEKDAY:
        _follow_weekday(cluster, seen, buildings(), limits)
    elif cluster.school_id in known:
        for school, days in known.items():
            if school == cluster.school_id or _stands_out(cluster, days, limits):
                _write(cluster, school, days, seen, series[school][1])
        if not any(_stands_out(cluster, days, limits) for days in known.values()):
            _gone(cluster)
    cluster.through = max(cluster.through, seen.panel.days[-1])


def _shown_since(cluster: Cluster, seen: Seen, limits: Tuning) -> date:
    """Some days before it began, so that the chart shows what was usual; none that its past needs."""
    days = seen.panel.days
    began = next((place for place, day in enumerate(days) if day >= cluster.first_day), len(days) - 1)
    return min(cluster.first_day, days[max(limits.least_before, began - LEAD)]) if days else cluster.first_day


def _stands_out(cluster: Cluster, days: Sequence[Day], limits: Tuning) -> bool:
    """Whether a jump is still there: one day by itself, or the days together for what stood out over some."""
    kind = limits.kinds[cluster.kind]
    days = [day for day in days if day.day >= cluster.first_day]
    alone = any(
        day.chance <= limits.stays_gone and day.observed - day.expected >= kind.least_excess * 0.9 for day in days
    )
    if alone or cluster.window_days == 1:
        return alone
    over = [day for day in days if day.day <= cluster.last_day][-cluster.window_days :]
    observed, expected = sum(day.observed for day in over), sum(day.expected for day in over)
    enough = kind.least_excess * len(over) ** 0.5 * 0.9
    return bool(observed - expected >= enough)


def _follow_weekday(cluster: Cluster, seen: Seen, buildings: Sums, limits: Tuning) -> None:
    """Its days are the same weekdays; expected is what the other days of the week tell."""
    place = seen.group(WEEKDAY, cluster.school_id, "")
    if place is None:
        return
    held = cluster_days.weekday_days(seen.panel, buildings, place, int(cluster.group_key), cluster.first_day)
    _write(cluster, cluster.school_id, held, seen, place)
    until = [day for day in held if day.day <= cluster.last_day]
    excess = sum(day.observed - day.expected for day in until)
    if until and excess < limits.kinds[WEEKDAY].least_excess * len(until) * 0.9:
        _gone(cluster)


def _write(cluster: Cluster, school: int, days: Sequence[Day], seen: Seen, group: int) -> None:
    """The days of a cluster at one school, instead of what was written of them before."""
    kind = cluster.kind if cluster.kind != WEEKDAY else "building"
    db.session.execute(
        delete(ClusterDay).where(
            ClusterDay.cluster_id == cluster.id, ClusterDay.school_id == school,
            ClusterDay.day.in_([day.day for day in days]),
        )
    )  # fmt: skip
    told = [
        {
            "cluster_id": cluster.id, "school_id": school, "day": day.day, "observed": day.observed,
            "expected": round(day.expected * 1000), "members": day.members,
            "excused": min(day.observed, seen.excused_on(kind, group, day.day)),
        }
        for day in days
    ]  # fmt: skip
    if told:
        db.session.execute(insert(ClusterDay), told)


def _gone(cluster: Cluster) -> None:
    """Corrections took the evidence: nobody is asked any more; where somebody is on it already, it is told to them."""
    if cluster.taken_at is None:
        cluster.state, cluster.ended_on = "withdrawn", today()
        words = "Corrected attendance took the evidence away: the group came as others did."
        note(cluster, "withdrawn", words, once=f"{cluster.id}/withdrawn")
        record("cluster_withdrawn", by=WORKER, subject=f"cluster:{cluster.id}")
    elif cluster.gone_on is None:
        cluster.gone_on = today()
        words = "Corrected attendance took the evidence away. It stays open because somebody is looking into it."
        note(cluster, "gone", words, once=f"{cluster.id}/gone/{today()}")


def note(cluster: Cluster, step: str, words: str, *, by: Actor = WORKER, once: str | None = None) -> None:
    """Write into its history; the same `once` again adds nothing."""
    row = {
        "cluster_id": cluster.id, "step": step, "words": words, "once": once, "author_id": by.person_id,
        "author": by.name, "position": by.position, "written_at": now(),
    }  # fmt: skip
    db.session.execute(insert(ClusterNote).values(row).on_conflict_do_nothing())
