"""What a judged school year means as rows: standings, findings and tier changes that a change can have moved.

Only rows that begin on or after a student's first changed day, or ended the day before it or later, can differ
from what is stored; the rest is left alone. Sentences are made for those rows only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.judging import Judged
from rules.policy import PolicyInForce
from rules.replay import EXIT, Change
from rules.sentences import exit_sentence, numbers, sentence
from rules.tiers import Tier, too_early

Cols = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of columns [since, until) of one row; `until` is the number of columns while it lasts."""

    row: int
    since: int
    until: int


class Decisions:
    """The rows of one judged set of students; `since` [S] is each student's first changed day."""

    def __init__(self, judged: Judged, since: NDArray[np.datetime64]) -> None:
        self.judged = judged
        self.days: list[date] = judged.year.by_student.days.tolist()
        self._from = np.searchsorted(judged.year.by_student.days, since)
        self._first = judged.year.by_student.first

    def standings(self, stored: Collection[tuple[int, date]]) -> dict[tuple[int, date], tuple[Any, ...]]:
        """(student, since) -> (until, school, grade, tier, too_early)."""
        year = self.judged.year
        early = _too_early(self.judged)
        key = (year.stint_at.astype(np.int64) * 8 + self.judged.replay.tier + 1) * 2 + early
        key[year.stint_at < 0] = -1
        key[:, : self._first] = -1
        rows = {}
        for span in self._changeable(_runs(key), stored):
            stint = int(year.stint_at[span.row, span.since])
            rows[self._key(span)] = (
                self.days[span.until - 1] if span.until < len(self.days) else None,
                int(year.stint_school[stint]),
                year.stint_grade[stint],
                int(self.judged.replay.tier[span.row, span.since]),
                bool(early[span.row, span.since]),
            )
        return rows

    def findings(self, stored: Collection[tuple[int, str, date]]) -> Iterator[tuple[tuple[int, str, date], Span]]:
        """((student, rule, since), span) of every finding; a span's `until` is the day it was cleared."""
        for rule, active in self.judged.replay.active.items():
            kept = {(student, start) for student, key, start in stored if key == rule}
            for span in self._changeable(_runs(np.where(active, 0, -1)), kept):
                student, start = self._key(span)
                yield (student, rule, start), span

    def steps(self) -> Iterator[tuple[tuple[int, date], dict[str, Any]]]:
        """((student, day), row) of every step of the tier from the first changed day on."""
        for change in self.judged.replay.changes:
            if change.col >= self._from[change.row]:
                yield (int(self.judged.students[change.row]), self.days[change.col]), self._step_row(change)

    def until(self, span: Span) -> date | None:
        """The day on which a finding was cleared; None while it is active."""
        return self.days[span.until] if span.until < len(self.days) else None

    def may_differ(self, span: Span) -> bool:
        """Whether what was said of a finding on its first day may have changed."""
        return bool(span.since >= self._from[span.row])

    def finding_row(self, rule: str, span: Span) -> dict[str, Any]:
        """Sentence, numbers, compartment and policy of a finding on its first day."""
        judged, policy = self.judged, self.judged.timeline.on(self.days[span.since])
        asked = policy.rule(rule)
        found = numbers(asked, judged.facts, judged.inputs, span.row, span.since)
        return {
            "compartment": asked.restricted,
            "numbers": {name: value for name, value in found.items() if value},
            "sentence": sentence(asked, found),
            "policy_version": policy.version,
        }

    def _step_row(self, change: Change) -> dict[str, Any]:
        """From where to where, by which rules, the sentence and the policy."""
        judged, policy = self.judged, self.judged.timeline.on(self.days[change.col])
        if change.rules == (EXIT,):
            words = exit_sentence(policy, change.before, judged.facts, change.row, change.col)
        else:
            words = " ".join(self._said(policy, rule, change) for rule in change.rules)
        return {
            "before": int(change.before),
            "after": int(change.after),
            "rules": list(change.rules),
            "sentence": words,
            "policy_version": policy.version,
        }

    def _said(self, policy: PolicyInForce, rule: str, change: Change) -> str:
        asked = policy.rule(rule)
        found = numbers(asked, self.judged.facts, self.judged.inputs, change.row, change.col)
        return sentence(asked, found)

    def _key(self, span: Span) -> tuple[int, date]:
        return int(self.judged.students[span.row]), self.days[span.since]

    def _changeable(self, runs: tuple[Cols, Cols, Cols], stored: Collection[tuple[int, date]]) -> Iterator[Span]:
        row, since, until = runs
        lasts = until == len(self.days)
        moved = (since >= self._from[row]) | (~lasts & (until >= self._from[row]))
        for span in map(Span, row[moved].tolist(), since[moved].tolist(), until[moved].tolist()):
            yield span
        if not stored:
            return
        rest = ~moved & np.isin(self.judged.students[row], [student for student, _ in stored])
        for span in map(Span, row[rest].tolist(), since[rest].tolist(), until[rest].tolist()):
            if self._key(span) in stored:
                yield span


def _runs(key: NDArray[np.integer]) -> tuple[Cols, Cols, Cols]:
    """Row, first column and end column of every run of one value that is not -1."""
    edge = np.full((len(key), 1), -1, dtype=key.dtype)
    new = np.diff(key, axis=1, prepend=edge, append=edge) != 0
    row, start = np.nonzero(new[:, :-1] & (key >= 0))
    ends_row, end = np.nonzero(new[:, 1:] & (key >= 0))
    assert np.array_equal(row, ends_row)
    return row, start, end + 1


def _too_early(judged: Judged) -> NDArray[np.bool_]:
    """[S, D] whether a day had too few enrolled days before it to judge a rate."""
    early = np.zeros(judged.replay.tier.shape, dtype=bool)
    for column, day in enumerate(judged.year.by_student.days.tolist()):
        early[:, column] = too_early(judged.timeline.on(day), judged.facts.enrolled[:, column])
    return early


def status_columns(judged: Judged) -> Mapping[str, Any]:
    """The student_status rows of everybody in the judged year, as columns."""
    facts, standing, last, year = judged.facts, judged.standing, judged.last, judged.year
    seen = judged.replay.active
    open_rules = {rule.key for rule in judged.policy.rules if not rule.restricted}
    here = [sorted(r for r in open_rules & seen.keys() if seen[r][row, last]) for row in range(len(judged.students))]
    return {
        "student_id": judged.students,
        "school_id": year.school,
        "grade": year.grade,
        "enrolled_now": year.enrolled_now,
        "data_through": [year.frame.data_through(school) for school in year.school.tolist()],
        "enrolled": facts.enrolled[:, last],
        "absent": facts.absent[:, last],
        "excused": facts.excused[:, last],
        "unexcused": facts.unexcused[:, last],
        "federal_absent": facts.federal_absent[:, last],
        "tardies": facts.tardies[:, last],
        "missing_days": facts.missing_days[:, last],
        "unknown_days": facts.unknown_days[:, last],
        "streak_now": facts.streak[:, last],
        "absent_last_20": facts.absent_last_20[:, last],
        "enrolled_last_20": facts.enrolled_last_20[:, last],
        "rate_tier": standing.rate_tier,
        "too_early": standing.too_early,
        "tier": standing.tier,
        "tier_min": standing.tier_min,
        "tier_max": standing.tier_max,
        "tier_since": _tier_since(judged),
        "rules": here,
        "policy_version": [judged.policy.version] * len(judged.students),
    }


def _tier_since(judged: Judged) -> list[date | None]:
    """The day of each student's last tier change; None while they have stood in Tier 1 all year."""
    days = judged.year.by_student.days.tolist()
    since: list[date | None] = [None] * len(judged.students)
    for change in judged.replay.changes:
        since[change.row] = days[change.col] if change.after > Tier.ONE else None
    return since
