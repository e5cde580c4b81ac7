"""Measure and decide for whoever's rows changed, and store only what became different.

Chunks of students, each one transaction: read, judge in memory, compare with what is stored, write the
differences, open cases, count again the school-days that moved. Running it twice changes nothing; running it
for everybody gives the same rows as following every change (a test holds this identity).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import text

from ew_app.kernel import WORKER, now, operation, record
from ew_app.services.casework import cases
from ew_app.services.deciding.decisions import Decisions, status_columns
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.judging import judge
from ew_app.services.measuring.touched import touch_everyone
from models import decided
from models.base import db
from models.decided import Changed

FindingKey = tuple[int, str, date]
CHUNK = 20_000
LOCK = 7303
ENTER = {1: "enter_watch", 2: "enter_2", 3: "enter_3"}
LEAVE = {2: "leave_2", 3: "leave_3"}
NO_EFFECT = {"enter_watch": 0, "enter_2": 0, "enter_3": 0, "leave_2": 0, "leave_3": 0, "cases_opened": 0}


def evaluate(*_: object) -> None:
    """The queued job: decide for everybody who is marked."""
    evaluate_touched()


def evaluate_all(*_: object) -> None:
    """Decide for the whole district again, from the first day of its school year."""
    mark_everyone()
    evaluate_touched()


def evaluate_touched(batch_id: int | None = None) -> dict[str, int]:
    """Decide for everybody who is marked, chunk by chunk; the effect is added to the batch that asked."""
    effect = Counter(NO_EFFECT)
    while (done := _one_chunk(batch_id)) is not None:
        effect.update(done)
    return dict(effect)


@operation
def mark_everyone() -> None:
    """Mark every student of the district for evaluation."""
    touch_everyone(frame().start)


@operation
def _one_chunk(batch_id: int | None) -> dict[str, int] | None:
    """Decide for up to CHUNK marked students; None when nobody is marked."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    touched = decided.take_touched(CHUNK)
    if not len(touched["student"]):
        return None
    effect = _Chunk(touched["student"], touched["since"], frame()).store()
    if batch_id is not None:
        decided.add_effect(batch_id, effect)
    record("evaluated", by=WORKER, subject="district", data={"students": len(touched["student"]), **effect})
    return effect


class _Chunk:
    """Some students on their way through one evaluation."""

    def __init__(self, students: np.ndarray, since: np.ndarray, at: Frame) -> None:
        self.students: list[int] = students.tolist()
        self.at = at
        days = np.maximum(since.astype("datetime64[D]"), np.datetime64(at.start))
        self.changed = Changed(self.students, days.tolist(), at.start)
        self.judged = judge(self.students, at)
        self.rows = None
        self.moved: set[int] = set()  # students about whom anything was decided anew
        if self.judged is not None:
            self.rows = Decisions(self.judged, days[np.searchsorted(students, self.judged.students)])

    def store(self) -> dict[str, int]:
        """Write every difference and say what moved."""
        before = decided.tiers_of(self.students)
        columns = status_columns(self.judged) if self.judged else {}
        decided.replace_status(self.students, columns)
        moved = self._standings()
        self._findings()
        self._changes()
        decided.drop_counts(moved)
        decided.fill_counts(self.at.through, self.at.start)
        effect = _effect(before, columns)
        effect["cases_opened"] = cases.follow(sorted(self.moved | cases.waiting(self.students)), by=WORKER)
        return effect

    def _standings(self) -> dict[int, date]:
        """Replace standings that differ; school -> the first day on which its counts moved."""
        stored = decided.standings(self.changed, self.rows.ending_standings() if self.rows else ())
        new = self.rows.standings(stored.keys()) if self.rows else {}
        gone = [key for key, row in stored.items() if new.get(key) != row]
        come = {key: row for key, row in new.items() if stored.get(key) != row}
        decided.replace_standings(gone, [(*key, *row) for key, row in come.items()])
        self.moved.update(student for student, _ in (*gone, *come))
        moved: dict[int, date] = {}
        for key in {*gone, *come}:
            for school, day in _moved(key[1], stored.get(key), come.get(key)):
                moved[school] = min(moved.get(school, day), day)
        return moved

    def _findings(self) -> None:
        """Withdraw findings that no longer hold as they were said, end those that were cleared, add the new."""
        stored = decided.findings(self.changed, self.rows.ending_findings() if self.rows else ())
        wrong, ended, new = dict(stored), [], []
        for key, until, said in self._found(stored.keys()):
            if key in stored and (said is None or (said["sentence"], said["numbers"]) == stored[key][2:]):
                number, was, *_ = wrong.pop(key)
                if was != until:
                    ended.append((number, until))
                    self.moved.add(key[0])
            elif said is not None:
                new.append(_row(key, ("student_id", "rule", "since"), said, until=until))
        decided.end_findings(ended)
        decided.withdraw("finding", [row[0] for row in wrong.values()], now())
        decided.add("finding", new)
        self.moved.update(key[0] for key in wrong)
        self.moved.update(row["student_id"] for row in new)

    def _found(self, stored: Collection[FindingKey]) -> Iterator[tuple[FindingKey, date | None, dict[str, Any] | None]]:
        """(key, until, what to say), the last only where something new may have to be said."""
        if self.rows is None:
            return
        for key, span in self.rows.findings(stored):
            speaks = key not in stored or self.rows.may_differ(span)
            yield key, self.rows.until(span), self.rows.finding_row(key[1], span) if speaks else None

    def _changes(self) -> None:
        """The same for the steps of the tier."""
        stored = decided.changes(self.changed)
        wrong, new = dict(stored), []
        for key, said in self.rows.steps() if self.rows else ():
            if key in stored and stored[key][1:] == tuple(
                said[name] for name in ("before", "after", "rules", "sentence")
            ):
                del wrong[key]
            else:
                new.append(_row(key, ("student_id", "day"), said))
        decided.withdraw("tier_change", [row[0] for row in wrong.values()], now())
        decided.add("tier_change", new)


def _moved(since: date, old: tuple[Any, ...] | None, new: tuple[Any, ...] | None) -> Iterator[tuple[int, date]]:
    """(school, first day counted differently) when one standing is replaced by another, or comes, or goes."""
    if old and new and old[1:] == new[1:]:
        yield old[1], min(until for until in (old[0], new[0]) if until) + timedelta(days=1)
        return
    for row in filter(None, (old, new)):
        yield row[1], since


def _row(key: Sequence[Any], names: Sequence[str], said: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {**dict(zip(names, key, strict=True)), **said, **more, "recorded_at": now()}


def _effect(before: Mapping[int, int], columns: Mapping[str, Any]) -> dict[str, int]:
    """How many students entered and left each tier."""
    effect = Counter(NO_EFFECT)
    after = dict(zip(columns["student_id"].tolist(), columns["tier"].tolist(), strict=True)) if columns else {}
    for student in before.keys() | after.keys():
        was, is_now = before.get(student, -1), after.get(student, -1)
        if was != is_now:
            effect.update(name for name in (ENTER.get(is_now), LEAVE.get(was)) if name)
    return dict(effect)
