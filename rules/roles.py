"""Roles as data: which actions and which kinds of information belong to a position (policies/roles.yaml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.places import PlaceKind

ROLES_FILE = Path(__file__).parent / "policies" / "roles.yaml"


class FieldClass(StrEnum):
    """The kinds of information about a student; every stored field belongs to exactly one."""

    ROSTER = "roster"
    CASE = "case"
    NOTES = "notes"
    STLS = "stls"
    HEALTH = "health"
    COUNSELING = "counseling"
    IEP_504 = "iep_504"
    PROTECTED = "protected"
    CONTACTS = "contacts"
    RISK = "risk"
    AGG = "agg"

    @property
    def restricted(self) -> bool:
        """Kept in a compartment: its very existence is told to nobody who may not read it."""
        return self in RESTRICTED


RESTRICTED = frozenset(
    {FieldClass.STLS, FieldClass.HEALTH, FieldClass.COUNSELING, FieldClass.IEP_504, FieldClass.PROTECTED}
)


# What the law shields even from a colleague in a hurry: it opens for the person named for it, and never in a crisis.
NEVER_IN_CRISIS = frozenset({FieldClass.PROTECTED})


class Right(StrEnum):
    """What may be seen of one class, weakest first. FLAG is only ever "another support is in place"."""

    NONE = "none"
    AGGREGATE = "aggregate"
    FLAG = "flag"
    PART = "part"
    READ = "read"
    WRITE = "write"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def reaches(self, needed: Right) -> bool:
        return self.rank >= needed.rank


_RANKS = {right: rank for rank, right in enumerate(Right)}


class Permission(StrEnum):
    """One action or page. What each means in words, and which class it is about, stands in roles.yaml."""

    SEE_TODAY = "see_today"
    DO_TASKS = "do_tasks"
    CALL_ABSENT = "call_absent"
    IMPORT_ATTENDANCE = "import_attendance"
    IMPORT_ROSTER = "import_roster"
    ACCEPT_HELD = "accept_held"
    UNDO_SAME_DAY = "undo_same_day"
    UNDO_ANY = "undo_any"
    FIX_DATA = "fix_data"
    SEE_QUALITY = "see_quality"
    MAP_CODES = "map_codes"
    RUN_EVALUATION = "run_evaluation"
    SEE_FLAGGED = "see_flagged"
    SEE_CASELOAD = "see_caseload"
    TAKE_CASELOAD = "take_caseload"
    SEE_CASE = "see_case"
    WORK_CASE = "work_case"
    LOG_OUTREACH = "log_outreach"
    SEE_STUDENT = "see_student"
    OPEN_STLS = "open_stls"
    OPEN_HEALTH = "open_health"
    OPEN_COUNSELING = "open_counseling"
    OPEN_IEP_504 = "open_iep_504"
    OPEN_PROTECTED = "open_protected"
    OPEN_IN_CRISIS = "open_in_crisis"
    ANSWER_OPENINGS = "answer_openings"
    RUN_MEETING = "run_meeting"
    PREPARE_LETTERS = "prepare_letters"
    APPROVE_LETTERS = "approve_letters"
    SET_LADDER = "set_ladder"
    SEE_SCHOOL_BOARD = "see_school_board"
    SEE_NETWORK_BOARD = "see_network_board"
    SEE_DISTRICT_BOARD = "see_district_board"
    SEE_WAITING = "see_waiting"
    RUN_REVIEW = "run_review"
    NUDGE = "nudge"
    SEE_DEPARTMENTS = "see_departments"
    ANSWER_CLUSTERS = "answer_clusters"
    SEE_INTEGRITY = "see_integrity"
    PUBLISH = "publish"
    SET_GOALS = "set_goals"
    SEE_WHAT_WORKS = "see_what_works"
    SEE_RISK = "see_risk"
    EXCLUDE_FROM_RISK = "exclude_from_risk"
    SEE_RISK_MODEL = "see_risk_model"
    AUDIT_RISK = "audit_risk"
    TRAIN_RISK = "train_risk"
    APPROVE_RISK = "approve_risk"
    STOP_RISK = "stop_risk"
    SEE_POLICY = "see_policy"
    TRY_POLICY = "try_policy"
    CHANGE_POLICY = "change_policy"
    APPROVE_POLICY = "approve_policy"
    SEE_PEOPLE = "see_people"
    MANAGE_PEOPLE = "manage_people"
    ENTRUST = "entrust"
    SEE_AUDIT = "see_audit"
    SEE_HEALTH = "see_health"
    RUN_SYSTEM = "run_system"
    KEEP_SOURCES = "keep_sources"
    USE_API = "use_api"


OPENS: Mapping[FieldClass, Permission] = {
    field_class: Permission(f"open_{field_class}") for field_class in FieldClass if field_class.restricted
}


class Reach(StrEnum):
    """Which students of a place a role is there for."""

    PLACE = "place"
    CASELOAD = "caseload"
    HOMEROOM = "homeroom"
    TASKS = "tasks"
    COUNTS = "counts"


@dataclass(frozen=True, slots=True)
class ClassRight:
    """A right to everybody's records of a class, and the right to those that are one's own."""

    others: Right = Right.NONE
    own: Right = Right.NONE


@dataclass(frozen=True, slots=True)
class Role:
    """A position. `parts` names the fields shown where the right is only PART; `crisis` what opens for an hour."""

    key: str
    label: str
    position: str
    summary: str
    places: frozenset[PlaceKind]
    reach: Reach
    permissions: frozenset[Permission]
    rights: Mapping[FieldClass, ClassRight]
    parts: Mapping[FieldClass, frozenset[str]] = field(default_factory=dict)
    crisis: frozenset[FieldClass] = frozenset()
    second_factor: bool = True
    assignable: bool = True

    def right(self, field_class: FieldClass, *, own: bool = False) -> Right:
        granted = self.rights.get(field_class, ClassRight())
        return granted.own if own else granted.others

    @property
    def entrusted(self) -> bool:
        """Whether it reads restricted information about everybody it is there for."""
        return any(one.restricted and right.others.reaches(Right.READ) for one, right in self.rights.items())

    def may(self) -> tuple[str, ...]:
        """What the role may do, as phrases in the order of roles.yaml."""
        return tuple(meaning.phrase for key, meaning in meanings().items() if key in self.permissions)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A permission in words, and the class of information its page is about (None: nobody's)."""

    phrase: str
    about: FieldClass | None


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(ROLES_FILE.read_text(encoding="utf-8"))
    return document


@cache
def meanings() -> dict[Permission, Meaning]:
    """Every permission and what it means, in the order people read them."""
    return {
        Permission(key): Meaning(entry["may"], FieldClass(entry["about"]) if "about" in entry else None)
        for key, entry in _document()["permissions"].items()
    }


@cache
def all_roles() -> dict[str, Role]:
    """Every role by its permanent key, the operator of the command line among them."""
    entries: dict[str, Any] = _document()["roles"]
    return {key: _role(key, _with_model(entry, entries)) for key, entry in entries.items()}


def assignable_roles() -> tuple[Role, ...]:
    """The roles that can be given to a person: what `ew user roles` prints."""
    return tuple(role for role in all_roles().values() if role.assignable)


def role(key: str) -> Role:
    """The role with that key; KeyError with a sentence that lists the keys there are."""
    try:
        return all_roles()[key]
    except KeyError:
        known = ", ".join(sorted(r.key for r in assignable_roles()))
        raise KeyError(f"There is no role {key!r}. The roles are: {known}.") from None


def _with_model(entry: dict[str, Any], entries: dict[str, Any]) -> dict[str, Any]:
    """An entry with `same_as` takes the rights of that role; `also` adds permissions to them."""
    if "same_as" not in entry:
        return entry
    model = entries[entry["same_as"]]
    return {**model, **entry, "permissions": [*model["permissions"], *entry.get("also", [])]}


def _role(key: str, entry: dict[str, Any]) -> Role:
    rights = {FieldClass(name): _class_right(value) for name, value in entry.get("rights", {}).items()}
    opens = {OPENS[c] for c, r in rights.items() if c.restricted and r.own.reaches(Right.READ)}
    crisis = _crisis(key, entry.get("crisis", ()))
    return Role(
        key=key,
        label=entry["label"],
        position=entry["position"],
        summary=entry["summary"],
        places=frozenset(PlaceKind(kind) for kind in entry["places"]),
        reach=Reach(entry["reach"]),
        permissions=frozenset(Permission(p) for p in entry["permissions"])
        | opens
        | ({Permission.OPEN_IN_CRISIS} if crisis else set()),
        rights=rights,
        parts={FieldClass(name): frozenset(shown) for name, shown in entry.get("parts", {}).items()},
        crisis=crisis,
        second_factor=entry.get("second_factor", True),
        assignable=entry.get("assignable", True),
    )


def _crisis(key: str, names: Iterable[str]) -> frozenset[FieldClass]:
    """What a role may open in a crisis. ValueError for what is no compartment, or one that never opens like that."""
    wanted = frozenset(FieldClass(name) for name in names)
    if wrong := sorted(wanted - (RESTRICTED - NEVER_IN_CRISIS)):
        raise ValueError(f"The role {key} cannot open {', '.join(wrong)} in a crisis: no role may.")
    return wanted


def _class_right(value: str | dict[str, str]) -> ClassRight:
    """`read` is the same for all records; `{others: flag, own: write}` tells one's own apart."""
    if isinstance(value, str):
        return ClassRight(Right(value), Right(value))
    return ClassRight(Right(value.get("others", "none")), Right(value.get("own", "none")))
