"""A change of the policy, from the first draft to the day it holds: written, sent, approved, returned, put in force."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import select

from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, record, settings
from ew_app.services.measuring import policies, policy_texts
from ew_app.services.measuring.policy_writing import Wanted, written
from models.base import db
from models.policies import PolicyChange, PolicyWord
from models.queries import policies as rows
from models.queries.imports import names_of
from rules import access
from rules.access import Permission, Place
from rules.policy import PolicyError

LONGEST_NOTE = 1000
MOST_REPEATED = 30  # a few lines of YAML that repeat each other can stand for a billion


class State(StrEnum):
    """Where a change stands."""

    EDITING = "editing"
    SENT = "sent"
    APPROVED = "approved"
    RETURNED = "returned"
    ACTIVATED = "activated"
    DROPPED = "dropped"


OPEN = (State.EDITING, State.SENT, State.APPROVED, State.RETURNED)


# -- writing -------------------------------------------------------------------------------------------------


@operation
def begin(base: str, wanted: Wanted, *, by: Actor) -> int:
    """Start a change of a kept version; its number. NotFit where a value cannot be."""
    _check_editor(by)
    return _add(base, written(base, wanted, by=by), wanted, by)


@operation
def hand_in(text: str, name: str, *, starts: date, note: str = "", by: Actor) -> int:
    """Start a change with a file that somebody wrote; Refused with file, line, key and what is allowed."""
    _check_editor(by)
    if len(text.encode()) > policy_texts.LARGEST:
        raise Refused("This file is far larger than a policy. Nothing was kept.")
    if text.count("*") > MOST_REPEATED:
        raise Refused("This file repeats parts of itself (*) too often to be read safely. Nothing was kept.")
    try:
        policy = policy_texts.keep(policy_texts.frozen_text(text, name), by=by)
    except PolicyError as error:
        raise Refused(f"{error}. Nothing was kept.") from error
    return _add(policy.version, policy.version, Wanted(starts, note), by)


@operation
def save(number: int, wanted: Wanted, *, revision: int, by: Actor) -> None:
    """Write a change anew from what it began with. Conflict where somebody saved since `revision` was read.

    Whatever had been approved is not approved any more: people approve of words, not of a place for them.
    """
    _check_editor(by)
    change = _locked(number, OPEN)
    if change.revision != revision:
        raise Conflict(f"{_name(change.saved_by)} saved this change while you wrote. Nothing was overwritten.")
    change.version = written(change.base, wanted, by=by)
    change.starts, change.note, change.state = wanted.starts, wanted.note.strip()[:LONGEST_NOTE], State.EDITING
    change.revision, change.saved_by, change.saved_at = revision + 1, by.login, now()
    change.authors = list(dict.fromkeys([*change.authors, by.login]))
    _tell("policy_change_saved", change, by)


@operation
def drop(number: int, *, by: Actor) -> None:
    """Let a change go; it can be taken up again."""
    _check_editor(by)
    change = _locked(number, (*OPEN, State.DROPPED))
    if change.state != State.DROPPED:
        change.state = State.DROPPED
        _tell("policy_change_dropped", change, by)


@operation
def take_up(number: int, *, by: Actor) -> None:
    """Go on with a change that was let go."""
    _check_editor(by)
    change = _locked(number, (*OPEN, State.DROPPED))
    if change.state == State.DROPPED:
        change.state = State.EDITING
        _tell("policy_change_taken_up", change, by)


# -- a second person -----------------------------------------------------------------------------------------


@operation
def send(number: int, *, revision: int, by: Actor) -> None:
    """Ask a second person to look at it."""
    _check_editor(by)
    change = _as_read(number, revision, (State.EDITING, State.RETURNED, State.SENT))
    if change.state == State.SENT:
        return
    if not change.note:
        raise Refused("Write down why before you send it: whoever approves it has to know. Nothing was sent.")
    _move(change, State.SENT, change.note, by)


@operation
def approve(number: int, *, revision: int, note: str = "", by: Actor) -> None:
    """Agree to a change, its words and its first day, as the second person."""
    change = _second(number, revision, by)
    _move(change, State.APPROVED, note, by)


@operation
def give_back(number: int, *, revision: int, note: str, by: Actor) -> None:
    """Return a change to its authors, with what should be different."""
    change = _second(number, revision, by)
    if not note.strip():
        raise Refused("Write down what should be different, so that the authors can go on. Nothing was returned.")
    _move(change, State.RETURNED, note, by)


def may_approve(change: PolicyChange, by: Actor) -> bool:
    """Whether this person can be the second one."""
    return by.login not in change.authors and access.can(by.grants, Permission.APPROVE_POLICY)


# -- putting it in force -------------------------------------------------------------------------------------


@operation
def put_in_force(number: int, *, starts: date, revision: int, reason: str = "", by: Actor) -> int:
    """Let a change hold from a day on; the number of the activation. Never earlier than the day that was approved."""
    change = _as_read(number, revision, OPEN)
    word = approval_of(change)
    if settings().policy_approval == "two" and word is not None and starts < word.starts:
        raise Refused(
            f"It was approved from {word.starts} on. For an earlier day save it with that day and send it again; "
            f"nothing was changed."
        )
    given = reason.strip() or change.note
    if not given:
        raise Refused("Say why, so that people can read it later. Nothing was changed.")
    approved_by = word.said_by if word is not None else None
    activation = policies.put_in_force(change.version, starts=starts, by=by, reason=given, approved_by=approved_by)
    change.state, change.starts = State.ACTIVATED, starts
    return activation


def approval_of(change: PolicyChange) -> PolicyWord | None:
    """The approval of what a change says now; None while nobody gave it."""
    if change.state != State.APPROVED:
        return None
    said = (word for word in rows.words_of(change.id) if word.said == State.APPROVED)
    return next((word for word in said if word.version == change.version), None)


# -- in common -----------------------------------------------------------------------------------------------


def _add(base: str, version: str, wanted: Wanted, by: Actor) -> int:
    at = now()
    change = PolicyChange(
        version=version,
        base=policy_texts.text_row(base).version,
        starts=wanted.starts,
        note=wanted.note.strip()[:LONGEST_NOTE],
        state=State.EDITING,
        revision=1,
        authors=[by.login],
        begun_at=at,
        saved_by=by.login,
        saved_at=at,
    )
    db.session.add(change)
    db.session.flush()
    _tell("policy_change_begun", change, by)
    return change.id


def _second(number: int, revision: int, by: Actor) -> PolicyChange:
    access.check(by.grants, Permission.APPROVE_POLICY)
    change = _as_read(number, revision, (State.SENT,))
    if by.login in change.authors:
        raise Refused("You wrote part of this change. Somebody else has to look at it; nothing was changed.")
    return change


def _as_read(number: int, revision: int, states: tuple[State, ...]) -> PolicyChange:
    change = _locked(number, states)
    if change.revision != revision:
        raise Conflict(f"{_name(change.saved_by)} saved this change meanwhile. Look at it again first.")
    return change


def _locked(number: int, states: tuple[State, ...]) -> PolicyChange:
    change = db.session.scalars(
        select(PolicyChange)
        .where(PolicyChange.id == number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if change is None:
        raise NotFound("There is no such change of the policy.")
    if change.state not in states:
        raise Conflict(_ELSEWHERE.get(State(change.state), "This change stands elsewhere now. Look at it again."))
    return change


_ELSEWHERE = {
    State.EDITING: "This change is being written again. It has to be sent once more.",
    State.SENT: "This change waits for the second person already.",
    State.APPROVED: "This change is approved already.",
    State.RETURNED: "This change was returned to its authors already.",
    State.ACTIVATED: "This change was put in force already.",
    State.DROPPED: "This change was let go.",
}


def _move(change: PolicyChange, state: State, note: str, by: Actor) -> None:
    change.state = state
    word = PolicyWord(change_id=change.id, version=change.version, starts=change.starts, said=state)
    word.note, word.said_by, word.said_at = note.strip()[:LONGEST_NOTE], by.login, now()
    db.session.add(word)
    _tell(f"policy_change_{state}", change, by)


def _tell(kind: str, change: PolicyChange, by: Actor) -> None:
    record(kind, by=by, subject=f"policy_change:{change.id}", version=change.version[:12], starts=str(change.starts))


def _check_editor(by: Actor) -> None:
    access.check(by.grants, Permission.CHANGE_POLICY, Place.district())


def _name(login: str) -> str:
    return names_of({login})[login]
