"""Restricted rows are filtered in SQL: a list never holds what its reader may not read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, false, literal, null, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from models.cases import Task
from models.queries.scope import AreaLike, StandInLike, school_ids, tasks_held

NEUTRAL_TITLE = "Support task"


@dataclass(frozen=True, slots=True)
class Opening:
    """Compartments open to someone at a place: of everybody there, and of records that are their own.

    stand_ins: whose work is their own as well.
    """

    area: AreaLike
    classes: Collection[str]
    own_classes: Collection[str]
    stand_ins: Sequence[StandInLike] = ()


def open_to(openings: Sequence[Opening], person_id: int | None) -> ColumnElement[bool]:
    """Condition on Task: it lies in no compartment, or in one that is open to this person."""
    ways = [
        and_(
            true() if opening.area.district else Task.school_id.in_(school_ids(opening.area)),
            or_(
                Task.compartment.in_(sorted(opening.classes)) if opening.classes else false(),
                and_(tasks_held(person_id, opening.stand_ins), Task.compartment.in_(sorted(opening.own_classes)))
                if opening.own_classes and person_id
                else false(),
            ),
        )
        for opening in openings
        if opening.classes or opening.own_classes
    ]
    return or_(Task.compartment.is_(None), *ways)


def title_shown(openings: Sequence[Opening], person_id: int | None) -> ColumnElement[str]:
    """A task's title, or the neutral one where its compartment is shut to this person."""
    shown = open_to(openings, person_id)
    return case((shown, Task.title), else_=literal(NEUTRAL_TITLE))


def named(openings: Sequence[Opening], person_id: int | None) -> ColumnElement[str | None]:
    """A task's compartment, or nothing where it is shut to this person."""
    return case((open_to(openings, person_id), Task.compartment), else_=null())


def within(column: InstrumentedAttribute[str | None], compartments: Collection[str]) -> ColumnElement[bool]:
    """Condition on a row of one case: it lies in no compartment, or in one of these."""
    return or_(column.is_(None), column.in_(sorted(compartments))) if compartments else column.is_(None)
