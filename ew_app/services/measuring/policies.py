"""Which policy holds when: what was put in force, from which day, by whom and why; and the timeline it makes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy import select

from ew_app.config import ConfigError
from ew_app.kernel import OPERATOR, Actor, NotFound, Refused, day_text, now, operation, record, settings, today
from ew_app.services.measuring import policy_texts
from ew_app.services.measuring.policy_texts import check, stored, subject
from ew_app.services.measuring.touched import ask_for_evaluation, touch_everyone
from models.base import db
from models.policies import PolicyChange, PolicyVersion
from models.queries import naming
from models.queries import policies as rows
from rules import access
from rules.access import Permission, Place
from rules.policy import PRESETS, Policy, PolicyError
from rules.timeline import Timeline

__all__ = [
    "FIRST_DAY",
    "activate",
    "check",
    "find",
    "put_in_force",
    "stored",
    "timeline",
    "unknown_schools",
    "withdraw",
]

FIRST_DAY = date(2000, 1, 1)


def timeline() -> Timeline:
    """Every policy put in force so far; a fresh database starts with the one the settings name."""
    kept = rows.in_force()
    if not kept:
        _start()
        return timeline()
    return Timeline({row.starts: policy_texts.thawed(row.content) for row in kept}.items())


def unknown_schools(policy: Policy) -> list[str]:
    """Keys that the policy names and no roster has told of yet."""
    return sorted(set(policy.schools) - set(naming.school_keys().values()))


def find(name: str) -> Path:
    """A shipped preset, a file of EW_POLICY_DIR, or a path."""
    folders = [PRESETS] + ([settings().policy_dir] if settings().policy_dir else [])
    tried = [folder / f"{name}.yaml" for folder in folders if folder] + [Path(name)]
    found = next((path for path in tried if path.is_file()), None)
    if found is None:
        shipped = ", ".join(Policy.presets())
        raise ConfigError(f"There is no policy {name}. Shipped: {shipped}; or give the path of a file.")
    return found


@operation
def activate(path: Path, *, starts: date, by: Actor, reason: str = "") -> Policy:
    """Put the policy of a file in force from a day; every day from then on is decided again by it."""
    policy = check(path)
    policy_texts.keep(policy_texts.frozen_file(path), by=by)
    put_in_force(policy.version, starts=starts, by=by, reason=reason)
    return policy


@operation
def put_in_force(version: str, *, starts: date, by: Actor, reason: str = "", approved_by: str | None = None) -> int:
    """Let a kept version hold from a day on, until a later one takes over; the number of this activation.

    Days that have been decided already are decided again, so a day before today needs its reason; a command is its
    own reason. Where the district asks for two people, whoever activates needs the approval of another.
    """
    access.check(by.grants, Permission.CHANGE_POLICY, Place.district())
    if settings().policy_approval == "two" and approved_by is None:
        raise Refused(
            "A second person has to approve a policy here before it holds. Send it for approval under Policy; "
            "nothing was changed."
        )
    if starts < today() and by.person_id is not None and not reason.strip():
        raise Refused(
            f"{day_text(starts)} is over: days that have been decided would be decided again. Say why, "
            f"or choose today or a later day."
        )
    policy_texts.check_usable(version)
    number = _add(version, starts, by, reason, approved_by)
    if starts <= today() or rows.days_from(starts):
        touch_everyone(starts)
        ask_for_evaluation()
    return number


@operation
def withdraw(activation_id: int, *, by: Actor, reason: str = "") -> None:
    """Take a planned policy back before its day; what held before goes on holding."""
    access.check(by.grants, Permission.CHANGE_POLICY, Place.district())
    row = db.session.scalars(
        select(PolicyVersion).where(PolicyVersion.id == activation_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such plan.")
    if row.withdrawn_at is not None:
        return
    if row.starts <= today():
        raise Refused(
            "This version holds already and has decided. Put an earlier version in force from today instead; "
            "what was decided keeps its version."
        )
    row.withdrawn_at, row.withdrawn_by = now(), by.login
    _open_again(row)
    record("policy_withdrawn", by=by, subject=subject(row.version), reason=reason.strip(), starts=str(row.starts))


def _open_again(row: PolicyVersion) -> None:
    """The change that a withdrawn plan came from can be planned for another day; its approval stands."""
    planned = (PolicyChange.version == row.version, PolicyChange.starts == row.starts)
    for change in db.session.scalars(select(PolicyChange).where(*planned, PolicyChange.state == "activated")):
        change.state = "approved" if row.approved_by else "editing"


@operation
def _start() -> None:
    path = find(settings().policy)
    try:
        policy = policy_texts.keep(policy_texts.frozen_file(path), by=OPERATOR)
    except (PolicyError, UnicodeDecodeError):
        check(path)  # says of the file itself what is wrong
        raise
    _add(policy.version, FIRST_DAY, OPERATOR, "", None)


def _add(version: str, starts: date, by: Actor, reason: str, approved_by: str | None) -> int:
    text = policy_texts.text_row(version)
    row = PolicyVersion(
        version=text.version,
        name=text.name,
        content=text.content,
        starts=starts,
        activated_by=by.login,
        activated_at=now(),
        reason=reason.strip(),
        approved_by=approved_by,
    )
    db.session.add(row)
    record(
        "policy_activated",
        by=by,
        subject=subject(text.version),
        reason=reason.strip(),
        starts=str(starts),
        name=text.name,
    )
    db.session.flush()
    return row.id
