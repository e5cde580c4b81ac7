"""The watch over the record itself: what is far from usual at a school is asked about, with innocent reasons beside it.

Seen by Accountability and, of its own schools, by the network alone. A question keeps the numbers it was asked with and
every answer; nothing here judges a person, and no student is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, record, today
from ew_app.services.measuring import policies
from models.base import db
from models.integrity import IntegrityNote, IntegrityQuestion
from models.org import School
from models.queries import away_panel, boards
from models.queries import integrity as rows
from models.queries.integrity import Asked, Changes, Exits
from rules import access
from rules.access import Area, Permission
from rules.integrity import Compared, Count, Measure, asking, compared
from rules.words import check_words

SEE: Final = Permission.SEE_INTEGRITY
LONGEST: Final = 600
MILLION: Final = 1_000_000
Key = tuple[int, str]  # school, user ('' for the whole school)


@dataclass(frozen=True, slots=True)
class Line:
    """One school, or one user at it, in one measure. asked: the question that waits about it, if any."""

    school: School
    who: str
    x: int
    n: int
    usual: float
    asks: bool
    asked: int | None

    @property
    def share(self) -> float:
        return self.x / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """One measure: what stands out, everything by school, how many say nothing about who entered it."""

    measure: Measure
    out: Sequence[Line]
    schools: Sequence[Line]
    unnamed: int
    of: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Every measure over some school days, and the questions that wait."""

    first: date | None
    last: date | None
    days: int
    measures: Sequence[Told]
    waiting: Sequence[Asked]
    closed: Sequence[Asked]


def watch(by: Actor, days: int) -> Watch:
    """What the record says of the last school days, at the schools within reach. Raises NotAllowed."""
    access.check(by.grants, SEE)
    area, limits = access.scope_of(by.grants, SEE).whole, asking()
    days = days if days in limits.windows else limits.windows[0]
    known = away_panel.days_before(today(), days)
    waiting, closed = rows.questions(area, open_=True), rows.questions(area, open_=False, limit=25)
    if not known:
        return Watch(None, None, days, (), waiting, closed)
    counted = _counted(known[0], known[-1])
    here = {school.id: school for school in boards.schools_in(area)}
    asked = {(one.question.measure, one.question.school_id, one.question.who): one.question.id for one in waiting}
    told = [_told(limits.kinds[key], counts, here, asked) for key, counts in counted.items()]
    return Watch(known[0], known[-1], days, told, waiting, closed)


def _told(
    measure: Measure, counts: Mapping[Key, tuple[int, int]], here: Mapping[int, School],
    asked: Mapping[tuple[str, int, str], int],
) -> Told:  # fmt: skip
    """One measure within reach, beside what is usual in the whole district."""
    schools = compared(_counts(_by_school(counts)))
    users = compared(_counts({key: held for key, held in counts.items() if key[1]})) if measure.by_user else []

    def line(one: Compared[Key]) -> Line:
        school, who = one.place
        waits = asked.get((measure.key, school, who))
        return Line(here[school], who, one.x, one.n, one.usual, one.asks, waits)

    seen = [line(one) for one in schools if one.place[0] in here and one.n]
    out = [one for one in seen if one.asks]
    out += [line(one) for one in users if one.asks and one.place[0] in here]
    mine = {key: held for key, held in counts.items() if key[0] in here}
    return Told(
        measure=measure,
        out=sorted(out, key=lambda one: (one.school.name, one.who)),
        schools=sorted(seen, key=lambda one: one.school.name),
        unnamed=sum(n for (_, who), (_, n) in mine.items() if not who) if measure.by_user else 0,
        of=sum(n for _, n in mine.values()),
    )


def _counted(first: date, last: date) -> dict[str, dict[Key, tuple[int, int]]]:
    """Measure -> (school, user) -> (x, n), of the whole district."""
    limits, no_shows = asking(), policies.timeline().on(today()).no_show_exit_codes
    changes = rows.changes(
        first, last, after_days=limits.after_days, cut_off=limits.cut_off, excuse_days=limits.excuse_days
    )
    left = rows.exits(
        first, last, today(), no_shows, return_days=limits.return_days, run_days=limits.run_days,
        run_least=limits.run_least,
    )  # fmt: skip
    return {
        **{key: _of(changes, key) for key in ("became_present", "after_cut_off", "late_excuse")},
        **{key: _of_exits(left, key) for key in ("leave_and_return", "left_after_absences")},
    }


def _of(changes: Iterable[Changes], key: str) -> dict[Key, tuple[int, int]]:
    return {(one.school, one.who): (getattr(one, key), one.absences) for one in changes}


def _of_exits(left: Iterable[Exits], key: str) -> dict[Key, tuple[int, int]]:
    return {(one.school, ""): (getattr(one, key), one.left) for one in left}


def _by_school(counts: Mapping[Key, tuple[int, int]]) -> dict[Key, tuple[int, int]]:
    schools: dict[Key, tuple[int, int]] = {}
    for (school, _), (x, n) in counts.items():
        before = schools.get((school, ""), (0, 0))
        schools[school, ""] = before[0] + x, before[1] + n
    return schools


def _counts(counts: Mapping[Key, tuple[int, int]]) -> list[Count[Key]]:
    return [Count(key, x, n) for key, (x, n) in sorted(counts.items())]


# -- questions and answers -------------------------------------------------------------------------------------------


@operation
def ask(measure: str, school_key: str, who: str, days: int, words: str, *, by: Actor, once: str | None = None) -> int:
    """Ask about what stands out now; the question, or the one that waits about it already.

    Raises NotAllowed, NotFound, Refused where nothing stands out any more, UnfitWords.
    """
    found = watch(by, days)
    lines = [one for told in found.measures if told.measure.key == measure for one in told.out]
    line = next((one for one in lines if (one.school.key, one.who) == (school_key, who)), None)
    if line is None or found.first is None or found.last is None:
        raise Refused("This does not stand out any more: the numbers have changed. Nothing was asked.")
    if line.asked is not None:
        return line.asked
    question = IntegrityQuestion(
        measure=measure, school_id=line.school.id, who=who, first_day=found.first, last_day=found.last, x=line.x,
        n=line.n, usual=round(line.usual * MILLION), state="asked", asked_on=today(), asked_at=now(),
    )  # fmt: skip
    db.session.add(question)
    db.session.flush()
    _note(question, "asked", _fit(words, needed=False), by=by, once=once)
    record("integrity_asked", by=by, subject=f"integrity:{question.id}", measure=measure)
    return question.id


@operation
def answer(question_id: int, words: str, *, by: Actor, once: str | None = None) -> None:
    """Say what is behind it. Raises NotAllowed, NotFound, Conflict, Refused, UnfitWords."""
    question = _open(question_id, by)
    _note(question, "answered", _fit(words), by=by, once=once)
    question.state = "answered"
    record("integrity_answered", by=by, subject=f"integrity:{question.id}")


@operation
def close(question_id: int, words: str, *, by: Actor, once: str | None = None) -> None:
    """End it, for whoever watches the whole district. Raises as `answer`."""
    question = _open(question_id, by)
    if not may_close(by):
        raise Refused("Only the district's office of Accountability ends a question. Write your answer instead.")
    _note(question, "closed", _fit(words), by=by, once=once)
    question.state = "closed"
    record("integrity_closed", by=by, subject=f"integrity:{question.id}")


def may_close(by: Actor) -> bool:
    """Whether somebody watches the whole district."""
    return access.scope_of(by.grants, SEE).whole.district


def one(question_id: int, by: Actor) -> Asked:
    """One question within reach. Raises NotAllowed, NotFound."""
    access.check(by.grants, SEE)
    area: Area = access.scope_of(by.grants, SEE).whole
    found = rows.question(question_id, area)
    if found is None:
        raise NotFound("There is no such question about your schools.")
    return found


def _open(question_id: int, by: Actor) -> IntegrityQuestion:
    question = one(question_id, by).question
    db.session.refresh(question, with_for_update=True)
    if question.state == "closed":
        raise Conflict("Somebody has ended this question in the meantime. Nothing was changed.")
    return question


def _note(question: IntegrityQuestion, step: str, words: str, *, by: Actor, once: str | None) -> None:
    row = {
        "question_id": question.id, "step": step, "words": words, "once": once, "author_id": by.person_id,
        "author": by.name, "position": by.position, "written_at": now(),
    }  # fmt: skip
    db.session.execute(insert(IntegrityNote).values(row).on_conflict_do_nothing())


def _fit(words: str, *, needed: bool = True) -> str:
    words = words.strip()[:LONGEST]
    check_words(words)
    if needed and len(words) < 3:
        raise Refused("Say in a few words what you found out. Nothing was changed.")
    return words
