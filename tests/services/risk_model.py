"""A district of two schools with a model that was made for it, and the people around it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date

import numpy as np

from ew_app.kernel import Actor, now, today, transaction
from ew_app.services.deciding import flagging
from ew_app.services.measuring.touched import touch_everyone
from ew_app.services.people import accounts
from ew_app.services.risk import artefacts, calendar, looking, packed, scoring, year_ends
from models.base import db
from models.risk import RiskModel
from models.staff import Grant, Person
from rules.risk import card as cards
from rules.risk import reasons
from rules.risk.bands import Band
from rules.risk.card import Card
from rules.risk.cohort import GRID
from rules.risk.drift import Usual
from rules.risk.features import COLUMN, NAMES, features
from rules.risk.models import Logistic
from rules.stints import school_year_start
from tests.services import letters, risk_district
from tests.services.risk_district import District, run, school_days

PURPOSE = "To look first at those who need it most"
EACH = 40
FIRST_ELSEWHERE = 1  # every second student is at the second school
PEOPLE = (
    ("ada", "Ada Lund", "policy_editor", "district"),
    ("ben", "Ben Oduya", "student_support_lead", "district"),
    ("paul", "Paul Adler", "principal", "school:school0"),
    ("tara", "Tara Stone", "homeroom_teacher", "school:school0"),
    ("nia", "Nia Okoro", "nurse", "school:school0"),
    ("zoe", "Zoe Park", "network_lead", "network:N1"),
)


def district() -> District:
    """Two past years and 45 days of the running one, decided about."""
    made = risk_district.build(years=(2024, 2025), each=EACH, today=school_days(2026)[44])
    for year in calendar.completed(date(2026, 9, 1)):
        year_ends.store(np.array(made.students, dtype=np.int64), year)
    with transaction():
        for login, name, role, place in PEOPLE:
            person = Person(login=login, name=name, created_at=now())
            person.grants = [Grant(role=role, place=place, starts=date(2026, 8, 1))]
            db.session.add(person)
    flagging.evaluate_all()
    return made


def actor(login: str) -> Actor:
    """A person as they act."""
    return accounts.acting_as(login)


def decide() -> None:
    """Everybody again from the rows, as every night."""
    flagging.evaluate_all()


def submit(made: District, day: date) -> None:
    """One more day: the same students away as a week before."""
    with transaction():
        touch_everyone(day)
    rng = np.random.default_rng(day.toordinal())
    share = np.array([student % 9 / 20 for student in made.students])
    risk_district.put_year(made, [day], share, rng, False)


def newcomer(made: District, *, since: date) -> int:
    """A student who came a few days ago, and of whom no earlier year is known."""
    who = letters.student("new", made.schools[1], entry=since, grade="5")
    decide()
    return who


def elsewhere(made: District) -> int:
    """A student of the other school."""
    return made.students[FIRST_ELSEWHERE]


# -- a model made by hand ------------------------------------------------------------------------------------------

WEIGHTS: Mapping[str, float] = {"rate": 12.0, "rate_last_20": 4.0, "last_year_rate": 9.0, "marked_share": 3.0}
INSTEAD: Mapping[str, float] = {"last_year_rate": 0.08}


def _card(looked: looking.Looked, seed: int) -> Card:
    """A weighted sum for which the running year is just as usual."""
    x, known = features(looked.known), looked.known
    weights, instead = (np.array([told.get(name, 0.0) for name in NAMES]) for told in (WEIGHTS, INSTEAD))
    mean = {name: float(np.nanmean(x[:, COLUMN[name]], dtype=np.float64)) for name in ("has_last_year", "rate")}
    each = {day: Logistic(-3.0, weights, instead).to_json() for day in GRID}
    return Card(
        format=cards.FORMAT, school_year=2026, valid_until="2027-06-30", kind="logistic", label=cards.LABEL,
        features=NAMES, definition=cards.definition(), years=(2024, 2025), tested=(2025,), rows=160, seed=seed,
        versions={},
        schools=tuple(np.unique(known.school).tolist()), grades=tuple(np.unique(known.grade).tolist()), models=each,
        bands=dict.fromkeys(GRID, tuple(Band(200, 20 * tenth + 10) for tenth in range(10))),
        usual=dict.fromkeys(GRID, Usual(mean["has_last_year"], mean["rate"], looked.shares)),
        figures={day: {} for day in GRID}, groups=dict.fromkeys(GRID, ()),
    )  # fmt: skip


def trained() -> int:
    """A model that kept every promise, and is off."""
    looked = packed.look(school_year_start(today()))
    assert looked is not None
    with transaction():
        model = RiskModel(
            school_year=school_year_start(today()), status="trained", asked_at=now(), asked_by="ada",
            asked_name="Ada Lund", plan={"years": []}, refusals=[], report={"outcome": {"kind": "logistic"}},
        )  # fmt: skip
        db.session.add(model)
        db.session.flush()
        artefacts.keep(model, _card(looked, model.id))
        return model.id


def timed_night(number: int) -> dict[str, float]:
    """Seconds that an evening takes, and parts of it by themselves (their names begin with a blank)."""
    parts: dict[str, float] = {}
    at = time.perf_counter()

    def timed(name: str) -> None:
        nonlocal at
        parts[name] = time.perf_counter() - at
        at = time.perf_counter()

    run("UPDATE risk_model SET stage = 'shadow' WHERE id = :id", id=number)
    at = time.perf_counter()
    looked = packed.look(school_year_start(today()))
    assert looked is not None
    timed("put together from what is packed")
    year = calendar.year_of(today())
    came = scoring.one_night(number, looked, year, year.days[59])
    assert came.outcome == "scored", came.reasons
    timed("scored, explained and stored")
    card = artefacts.opened(db.session.get_one(RiskModel, number))
    at = time.perf_counter()
    x = features(looked.known)
    timed(" features")
    found = reasons.explain(card.grid, 60, looked.known, x)
    timed(" scores and reasons")
    found.compact()
    timed(" reasons as text")
    return parts
