"""Rows of hand-overs: begun, moved on with a step that says who and why, told in the timeline of the case."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ew_app.kernel import Actor, Conflict, Refused, Told, now, record_all, today
from ew_app.services.casework import hand_over_news
from models.base import db
from models.cases import Case, Task
from models.hand_overs import HandOver, HandOverStep
from rules.handing_over import MOVES_THE_OWNER, Answer, Kind, State, after
from rules.words import check_words

LONGEST = 280
LONGEST_STORY = 2000
HELP = "help"  # the kind of a task that somebody promised
ENDED = (State.DECLINED, State.DONE, State.TAKEN_BACK)
CLOSED = "The case was closed."
GIVEN = "The case was given to somebody."
TWICE = "Somebody asked the same a moment ago. Load the page and look at what waits."


def begin(case: Case, kind: Kind, by: Actor, *, state: State = State.SENT, **columns: Any) -> HandOver:
    """A new hand-over with its first step, in the open transaction. Raises Conflict where one of its kind waits."""
    row = HandOver(
        **({"school_id": case.school_id, "from_id": by.person_id, "from_role": case.owner_role} | columns),
        kind=kind.value, state=state.value, case_id=case.id, student_id=case.student_id, asked_on=today(),
        created_at=now(),
    )  # fmt: skip
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Conflict(TWICE) from error
    _step(row, by, "")
    tell(row, case, by)
    hand_over_news.asked(row, by)
    return row


def begin_all(cases: Sequence[Case], by: Actor, *, to_id: int, to_roles: Mapping[int, str]) -> dict[int, int]:
    """Cases given to one person, who may say no to each: case -> its hand-over. `to_roles`: case -> their role there.

    A constant number of statements, unless somebody else was given one of them and has not answered.
    """
    given = HandOver.kind == Kind.ASSIGN, HandOver.state == State.SENT
    waiting = select(HandOver).where(HandOver.case_id.in_([case.id for case in cases]), *given).with_for_update()
    by_id = {case.id: case for case in cases}
    for row in db.session.scalars(waiting).all():
        move(row, by_id[row.case_id], Answer.TAKE_BACK, by, GIVEN)
    rows = [
        HandOver(
            kind=Kind.ASSIGN.value, state=State.SENT.value, case_id=case.id, student_id=case.student_id,
            school_id=case.school_id, from_id=by.person_id, from_role=case.owner_role, to_id=to_id,
            to_role=to_roles[case.id], due=case.due, asked_on=today(), created_at=now(),
        )
        for case in cases
    ]  # fmt: skip
    db.session.add_all(rows)
    db.session.flush()
    for row in rows:
        _step(row, by, "")
    record_all([_told(row, by_id[row.case_id], by) for row in rows])
    return {row.case_id: row.id for row in rows}


def waiting_elsewhere(cases: Collection[int]) -> set[int]:
    """Those of these cases that somebody was asked to take over, or asked for, without an answer yet."""
    asked = HandOver.kind.in_((Kind.TRANSFER, Kind.REQUEST, Kind.SCHOOL_CHANGE))
    wanted = select(HandOver.case_id).where(HandOver.case_id.in_(cases), asked)
    return set(db.session.scalars(wanted.where(HandOver.state.in_((State.SENT, State.TO_WRITE)))))


def move(row: HandOver, case: Case, answer: Answer, by: Actor, words: str = "", *, news: bool = True) -> None:
    """The next state with its step and event; with `news` the other side is told. IllegalMove, Refused, UnfitWords."""
    kind, was = Kind(row.kind), State(row.state)
    row.state = after(kind, was, answer).value
    if answer in (Answer.ACCEPT, Answer.DECLINE):
        row.answered_at = now()
    if row.state in ENDED or (row.state == State.ACCEPTED and kind in MOVES_THE_OWNER):
        row.ended_at = now()
    _step(row, by, fit(words))
    tell(row, case, by)
    if news:
        hand_over_news.answered(row, answer, by, was=was)


def settle(case: Case, by: Actor) -> None:
    """The case has been given to somebody: what was asked about who owns it is answered by that."""
    waiting = select(HandOver).where(
        HandOver.case_id == case.id, HandOver.kind.in_((Kind.ASSIGN, Kind.TRANSFER, Kind.REQUEST)),
        HandOver.state == State.SENT,
    )  # fmt: skip
    for row in db.session.scalars(waiting.order_by(HandOver.id).with_for_update()).all():
        move(row, case, Answer.TAKE_BACK, by, GIVEN)


def end_helps(case: Case, by: Actor) -> None:
    """The case was closed: help that was promised is not needed any more, and whoever promised it hears so."""
    helps = HandOver.case_id == case.id, HandOver.kind == Kind.REFER, HandOver.state == State.ACCEPTED
    for row in db.session.scalars(select(HandOver).where(*helps).order_by(HandOver.id).with_for_update()).all():
        move(row, case, Answer.TAKE_BACK, by, CLOSED)


def fit(words: str, longest: int = LONGEST) -> str:
    """Words that may stand in a hand-over. Raises Refused, UnfitWords."""
    if len(words) > longest:
        raise Refused(f"Please keep this under {longest} characters.")
    check_words(words)
    return words.strip()


def tell(row: HandOver, case: Case, by: Actor) -> None:
    """What stands in the timeline: kind and state, and in which role somebody is asked; never the words."""
    record_all([_told(row, case, by)])


def _told(row: HandOver, case: Case, by: Actor) -> Told:
    data = {"hand_over": row.kind, "role": row.to_role}
    return Told(f"hand_over_{row.state}", by, f"hand_over:{row.id}", case.student_id, case.id, data=data)


def follow_task(task: Task, by: Actor) -> None:
    """A help that was promised is done when its task is, and open again when that is taken back."""
    if task.kind != HELP or task.case_id is None:
        return
    row: HandOver | None = db.session.scalar(select(HandOver).where(HandOver.task_id == task.id).with_for_update())
    if row is None:
        return
    case = db.session.get_one(Case, task.case_id)
    if task.status == "done" and row.state == State.ACCEPTED:
        move(row, case, Answer.FINISH, by, task.note[:LONGEST])
    elif task.status == "open" and row.state == State.DONE:
        row.state, row.ended_at = State.ACCEPTED.value, None
        _step(row, by, "Not done after all.")
        tell(row, case, by)


def _step(row: HandOver, by: Actor, words: str) -> None:
    db.session.add(
        HandOverStep(
            hand_over_id=row.id, state=row.state, words=words, author_id=by.person_id, author=by.name,
            position=by.position, written_at=now(),
        )
    )  # fmt: skip
