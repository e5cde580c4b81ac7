"""Following findings and looking at the only case, in the named district."""

from __future__ import annotations

from datetime import date, timedelta

from ew_app.kernel import WORKER, transaction
from ew_app.services.casework import cases
from models.base import db
from models.tiers import Finding
from tests.services.world import TODAY, World, rows

NEXT = TODAY + timedelta(days=1)
TASKS = "SELECT kind, owner_role, status, case_id IS NOT NULL FROM task"


def follow(world: World, *names: str) -> int:
    """Follow the findings of these students, or of all."""
    return cases.follow([world.students[name] for name in names or world.students], by=WORKER)


def the_case(*columns: str) -> tuple[object, ...]:
    """These columns of the only case."""
    (row,) = rows(f"SELECT {', '.join(columns)} FROM support_case")
    return row


def owner(world: World) -> str | None:
    (number,) = the_case("owner_id")
    return next((login for login, person in world.people.items() if person == number), None)


def flag_ana(world: World) -> None:
    """Ana reaches Tier 2 and gets a case."""
    world.stands("ana", 2)
    world.finds("ana", "R07")
    follow(world)


def not_seen_since(world: World, day: date) -> int:
    """Ana is enrolled and was never at school; returns the finding."""
    world.stands("ana", 0, data_through=TODAY)
    return world.finds("ana", "R20", day)


def comes(finding: int, on: date = NEXT) -> None:
    """The first day at school, the one after what is known, ends the finding."""
    with transaction():
        db.session.get_one(Finding, finding).until = on
