"""Measure and decide for whoever's rows changed, and store only what became different.

Chunks of packed blocks, each one transaction: what is known of their students is unpacked; who was touched only
after that is judged on from there, everybody else from the rows of the whole year. Running it twice changes nothing;
running it for everybody gives the same rows as following every change (a test holds this identity).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from ew_app.kernel import WORKER, operation, record
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import cases
from ew_app.services.deciding.decisions import Decisions
from ew_app.services.deciding.showing import Shown, ever_concerned, tier_since
from ew_app.services.deciding.storing import Moved, store_anew, store_onward
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
from rules.cells import UNMAPPED, status
from rules.matrix import Days
from rules.tiers import Tier

CHUNK = 20_000
HELPERS = 3
LOCK = touched.TURN_LOCK
COUNT_LOCK = 7308
CASES_LOCK = 7309
NEVER = date.max  # no touch is later: such students are always judged anew
ENTER = {1: "enter_watch", 2: "enter_2", 3: "enter_3"}
LEAVE = {2: "leave_2", 3: "leave_3"}
NO_EFFECT = {"enter_watch": 0, "enter_2": 0, "enter_3": 0, "leave_2": 0, "leave_3": 0, "cases_opened": 0}


def evaluate(batch_id: int | None = None, beside: bool = False) -> None:
    """The queued job: decide for everybody who is marked; `beside` another process that does the same."""
    evaluate_touched(batch_id, beside=beside)


def evaluate_all(*_: object) -> None:
    """Decide for the whole district again, from the first day of its school year."""
    mark_everyone()
    evaluate_touched()


def evaluate_touched(batch_id: int | None = None, *, beside: bool = False) -> dict[str, int]:
    """Decide for everybody who is marked, chunk by chunk; the effect is added to the batch that asked.

    Any number of processes may do this at once: each takes blocks that nobody else has. The first asks for others
    when there is enough to do, and returns when nobody is marked any more, whoever decided.
    """
    effect = Counter(NO_EFFECT)
    _place()
    if not beside:
        _ask_for_help(batch_id)
    while (done := _one_chunk(batch_id)) is not None:
        effect.update(done)
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
def _place() -> None:
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
def _one_chunk(batch_id: int | None) -> dict[str, int] | None:
    """Decide for the marked students of some blocks; None when nobody is marked."""
    db.session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": LOCK})
    chosen = touched.claim(CHUNK)
    if not chosen:
        return None
    marked = touched.take(chosen)
    chunk = _Chunk(chosen, marked, frame())
    effect = chunk.store()
    if batch_id is not None:
        decided.add_effect(batch_id, effect)
    record("evaluated", by=WORKER, subject="district", data={"students": len(chunk.students), **effect})
    return effect


class _Chunk:
    """The marked students of some blocks on their way through one evaluation."""

    def __init__(self, chosen: Sequence[int], marked: Taken, at: Frame) -> None:
        self.at, self.chosen = at, chosen
        known = blocks.read(chosen, at.start)
        self.schools = set(marked.school.tolist())
        self.students, self.since = _students(marked, known, np.datetime64(at.start))
        self.known = known.with_background_of(marked.named, at)
        self.effect = Counter(NO_EFFECT)
        self.moved: set[int] = set()  # students about whom anything was decided anew
        self.counted: dict[int, date] = {}  # school -> first day whose counts moved

    def store(self) -> dict[str, int]:
        """Write every difference and say what moved."""
        done = [self._on(judged, known) for known, judged in self._judged_on()]
        judged_on = np.concatenate([part.students for part in done]) if done else self.known.students[:0]
        left = np.setdiff1d(self.students, judged_on)
        kept = self.known.without(np.concatenate([judged_on, left]))
        anew = self._anew(left) if len(left) else None
        blocks.write(blocks.joined([kept, *done, *([anew] if anew else [])]), self.chosen, self.at.start)
        self._count()
        return {**self.effect, "cases_opened": self._follow_up()}

    def _follow_up(self) -> int:
        """Bring the cases in step, one chunk after the other: who gets a case depends on what each already has."""
        concerned = self.moved | cases.waiting(self.students)
        if not concerned:
            return 0
        db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CASES_LOCK})
        return cases.follow(sorted(concerned), by=WORKER)

    def _judged_on(self) -> Iterator[tuple[Known, Judged]]:
        """Who was touched only after what is known of them, judged on from there; by the day it is known up to."""
        ready = self.known.rows_of(self.students[self.known.ready_for(self.students, self.since)])
        for until in np.unique(self.known.until[ready]):
            known = self.known.of(ready[self.known.until[ready] == until])
            judged = judge_on(known, self.at)
            if judged is not None:
                yield known, judged

    def _on(self, judged: Judged, known: Known) -> Known:
        """Store what came of the later days."""
        moved = store_onward(Decisions(judged, self._since(judged)))
        self._follow(moved, known.state.tier, judged.standing.tier)
        shown = Shown(known.concerned | ever_concerned(judged), tier_since(judged, known.tier_since), judged)
        write = shown.loud | known.kept | np.isin(judged.students, ints(moved.students))
        rows = np.flatnonzero(write)
        decided.replace_status(judged.students[rows], shown.columns(rows))
        return _known(shown, known.block)

    def _anew(self, students: NDArray[np.int64]) -> Known | None:
        """Store what the rows of the whole year say; None when no day is known of any of these students."""
        judged, stood = judge(students, self.at), decided.stood(students)
        tiers = np.full((2, len(students)), Tier.NONE, dtype=np.int64)
        tiers[0, np.searchsorted(students, stood["student"])] = stood["tier"]
        if judged is None:
            self._follow(store_anew(None, students, self.at.start), *tiers)
            decided.replace_status(students, {})
            return None
        tiers[1, np.searchsorted(students, judged.students)] = judged.standing.tier
        self._follow(store_anew(Decisions(judged, self._since(judged)), students, self.at.start), *tiers)
        worked = np.isin(judged.students, stood["student"][stood["worked"] == 1])
        never = np.full(len(judged.students), decided.NEVER)
        shown = Shown(worked | ever_concerned(judged), tier_since(judged, never), judged)
        decided.replace_status(students, shown.columns(np.arange(len(judged.students))))
        return _known(shown, year_blocks.blocks_of(judged.students))

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

    def _count(self) -> None:
        """Count the tiers of the schools that were marked or moved, each school by one process at a time.

        Who comes later sees what the earlier one stored, and counts again where that school moved once more.
        """
        lock = text("SELECT count(pg_advisory_xact_lock(:space, s)) FROM (SELECT unnest(:schools) AS s ORDER BY 1) o")
        schools = sorted(self.schools | self.counted.keys())
        db.session.execute(lock, {"space": COUNT_LOCK, "schools": ints(schools)})
        decided.drop_counts(self.counted)
        decided.fill_counts({school: self.at.data_through(school) for school in schools}, self.at.start)


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


def _known(shown: Shown, block: NDArray[np.integer]) -> Known:
    """What the next evaluation goes on from.

    Days after a school's last submitted one are read again, because a later day can make them missing; who had
    anything happen on such days (left, or a policy began) is judged anew.
    """
    judged = shown.judged
    matrix, at = judged.matrix, judged.year.frame
    schools = judged.year.school.tolist()
    through = np.array([at.data_through(school) or NEVER for school in schools], dtype="datetime64[D]")
    behind = np.flatnonzero(through < np.datetime64(at.day))
    until = through.copy()
    until[behind[~_quiet_after(judged, behind, through[behind])]] = NEVER
    return Known(
        matrix.students,
        block.astype(np.int64),
        judged.background,
        until,
        judged.facts.carried(),
        judged.replay.state,
        shown.tier_since,
        np.asarray(np.isin(status(matrix.cells), UNMAPPED).any(axis=1)),
        shown.concerned,
        shown.loud,
    )


def _quiet_after(judged: Judged, rows: NDArray[np.intp], day: Days) -> NDArray[np.bool_]:
    """For whom nothing counted, began or ended after their day."""
    later = judged.matrix.days > day[:, None]
    happened = judged.matrix.cells[rows].astype(bool)
    told: list[NDArray[Any]] = [judged.year.stint_at, judged.replay.tier, *judged.replay.active.values()]
    for part in (whole[rows] for whole in told):
        happened[:, 1:] |= part[:, 1:] != part[:, :-1]
    quiet: NDArray[np.bool_] = ~np.any(happened & later, axis=1)
    return quiet
