"""What a judged school year means as rows: standings, findings and steps of the tier, each with its sentence.

A run that was going on before the first replayed column is told only by where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.judging import Judged
from ew_app.services.measuring.years import NOWHERE
from rules.policy import PolicyInForce
from rules.replay import EXIT, Change
from rules.sentences import exit_sentence, numbers, sentence
from rules.tiers import Tier, too_early

Cols = NDArray[np.intp]
Runs = tuple[Cols, Cols, Cols]  # row, first column, end column of every run
Key = tuple[int, date]
ONE_DAY = timedelta(days=1)


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
        self.days: list[date] = judged.matrix.days.tolist()
        self._from = np.searchsorted(judged.matrix.days, since)
        self._first = judged.began - 1 if judged.onward else judged.matrix.first

    @property
    def known_until(self) -> date | None:
        """The day after which everything was replayed; None where the whole school year was."""
        return self.days[self._first] if self.judged.onward else None

    def standings(self) -> Iterator[tuple[Key, tuple[Any, ...]]]:
        """((student, since), (until, school, grade, tier, too_early)) of the runs that began on a replayed day."""
        year = self.judged.year
        for span in self._begun(self._standing_runs):
            stint = int(year.stint_at[span.row, span.since])
            yield (
                (int(self.judged.students[span.row]), self._began_on(span.row, span.since)),
                (
                    self._ended_on(span) if span.until < len(self.days) else None,
                    int(year.stint_school[stint]),
                    year.stint_grade[stint],
                    int(self.judged.replay.tier[span.row, span.since]),
                    bool(self._early[span.row, span.since - self._first]),
                ),
            )

    def ended_standings(self) -> Iterator[tuple[int, date]]:
        """(student, last day) of the standings that were going on before the first replayed column and ended."""
        for span in self._ended(self._standing_runs):
            yield int(self.judged.students[span.row]), self._ended_on(span)

    def _began_on(self, row: int, column: int) -> date:
        """The day from which a standing that begins in this column holds, whoever else is judged beside the student.

        The first day on which a student is expected, and the days on which a tier moves, are days of their own school;
        an enrolment may begin and end on any date.
        """
        year = self.judged.year
        stint, before = int(year.stint_at[row, column]), int(year.stint_at[row, column - 1]) if column else NOWHERE
        entry: date = year.stint_entry[stint].astype(date)
        begins = column == self._first or self.judged.replay.tier[row, column - 1] == Tier.NONE
        if begins or stint == before:
            return self.days[column]
        if before == NOWHERE or entry > self.days[column - 1]:
            return entry
        last: date = year.stint_last[before].astype(date)
        return last + ONE_DAY

    def _ended_on(self, span: Span) -> date:
        """The last day of a standing that does not last."""
        year = self.judged.year
        if year.stint_at[span.row, span.until] >= 0:
            return self._began_on(span.row, span.until) - ONE_DAY
        last: date = year.stint_last[year.stint_at[span.row, span.since]].astype(date)
        return last

    def findings(self) -> Iterator[tuple[tuple[int, str, date], Span]]:
        """((student, rule, since), span) of what was found on a replayed day; `until` is the day it was cleared."""
        for rule, runs in self._finding_runs.items():
            for span in self._begun(runs):
                student, start = self._key(span)
                yield (student, rule, start), span

    def ended_findings(self) -> Iterator[tuple[int, str, date]]:
        """(student, rule, day cleared) of findings that were going on before the first replayed column."""
        for rule, runs in self._finding_runs.items():
            for span in self._ended(runs):
                yield int(self.judged.students[span.row]), rule, self.days[span.until]

    @cached_property
    def _early(self) -> NDArray[np.bool_]:
        """[S, days from `_first` on] whether a day had too few enrolled days before it to judge a rate."""
        judged = self.judged
        enrolled, within = judged.facts.enrolled, judged.inputs
        early = [
            too_early(judged.timeline.on(day), enrolled[:, col], within.today(col))
            for col, day in enumerate(self.days[self._first :], start=self._first)
        ]
        return np.array(early, dtype=bool).reshape(-1, len(judged.students)).T

    @cached_property
    def _standing_runs(self) -> Runs:
        at, tier = (part[:, self._first :] for part in (self.judged.year.stint_at, self.judged.replay.tier))
        key = (at.astype(np.int64) * 8 + tier + 1) * 2 + self._early
        expected = (tier != Tier.NONE) | (self.judged.facts.due_days[:, self._first :] > 0)
        return self._runs(np.where((at >= 0) & expected, key, -1))

    @cached_property
    def _finding_runs(self) -> dict[str, Runs]:
        found = self.judged.replay.active.items()
        return {rule: self._runs(active[:, self._first :].astype(np.int8) - 1) for rule, active in found}

    def _runs(self, key: NDArray[np.integer]) -> Runs:
        """The runs of a key [S, days from `_first` on], in columns of the year."""
        row, since, until = _runs(key)
        return row, since + self._first, until + self._first

    def steps(self) -> Iterator[tuple[Key, Change]]:
        """((student, day), change) of every step of the tier on a replayed day."""
        for change in self.judged.replay.changes:
            yield (int(self.judged.students[change.row]), self.days[change.col]), change

    def changed(self, change: Change) -> bool:
        """Whether the step falls on or after the student's first changed day."""
        return bool(change.col >= self._from[change.row])

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

    def step_row(self, change: Change) -> dict[str, Any]:
        """From where to where, by which rules, the sentence and the policy."""
        judged, policy = self.judged, self.judged.timeline.on(self.days[change.col])
        if change.rules == (EXIT,):
            words = exit_sentence(policy, change.before, judged.deciding, judged.inputs, change.row, change.col)
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

    def _begun(self, runs: Runs) -> Iterator[Span]:
        """Runs that began on a replayed column."""
        row, since, until = runs
        begun = since >= self.judged.began
        yield from map(Span, row[begun].tolist(), since[begun].tolist(), until[begun].tolist())

    def _ended(self, runs: Runs) -> Iterator[Span]:
        """Runs that were going on before the first replayed column and do not last."""
        row, since, until = runs
        ended = (since < self.judged.began) & (until < len(self.days))
        yield from map(Span, row[ended].tolist(), since[ended].tolist(), until[ended].tolist())


def _runs(key: NDArray[np.integer]) -> Runs:
    """Row, first column and end column of every run of one value that is not -1."""
    edge = np.full((len(key), 1), -1, dtype=key.dtype)
    new = np.diff(key, axis=1, prepend=edge, append=edge) != 0
    row, start = np.nonzero(new[:, :-1] & (key >= 0))
    ends_row, end = np.nonzero(new[:, 1:] & (key >= 0))
    assert np.array_equal(row, ends_row)
    return row, start, end + 1
