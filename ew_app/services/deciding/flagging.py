"""Measure and decide for whoever's rows changed, and store only what became different.

Chunks of packed blocks, each one transaction: what is known of their students is unpacked; who was touched only
after that is judged on from there, everybody else from the rows of the whole year. Running it twice changes nothing;
running it for everybody gives the same rows as following every change (a test holds this identity).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from ew_app.kernel import WORKER, clock, operation, record
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import cases, catching_up
from ew_app.services.deciding import counting
from ew_app.services.deciding.decisions import Decisions
from ew_app.services.deciding.keeping import known_from
from ew_app.services.deciding.showing import Shown, ever_concerned, tier_since
from ew_app.services.deciding.storing import Moved, store_again, store_onward
from ew_app.services.measuring import blocks
from ew_app.services.measuring.blocks import Known
from ew_app.services.measuring.calendars import pair
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.judging import Judged, judge, judge_on
from ew_app.services.measuring.touched import touch_everyone
from models import decided, touched
from models.base import db
from models.bulk import ints
from models.queries import year_blocks
from models.touched import Taken
from rules.matrix import Days
from rules.tiers import Tier

CHUNK = 20_000
ANEW = 2_500  # students judged at once from the rows of the whole year: every fact of every day lies in memory
WHOLE_YEAR = 180  # ... and so many days; of fewer days more students
HELPERS = 3
SLICE = timedelta(seconds=45)  # no chunk is begun after so long
FOREVER = datetime.max.replace(tzinfo=UTC)
LOCK = touched.TURN_LOCK
CASES_LOCK = 7309
ENTER = {1: "enter_watch", 2: "enter_2", 3: "enter_3"}
LEAVE = {2: "leave_2", 3: "leave_3"}
NO_EFFECT = {"enter_watch": 0, "enter_2": 0, "enter_3": 0, "leave_2": 0, "leave_3": 0, "cases_opened": 0}


def evaluate(batch_id: int | None = None, beside: bool = False) -> None:
    """The queued job: decide for everybody who is marked; `beside` another process, which has placed who is new.

    A slice of it: what is left then is asked for again, so that no piece of work outlasts its limit.
    """
    if not evaluate_until(clock() + SLICE, batch_id, beside=beside):
        _go_on_later(batch_id)


def evaluate_until(until: datetime, batch_id: int | None, *, beside: bool = False) -> bool:
    """Decide for everybody who is marked, chunk by chunk; False where a chunk has ended after `until`: then somebody
    may be left."""
    if not beside:
        place()
        _ask_for_help(batch_id)
    while one_chunk(batch_id) is not None:
        if clock() >= until:
            return False
    return True


@operation
def _go_on_later(batch_id: int | None) -> None:
    enqueue(Job.EVALUATE, batch_id, True, key=f"go on {batch_id}")


def evaluate_all(*_: object) -> None:
    """Decide for the whole district again, from the first day of its school year, and count everybody."""
    mark_everyone()
    evaluate_touched()
    counting.count_everything()


def evaluate_touched(batch_id: int | None = None, *, beside: bool = False) -> dict[str, int]:
    """Decide for everybody who is marked, chunk by chunk; the effect is added to the batch that asked.

    Any number of processes may do this at once: each takes blocks that nobody else has. The first asks for others
    when there is enough to do, and returns when nobody is marked any more, whoever decided.
    """
    effect = Counter(NO_EFFECT)
    if not beside:
        place()
        _ask_for_help(batch_id)
    while (done := one_chunk(batch_id)) is not None:
        effect.update({name: done[name] for name in NO_EFFECT})
    return dict(effect)


@operation
def _ask_for_help(batch_id: int | None) -> None:
    for number in range(min(HELPERS, touched.waiting_students() // CHUNK - 1)):
        enqueue(Job.EVALUATE, batch_id, True, key=f"beside {batch_id} {number}")


@operation
def mark_everyone() -> None:
    """Mark every student of the district for evaluation."""
    touch_everyone(frame().start)


@operation
def place() -> None:
    """Find a block for whoever is new; who was never enrolled is not evaluated."""
    touched.place_students(frame().start)
    touched.forget_unplaced()


def take_turn() -> None:
    """Wait until nobody else decides, and let nobody else until the open transaction ends.

    Others decide side by side, each for blocks of their own.
    Whoever marks students and decides in one transaction takes it before marking: else they would hold rows that
    another decision waits for, while waiting for it themselves.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


@operation
def one_chunk(batch_id: int | None, *, compare: bool = False) -> dict[str, int] | None:
    """Decide for the marked students of some blocks; None when nobody is marked.

    Returns the effect and how many `students`; to `compare` counts those who stood `different`, in whatever is shown
    of them, from what the rows say.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": LOCK})
    chosen = touched.claim(CHUNK)
    if not chosen:
        return None
    marked = touched.take(chosen)
    chunk = _Chunk(chosen, marked, frame())
    before = decided.shown(chunk.students) if compare else {}
    effect = chunk.store()
    if batch_id is not None:
        decided.add_effect(batch_id, effect)
    done = {"students": len(chunk.students), **effect}
    record("evaluated", by=WORKER, subject="district", data=done)
    if compare:
        after = decided.shown(chunk.students)
        other = {student for student in before.keys() | after.keys() if before.get(student) != after.get(student)}
        done["different"] = len(chunk.moved | other)
    return done


class _Chunk:
    """The marked students of some blocks on their way through one evaluation."""

    def __init__(self, chosen: Sequence[int], marked: Taken, at: Frame) -> None:
        self.at, self.chosen = at, chosen
        known = blocks.read(chosen, at.start)
        self.students, self.since = _students(marked, known, np.datetime64(at.start))
        self.known = known.with_background_of(marked.named, at)
        self.effect = Counter(NO_EFFECT)
        self.moved: set[int] = set()  # students about whom anything was decided anew
        self.counted: dict[int, date] = {}  # school -> first day whose counts moved
        earliest_last = np.argsort(marked.since)[::-1]
        schools, days = marked.school[earliest_last].tolist(), marked.since[earliest_last].tolist()
        self.marked: dict[int, date] = dict(zip(schools, days, strict=True))

    def store(self) -> dict[str, int]:
        """Write every difference and say what moved."""
        ready = self.students[self.known.ready_for(self.students, self.since)]
        done = [self._on(judged, known) for known, judged in self._judged_from(self.known, ready)]
        left = self._without(self.students, done)
        if len(left):
            done += [self._again(judged, known) for known, judged in self._judged_from(*self._earlier(left))]
            left = self._without(left, done)
        anew = [self._anew(left[first : first + ANEW]) for first in range(0, len(left), ANEW)]
        kept = self.known.without(self.students)
        blocks.write(blocks.joined([kept, *done, *filter(None, anew)]), self.chosen, self.at.start)
        counting.count(self.marked, self.counted, self.at)
        return {**self.effect, "cases_opened": self._follow_up()}

    def _follow_up(self) -> int:
        """Bring the cases in step, one chunk after the other: who gets a case depends on what each already has."""
        concerned = self.moved | cases.waiting(self.students)
        if not concerned:
            return 0
        db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CASES_LOCK})
        return catching_up.follow(sorted(concerned))

    def _judged_from(self, known: Known, students: NDArray[np.int64]) -> Iterator[tuple[Known, Judged]]:
        """Students judged on from what is known of them; by the day it is known up to."""
        ready = known.rows_of(students)
        for until in np.unique(known.until[ready]):
            rows = ready[known.until[ready] == until]
            at_once = max(ANEW, ANEW * WHOLE_YEAR // max(self.at.weekdays_after(until), 1))
            for first in range(0, len(rows), at_once):
                group = known.of(rows[first : first + at_once])
                judged = judge_on(group, self.at)
                if judged is not None:
                    yield group, judged

    def _earlier(self, students: NDArray[np.int64]) -> tuple[Known, NDArray[np.int64]]:
        """What was known of whom before the first day of theirs that changed."""
        since = self.since[np.searchsorted(self.students, students)]
        year_blocks.outdate(students, since, self.at.start)
        known = blocks.read_earlier(self.known, students, since, self.at.start)
        return known, known.students

    @staticmethod
    def _without(students: NDArray[np.int64], done: Sequence[Known]) -> NDArray[np.int64]:
        return np.setdiff1d(students, np.concatenate([students[:0], *(part.students for part in done)]))

    def _on(self, judged: Judged, known: Known) -> Known:
        """Store what came of the later days."""
        moved = store_onward(Decisions(judged, self._since(judged)))
        self._follow(moved, known.state.tier, judged.standing.tier)
        shown = Shown(known.concerned | ever_concerned(judged), tier_since(judged, known.tier_since), judged)
        write = shown.loud | known.kept | np.isin(judged.students, ints(moved.students))
        rows = np.flatnonzero(write)
        decided.replace_status(judged.students[rows], shown.columns(rows))
        return known_from(shown, known.block)

    def _anew(self, students: NDArray[np.int64]) -> Known | None:
        """Store what the rows of the whole year say; None when no day is known of any of these students."""
        judged = judge(students, self.at)
        worked = self._compare(judged, students)
        if judged is None:
            decided.replace_status(students, {})
            return None
        never = np.full(len(judged.students), decided.NEVER)
        return self._replaced(judged, students, np.isin(judged.students, worked), never)

    def _again(self, judged: Judged, known: Known) -> Known:
        """Store what came of the days after an earlier one, of which other things had been said."""
        worked = self._compare(judged, known.students)
        concerned = known.concerned | np.isin(known.students, worked)
        return self._replaced(judged, known.students, concerned, known.tier_since)

    def _compare(self, judged: Judged | None, students: NDArray[np.int64]) -> NDArray[np.int64]:
        """Store what is said differently now of these students; returns of whom there ever was a case or a task."""
        stood, rows = decided.stood(students), None
        tiers = np.full((2, len(students)), Tier.NONE, dtype=np.int64)
        tiers[0, np.searchsorted(students, stood["student"])] = stood["tier"]
        if judged is not None:
            rows = Decisions(judged, self._since(judged))
            tiers[1, np.searchsorted(students, judged.students)] = judged.standing.tier
        self._follow(store_again(rows, students, self.at.start), *tiers)
        worked: NDArray[np.int64] = stood["student"][stood["worked"] == 1]
        return worked

    @staticmethod
    def _replaced(
        judged: Judged, students: NDArray[np.int64], concerned: NDArray[np.bool_], since: NDArray[np.int64]
    ) -> Known:
        """Store the status of these students; whom anything concerned, and since when a tier stood, before."""
        shown = Shown(concerned | ever_concerned(judged), tier_since(judged, since), judged)
        decided.replace_status(students, shown.columns(np.arange(len(judged.students))))
        return known_from(shown, year_blocks.blocks_of(judged.students))

    def _follow(self, moved: Moved, before: NDArray[Any], after: NDArray[Any]) -> None:
        """Remember what moved, and how many students entered and left each tier."""
        for name, tiers, others in ((ENTER, after, before), (LEAVE, before, after)):
            for tier, said in name.items():
                self.effect[said] += int(((tiers == tier) & (others != tier)).sum())
        self.moved |= moved.students
        for school, day in moved.schools.items():
            self.counted[school] = min(self.counted.get(school, day), day)

    def _since(self, judged: Judged) -> Days:
        """The first changed day of each judged student."""
        return self.since[np.searchsorted(self.students, judged.students)]


def _students(marked: Taken, known: Known, earliest: np.datetime64) -> tuple[NDArray[np.int64], Days]:
    """Everyone who is marked, ascending, each with the first changed day, none before `earliest`.

    Of a school that is marked as a whole: whom the packed enrolments name, and of those about whom nothing is packed
    yet (a new block, an enrolment that had not begun) whom the rows name.
    """
    enrolled, of_school = known.background.enrolments, pair(marked.block, marked.school)
    at = pair(known.block[known.rows_of(enrolled.student)], enrolled.school)
    order = np.argsort(of_school)
    place = np.searchsorted(of_school[order], at)
    here = np.isin(at, of_school)
    strangers = np.setdiff1d(touched.members(np.unique(marked.block)), known.students)
    parts = [
        (marked.named, marked.named_since),
        (enrolled.student[here], marked.since[order][place[here]]),
        touched.enrolled_among(strangers, marked),
    ]
    student, since = (np.concatenate(column) for column in zip(*parts, strict=True))
    first = np.lexsort((since, student))
    students, nth = np.unique(student[first], return_index=True)
    return students, np.maximum(since[first][nth], earliest)
