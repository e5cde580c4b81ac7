"""The district of the risk model with the people who work with its students, and a model in each state it can have."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date

from ew_app.kernel import OPERATOR, now, transaction
from ew_app.services.casework import moves
from ew_app.services.risk import lives, scoring
from models.base import db
from models.staff import Grant, Person
from tests.services import risk_model
from tests.services.lincoln_and_carver import query
from tests.services.risk_district import District, run
from tests.services.risk_model import PURPOSE, actor

PEOPLE = (
    ("sol", "Sol Reyes", "social_worker", "school:school0"),
    ("cora", "Cora Diaz", "counselor", "school:school0"),
    ("carl", "Carl Novak", "attendance_clerk", "school:school0"),
    ("ines", "Ines Ito", "social_worker", "school:school1"),
)
AGREE = ("ada", "ben")
WHY = "On school day 40 it finds no more students than the plain rate does."
TONIGHT = "Tonight far fewer students are marked late than in earlier years."


def district() -> District:
    """Sol, Cora and Carl work at the first school. Cora has a third of its cases, Sol the others."""
    made = risk_model.district()
    with transaction():
        for login, name, role, place in PEOPLE:
            person = Person(login=login, name=name, created_at=now())
            person.grants = [Grant(role=role, place=place, starts=date(2026, 8, 1))]
            db.session.add(person)
    numbers = query("SELECT number FROM support_case WHERE school_id = :at ORDER BY number", at=made.schools[0])
    for nth, (number,) in enumerate(numbers):
        moves.assign(number, by=OPERATOR, to=actor("sol" if nth % 3 else "cora").person_id)
    return made


def at_work(agree: tuple[str, str] = AGREE) -> int:
    """A model that two people let work, asked this evening."""
    number = on_trial(agree)
    run("UPDATE risk_model SET stage_since = stage_since - 42 WHERE id = :id", id=number)
    scoring.score()
    for login in agree:
        lives.promote(purpose=PURPOSE, by=actor(login))
    return number


def on_trial(agree: tuple[str, str] = AGREE) -> int:
    """A model in shadow, asked this evening."""
    number = risk_model.trained()
    lives.promote(purpose=PURPOSE, by=actor(agree[0]))
    scoring.score()
    return number


def being_made() -> None:
    """A training under way."""
    number = risk_model.trained()
    run("UPDATE risk_model SET status = 'running', artefact = NULL, steps = 24, done = 7 WHERE id = :id", id=number)


def not_good_enough() -> None:
    """A training that was refused."""
    number, told = risk_model.trained(), json.dumps([{"key": "unlisted_to_rate", "sentence": WHY}])
    run("UPDATE risk_model SET status = 'refused', artefact = NULL, refusals = CAST(:told AS jsonb) WHERE id = :id",
        id=number, told=told)  # fmt: skip


def held_back() -> None:
    """A model at work that says nothing tonight."""
    at_work()
    run("UPDATE risk_night SET outcome = 'refused', reasons = CAST(:why AS jsonb)", why=json.dumps([TONIGHT]))
    run("DELETE FROM risk_score")


STATES: Mapping[str, tuple[Callable[[], object], str]] = {
    "off": (risk_model.trained, "nobody has let it work."),
    "being made": (being_made, "A model is being made: 7 of 24 steps."),
    "refused": (not_good_enough, WHY),
    "on trial": (on_trial, "Nobody sees what it says;"),
    "held back": (held_back, TONIGHT),
}


def nothing() -> None:
    """As if nobody had ever asked for a model."""
    for table in ("risk_answer", "risk_excluded", "risk_score", "risk_night", "risk_step", "risk_part", "risk_model"):
        run(f"DELETE FROM {table}")
