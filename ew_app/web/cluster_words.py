"""The words for a cluster, and how much of its numbers a reader is told: those who may open the students, all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ew_app.web.guard import actor
from models.clusters import Cluster, ClusterDay
from rules import access
from rules.access import Permission, Place
from rules.clusters import tuning
from rules.overlaps import in_tens
from rules.suppression import CLEAR, told_words


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
    bar: float
    usual: float


def exact_at(school_key: str, network_key: str) -> bool:
    """Whether this reader may open every student there anyway, so that no count tells them more."""
    everyone = access.scope_of(actor().grants, Permission.SEE_STUDENT).whole
    return everyone.covers(Place.of_school(school_key, network_key))


def told(days: Sequence[tuple[ClusterDay, str]], *, exact: bool) -> list[Told]:
    """The days as the reader may see them; whoever may not open the students reads tens, and sees them drawn so."""
    drawn = [[_drawn(n, exact) for n in (day.observed, day.expected / 1000)] for day, _ in days]
    top = max((max(pair) for pair in drawn), default=1) or 1
    return [
        Told(
            day=day.day, school=school, away=_said(day.observed, exact), members=_said(day.members, exact),
            expected=_said(round(day.expected / 1000), exact), excused=str(day.excused) if exact else "",
            bar=round(100 * away / top, 1), usual=round(100 * usual / top, 1),
        )
        for (day, school), (away, usual) in zip(days, drawn, strict=True)
    ]  # fmt: skip


def _said(count: int, exact: bool) -> str:
    return f"{count:,}" if exact else told_words(in_tens(count))


def _drawn(count: float, exact: bool) -> float:
    """How high it stands in the picture: what is told as few, half as high as few may be."""
    return count if exact else in_tens(round(count)) or CLEAR / 2


def sentence(cluster: Cluster, *, exact: bool) -> str:
    """How many were away of how many, against what is expected; in tens for whoever may not open the students."""
    over = "" if cluster.window_days == 1 else f" over {cluster.window_days} school days"
    if cluster.kind == "weekday":
        over = f" on {cluster.window_days} such days"
    away, usual, members = (
        _said(n, exact) for n in (cluster.observed, round(cluster.expected / 1000), cluster.members)
    )
    of = f" of {members}" if cluster.window_days == 1 else " absences"
    return f"{away[0].upper()}{away[1:]}{of} away{over}, where {usual} would be usual."


def chance(odds: int, *, exact: bool) -> str:
    """How often chance alone brings this; roughly for who sees counts: it comes from exact ones."""
    if odds >= 1_000_000:
        return "less than one in a million"
    return f"one in {odds:,}" if exact else f"less than one in {10 ** (len(str(max(odds, 1))) - 1):,}"
