"""Decisions laid over what is stored: compared with it, or added behind it where nothing later was stored yet.

Both withdraw, end and add; neither edits what was said. Each tells about whom anything was decided anew, and from
which day on a school's counts moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ew_app.kernel import now
from ew_app.services.deciding.decisions import Decisions, Span
from ew_app.services.measuring.laying import Ints
from models import decided


class Moved:
    """What a storing moved: students decided anew, and school -> the first day whose counts changed."""

    def __init__(self) -> None:
        self.students: set[int] = set()
        self.schools: dict[int, date] = {}

    def count_again(self, school: int, day: date) -> None:
        """The school's counts are different from this day on."""
        self.schools[school] = min(self.schools.get(school, day), day)


def store_onward(rows: Decisions) -> Moved:
    """Students judged from where the last evaluation ended: end what ended since, add what began."""
    moved = Moved()
    ended = list(rows.ended_standings())
    for school, last in decided.end_standings(ended):
        moved.count_again(school, last + timedelta(days=1))
    begun = dict(rows.standings())
    decided.replace_standings((), [(*key, *row) for key, row in begun.items()])
    for (_, since), row in begun.items():
        moved.count_again(row[1], since)
    cleared = list(rows.ended_findings())
    decided.clear_findings(cleared, now())
    found = [_finding(key, rows, span) for key, span in rows.findings()]
    decided.add("finding", found)
    steps = [_row(key, _STEP, rows.step_row(change)) for key, change in rows.steps()]
    decided.add("tier_change", steps)
    moved.students.update(student for student, _ in (*ended, *begun))
    moved.students.update(student for student, *_ in cleared)
    moved.students.update(row["student_id"] for row in (*found, *steps))
    return moved


def store_again(rows: Decisions | None, students: Ints, year: date) -> Moved:
    """Students judged again, from the first day or from an earlier one on; None when nothing is known of any of them.

    What was over by the day from which they were judged stays as it was said.
    """
    moved = Moved()
    _standings(rows, decided.standings(students, year), moved)
    _findings(rows, decided.findings(students, year), moved)
    _steps(rows, decided.changes(students, year), moved)
    return moved


def _standings(rows: Decisions | None, stored: Mapping[Any, tuple[Any, ...]], moved: Moved) -> None:
    """Replace standings that differ."""
    new = {**dict(_standing_before(rows, stored)), **dict(rows.standings())} if rows else {}
    gone = [key for key, row in stored.items() if new.get(key) != row]
    come = {key: row for key, row in new.items() if stored.get(key) != row}
    decided.replace_standings(gone, [(*key, *row) for key, row in come.items()])
    moved.students.update(student for student, _ in (*gone, *come))
    for key in {*gone, *come}:
        for school, day in _differs(key[1], stored.get(key), come.get(key)):
            moved.count_again(school, day)


def _standing_before(rows: Decisions, stored: Mapping[Any, tuple[Any, ...]]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Those that began by the day from which was judged: what was going on then lasts, or ends as judged now."""
    ended, day = dict(rows.ended_standings()), rows.known_until
    for key, (until, *rest) in stored.items():
        if day and key[1] <= day:
            yield key, (until if until and until < day else ended.get(key[0]), *rest)


def _findings(rows: Decisions | None, stored: Mapping[Any, tuple[Any, ...]], moved: Moved) -> None:
    """Withdraw findings that no longer hold as they were said, end those that were cleared, add the new."""
    wrong, ended, new = dict(stored), [], []
    for key, until, said in _found(rows, stored):
        if key in stored and (said is None or (said["sentence"], said["numbers"]) == stored[key][2:]):
            number, was, *_ = wrong.pop(key)
            if was != until:
                ended.append((number, until))
                moved.students.add(key[0])
        elif said is not None:
            new.append(_row(key, _FINDING, said, **_ended(until)))
    decided.end_findings(ended, now())
    decided.withdraw("finding", [row[0] for row in wrong.values()], now())
    decided.add("finding", new)
    moved.students.update(key[0] for key in wrong)
    moved.students.update(row["student_id"] for row in new)


def _found(
    rows: Decisions | None, stored: Mapping[Any, Any]
) -> Iterator[tuple[tuple[int, str, date], date | None, dict[str, Any] | None]]:
    """(key, until, what to say), the last only where something new may have to be said."""
    if rows is None:
        return
    cleared = {(student, rule): day for student, rule, day in rows.ended_findings()}
    for key, (_, until, *_) in stored.items():
        if rows.known_until and key[2] <= rows.known_until:
            yield key, until if until and until <= rows.known_until else cleared.get(key[:2]), None
    for key, span in rows.findings():
        speaks = key not in stored or rows.may_differ(span)
        yield key, rows.until(span), rows.finding_row(key[1], span) if speaks else None


def _steps(rows: Decisions | None, stored: Mapping[Any, tuple[Any, ...]], moved: Moved) -> None:
    """The same for the steps of the tier; those before the first changed day stay as they were said."""
    wrong, new = dict(stored), []
    for key, said in _stepped(rows, stored):
        if said is None or (key in stored and stored[key][1:] == tuple(said[name] for name in _SAID)):
            del wrong[key]
        else:
            new.append(_row(key, _STEP, said))
    decided.withdraw("tier_change", [row[0] for row in wrong.values()], now())
    decided.add("tier_change", new)
    moved.students.update(student for student, _ in wrong)
    moved.students.update(row["student_id"] for row in new)


def _stepped(
    rows: Decisions | None, stored: Mapping[Any, Any]
) -> Iterator[tuple[tuple[int, date], dict[str, Any] | None]]:
    """(key, what to say), the last only where something new may have to be said."""
    if rows is None:
        return
    yield from ((key, None) for key in stored if rows.known_until and key[1] <= rows.known_until)
    for key, change in rows.steps():
        yield key, rows.step_row(change) if key not in stored or rows.changed(change) else None


_FINDING = ("student_id", "rule", "since")
_STEP = ("student_id", "day")
_SAID = ("before", "after", "rules", "sentence")


def _differs(since: date, old: tuple[Any, ...] | None, new: tuple[Any, ...] | None) -> Iterator[tuple[int, date]]:
    """(school, first day counted differently) when one standing is replaced by another, or comes, or goes."""
    if old and new and old[1:] == new[1:]:
        yield old[1], min(until for until in (old[0], new[0]) if until) + timedelta(days=1)
        return
    for row in filter(None, (old, new)):
        yield row[1], since


def _finding(key: tuple[int, str, date], rows: Decisions, span: Span) -> dict[str, Any]:
    return _row(key, _FINDING, rows.finding_row(key[1], span), **_ended(rows.until(span)))


def _ended(until: date | None) -> dict[str, Any]:
    """The end of a finding that is stored now, and when it was learned."""
    return {"until": until, "until_at": now() if until else None}


def _row(key: Sequence[Any], names: Sequence[str], said: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {**dict(zip(names, key, strict=True)), **said, **more, "recorded_at": now()}
