"""The cases that findings of a judged school year would have opened, day by day, had nobody closed any by hand.

What speaks for a case, and who would have owned it, is asked where real cases ask. A case counts as over once nothing
speaks for it any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ew_app.services.casework import following
from ew_app.services.casework.following import Found, Pupil
from ew_app.services.casework.staffing import Staff
from ew_app.services.deciding.decisions import Decisions, Span
from ew_app.services.measuring.years import NOWHERE
from rules.routing import Via, route
from rules.routing_table import Opens
from rules.tiers import Tier

Owner = tuple[str, bool]
Spans = list[tuple[str, Span]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that would have been opened: where, when, for which role, by which rules.

    `standing`: something still speaks for it at the end.
    """

    school: int
    day: date
    role: str
    unowned: bool
    rules: tuple[str, ...]
    standing: bool


def would_open(decisions: Decisions, homeroom: Sequence[str], staff: Staff) -> Iterator[Opened]:
    """Every case of these students; `homeroom` by row. Owners are found among the people of today."""
    desk = _Owners(staff)
    for row, spans in _concerned(decisions).items():
        student = _Student(decisions, row, spans)
        for column, rules, standing in student.cases():
            school, tier = student.school(column), student.tier(column)
            role, unowned = desk.of(school, homeroom[row], rules, tier)
            yield Opened(school, decisions.days[column], role, unowned, rules, standing)


def _concerned(decisions: Decisions) -> dict[int, Spans]:
    """Row -> its findings, of everybody who reached Tier 2 or for whom a rule opens a case by itself."""
    by_row: dict[int, Spans] = defaultdict(list)
    for (_, rule, _), span in decisions.findings():
        by_row[span.row].append((rule, span))
    reached: NDArray[np.bool_] = np.asarray((decisions.judged.replay.tier >= Tier.TWO).any(axis=1))
    return {row: by_row[row] for row in sorted(by_row) if reached[row] or _alone(by_row[row])}


def _alone(spans: Spans) -> bool:
    return any(following.opens(rule) is Opens.CASE for rule, _ in spans)


class _Student:
    """One student's year: the findings that stand and the tier, on any column."""

    def __init__(self, decisions: Decisions, row: int, spans: Spans) -> None:
        self._judged, self._days, self._row = decisions.judged, decisions.days, row
        self._spans = spans
        taught = self._judged.matrix.weights[row] > 0
        self._taught: NDArray[np.int64] = np.concatenate([[0], np.cumsum(taught)])
        policies = {rule: self._judged.timeline.on(self._days[span.since]).rule(rule) for rule, span in spans}
        self._restricted = {rule: policy.restricted for rule, policy in policies.items()}

    def tier(self, column: int) -> Tier:
        return Tier(int(self._judged.replay.tier[self._row, column]))

    def school(self, column: int) -> int:
        year = self._judged.year
        return int(year.stint_school[year.stint_at[self._row, column]])

    def cases(self) -> list[tuple[int, tuple[str, ...], bool]]:
        """(column on which it opens, rules that open it, whether it still stands at the end) of each case."""
        found: list[tuple[int, tuple[str, ...], bool]] = []
        open_now = False
        for column in self._columns():
            speaks = self.speaking(column)
            if speaks and not open_now:
                found.append((column, tuple(one.rule for one in speaks), False))
            open_now = bool(speaks)
        return [*found[:-1], (*found[-1][:2], True)] if open_now else found

    def _columns(self) -> list[int]:
        """The columns on which anything changed that a case may rest on."""
        tier = self._judged.replay.tier[self._row]
        moved = np.flatnonzero(np.diff(tier)) + 1
        at = self._judged.year.stint_at[self._row]
        went = np.flatnonzero((at[1:] == NOWHERE) != (at[:-1] == NOWHERE)) + 1
        edges = {edge for _, span in self._spans for edge in (span.since, span.until)}
        ripe = {self._ripe(rule, span) for rule, span in self._spans if following.waits(rule)}
        found = {*moved.tolist(), *went.tolist(), *edges, *ripe}
        return sorted(column for column in found if self._judged.began <= column <= self._judged.last)

    def _ripe(self, rule: str, span: Span) -> int:
        """The column on which a finding has stood as long as its rule waits."""
        asked = self._taught[span.since] + following.waits(rule)
        return int(np.searchsorted(self._taught, asked)) - 1

    def speaking(self, column: int) -> list[Found]:
        """What speaks for a case at the end of a column."""
        if self._judged.year.stint_at[self._row, column] == NOWHERE:
            return []
        found = [self._found(rule, span, column) for rule, span in self._spans if span.since <= column < span.until]
        return following.speaking(Pupil(0, self.school(column), self.tier(column), True, "", "", findings=found))

    def _found(self, rule: str, span: Span, column: int) -> Found:
        stood = int(self._taught[column + 1] - self._taught[span.since])
        return Found(rule, self._days[span.since], None, self._restricted[rule], "", "", stood)


class _Owners:
    """Who would own a case, remembered for all that are alike."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff
        self._known: dict[tuple[int, str, tuple[str, ...], Tier], Owner] = {}

    def of(self, school: int, homeroom: str, rules: tuple[str, ...], tier: Tier) -> Owner:
        """(role, whether nobody holds it)."""
        key = (school, homeroom, rules, tier)
        if key not in self._known:
            staff = self._staff
            found = route(rules, tier.text, (), staff.place(school), staff.near(school, homeroom), on=staff.on)
            self._known[key] = found.role, found.via is Via.UNOWNED
        return self._known[key]
