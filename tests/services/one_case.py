"""Following findings and looking at the only case, in the named district."""

from __future__ import annotations

from datetime import date, timedelta

from ew_app.kernel import WORKER, today, transaction
from ew_app.services.casework import cases, reaching
from models.base import db
from models.queries import worklists
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


def the_number() -> int:
    """The number of the only case."""
    (number,) = the_case("number")
    return int(number)  # type: ignore[call-overload]


def grant_of(world: World, login: str) -> int:
    """The first thing that somebody holds."""
    (number,) = rows("SELECT id FROM role_grant WHERE person_id = :p", p=world.people[login])[0]
    return int(number)


def listed(world: World, login: str) -> list[tuple[str, str]]:
    """What is due today on somebody's list: (what, whose)."""
    by = world.actor(login)
    lent, me = by.grants.standing_in, by.person_id or 0
    due = worklists.my_due_cases(me, today(), stand_ins=lent)
    tasks = worklists.my_tasks(me, today(), reaching.openings(by), until=today(), stand_ins=lent)
    names = {person: name for name, person in world.people.items()}
    return [("case", names[one.owner_id or 0]) for one in due] + [
        (one.title, names[one.owner_id or 0]) for one in tasks
    ]
