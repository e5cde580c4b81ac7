"""What a judged school year means as rows: standings, findings and tier changes that a change can have moved.

Only rows that begin on or after a student's first changed day, or ended the day before it or later, can differ
from what is stored; the rest is left alone. Sentences are made for those rows only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.judging import Judged
from rules.policy import PolicyInForce
from rules.replay import EXIT, Change
from rules.sentences import exit_sentence, numbers, sentence
from rules.tiers import Tier, too_early

Cols = NDArray[np.intp]
Runs = tuple[Cols, Cols, Cols]  # row, first column, end column of every run
Key = tuple[int, date]


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

    def ending_standings(self) -> list[Key]:
        """(student, since) of standings that began before the first changed day and do not last."""
        return [self._key(span) for span in self._moved(self._standing_runs) if not self.may_differ(span)]

    def standings(self, stored: Collection[Key]) -> dict[Key, tuple[Any, ...]]:
        """(student, since) -> (until, school, grade, tier, too_early)."""
        year = self.judged.year
        rows = {}
        for span in self._changeable(self._standing_runs, stored):
            stint = int(year.stint_at[span.row, span.since])
            rows[self._key(span)] = (
                self.days[span.until - 1] if span.until < len(self.days) else None,
                int(year.stint_school[stint]),
                year.stint_grade[stint],
                int(self.judged.replay.tier[span.row, span.since]),
                bool(self._early[span.row, span.since]),
            )
        return rows

    def ending_findings(self) -> list[Key]:
        """(student, since) of findings that began before the first changed day and do not last."""
        runs = self._finding_runs.values()
        return [self._key(span) for found in runs for span in self._moved(found) if not self.may_differ(span)]

    def findings(self, stored: Collection[tuple[int, str, date]]) -> Iterator[tuple[tuple[int, str, date], Span]]:
        """((student, rule, since), span) of every finding; a span's `until` is the day it was cleared."""
        for rule, runs in self._finding_runs.items():
            kept = {(student, start) for student, key, start in stored if key == rule}
            for span in self._changeable(runs, kept):
                student, start = self._key(span)
                yield (student, rule, start), span

    @cached_property
    def _early(self) -> NDArray[np.bool_]:
        """[S, D] whether a day had too few enrolled days before it to judge a rate."""
        judged = self.judged
        early = np.zeros(judged.replay.tier.shape, dtype=bool)
        for column, day in enumerate(self.days):
            early[:, column] = too_early(judged.timeline.on(day), judged.facts.enrolled[:, column])
        return early

    @cached_property
    def _standing_runs(self) -> Runs:
        year = self.judged.year
        key = (year.stint_at.astype(np.int64) * 8 + self.judged.replay.tier + 1) * 2 + self._early
        key[year.stint_at < 0] = -1
        key[:, : self._first] = -1
        return _runs(key)

    @cached_property
    def _finding_runs(self) -> dict[str, Runs]:
        return {rule: _runs(np.where(active, 0, -1)) for rule, active in self.judged.replay.active.items()}

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
        found = numbers(asked, judged.deciding, judged.inputs, span.row, span.since)
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
            words = exit_sentence(policy, change.before, judged.deciding, change.row, change.col)
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
        found = numbers(asked, self.judged.deciding, self.judged.inputs, change.row, change.col)
        return sentence(asked, found)

    def _key(self, span: Span) -> tuple[int, date]:
        return int(self.judged.students[span.row]), self.days[span.since]

    def _moved(self, runs: Runs) -> Iterator[Span]:
        """Runs that begin on or after the first changed day, or end no earlier than the day before it."""
        row, since, until = runs
        moved = (since >= self._from[row]) | ((until < len(self.days)) & (until >= self._from[row]))
        yield from map(Span, row[moved].tolist(), since[moved].tolist(), until[moved].tolist())

    def _changeable(self, runs: Runs, stored: Collection[Key]) -> Iterator[Span]:
        """The moved runs, and those whose stored form may have ended otherwise."""
        seen = set()
        for span in self._moved(runs):
            seen.add(self._key(span))
            yield span
        row, since, until = runs
        rest = np.isin(
            self.judged.students[row], [student for student, start in stored if (student, start) not in seen]
        )
        for span in map(Span, row[rest].tolist(), since[rest].tolist(), until[rest].tolist()):
            if (key := self._key(span)) in stored and key not in seen:
                yield span


def _runs(key: NDArray[np.integer]) -> Runs:
    """Row, first column and end column of every run of one value that is not -1."""
    edge = np.full((len(key), 1), -1, dtype=key.dtype)
    new = np.diff(key, axis=1, prepend=edge, append=edge) != 0
    row, start = np.nonzero(new[:, :-1] & (key >= 0))
    ends_row, end = np.nonzero(new[:, 1:] & (key >= 0))
    assert np.array_equal(row, ends_row)
    return row, start, end + 1


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
