"""The words for a cluster, and how much of its numbers a reader is told: those who may open the students, all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ew_app.services.watching import parts
from ew_app.web.guard import actor
from models.clusters import Cluster, ClusterDay
from rules import access
from rules.access import Permission, Place
from rules.clusters import tuning
from rules.suppression import LEAST, share_of_tens, suppress, tens, tens_words


def headline(cluster: Cluster) -> str:
    """What happened, without the school: `Many on bus route 7 were away`."""
    return tuning().kinds[cluster.kind].named(cluster.group_key)


@dataclass(frozen=True, slots=True)
class Told:
    """One day of a cluster at one school as a reader may see it. bar, usual: for the chart, percent of its height."""

    day: date
    school: str
    away: str
    expected: str
    members: str
    excused: str
    bar: float | None
    usual: float | None


def exact_at(school_key: str, network_key: str) -> bool:
    """Whether this reader may open every student there anyway, so that no count tells them more."""
    everyone = access.scope_of(actor().grants, Permission.SEE_STUDENT).whole
    return everyone.covers(Place.of_school(school_key, network_key))


def told(days: Sequence[tuple[ClusterDay, str]], *, exact: bool) -> list[Told]:
    """The days as the reader may see them; whoever may not open the students sees tens, and nothing under ten."""
    highest = max((max(day.observed, day.expected / 1000) for day, _ in days), default=1) or 1
    top = highest if exact else tens(int(highest)) + 10  # what a bar reaches up to would tell the highest count
    return [_told(day, school, top, exact) for day, school in days]


def _told(day: ClusterDay, school: str, top: float, exact: bool) -> Told:
    usual = round(day.expected / 1000)
    if exact:
        bar, line = 100 * day.observed / top, 100 * day.expected / 1000 / top
        return Told(
            day.day,
            school,
            str(day.observed),
            str(usual),
            str(day.members),
            str(day.excused),
            round(bar, 1),
            round(line, 1),
        )
    of = parts.told("", ("",), ("away", "there"), [(day.observed, day.members - day.observed)])
    away, members = of.rows[0][0], of.totals[0]
    return Told(
        day.day,
        school,
        of.words(away),
        "under 10" if usual < LEAST else tens_words(usual),
        of.words(members),
        "",
        None if away is None else round(100 * away / top, 1),
        None,
    )


def sentence(cluster: Cluster, *, exact: bool) -> str:
    """How many were away of how many, against what is expected; in bands for whoever may not open the students."""
    over = "" if cluster.window_days == 1 else f" over {cluster.window_days} school days"
    if cluster.kind == "weekday":
        over = f" on {cluster.window_days} such days"
    if exact:
        expected = round(cluster.expected / 1000)
        of = f" of {cluster.members}" if cluster.window_days == 1 else " absences"
        return f"{cluster.observed}{of} away{over}, where {expected} would be usual."
    if cluster.window_days > 1:
        some = tens_words(cluster.observed if cluster.observed >= LEAST else None)
        return f"{some.capitalize()} absences{over}, far more than usual."
    pair = cluster.observed, cluster.members - cluster.observed
    share = share_of_tens(*pair, suppress([pair]).rows[0])
    said = f"About {share} were away" if share[0].isdigit() else f"{share.capitalize()} were away"
    return "Far more than usual were away." if share == "kept back" else f"{said}, far more than usual."


def chance(odds: int, *, exact: bool) -> str:
    """How often chance alone brings this; roughly for who sees counts: it comes from exact ones."""
    if odds >= 1_000_000:
        return "less than one in a million"
    return f"one in {odds:,}" if exact else f"less than one in {10 ** (len(str(max(odds, 1))) - 1):,}"
