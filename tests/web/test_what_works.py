"""What works, as it is read: nothing before anything began, a few students as a few, and never a name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from ew_app.kernel import now, today, transaction
from ew_app.services.watching.what_works import Line, WhatWorks
from ew_app.web import what_works
from models.base import db
from models.cases import Case
from models.plans import PlanSupport
from rules.interventions import catalogue
from rules.what_works import Difference, Spread
from tests.web.conftest import SignInAs

LOGINS = ("principal", "network_lead", "district_analyst")


def begins(app: Flask, number: int, key: str) -> None:
    """A support that began yesterday on a case."""
    with app.app_context(), transaction():
        case = db.session.query(Case).filter_by(number=number).one()
        db.session.add(
            PlanSupport(
                case_id=case.id, student_id=case.student_id, episode=1, intervention=key,
                starts=today() - timedelta(days=1), planned_end=today(), dose_planned=3, author="P", position="C",
                written_at=now(),
            )
        )  # fmt: skip


@pytest.mark.parametrize("login", LOGINS)
def test_a_few_students_are_kept_back_and_nobody_is_named(app: Flask, sign_in: SignInAs, login: str) -> None:
    begins(app, 1, "I13")
    text = sign_in(login).get("/what-works").text
    assert "so nothing can be told" in text and "Check in, check out" in text
    assert "Ana" not in text and "Reyes" not in text


def test_another_time_is_chosen_by_a_link_and_a_wrong_one_is_the_year(app: Flask, sign_in: SignInAs) -> None:
    principal = sign_in("principal")
    assert "<strong>16 weeks</strong>" in principal.get("/what-works?weeks=16").text
    assert "<strong>this school year</strong>" in principal.get("/what-works?weeks=x").text


def test_another_school_s_supports_are_not_told(app: Flask, sign_in: SignInAs) -> None:
    begins(app, 3, "I13")
    text = sign_in("principal").get("/what-works").text
    assert "Check in, check out" not in text


MENTOR, SMALL_GROUP, VISITS = (catalogue()[key] for key in ("I12", "I23", "I30"))
LINES = (
    Line(MENTOR, 43, 70, Spread(2, 3, 5), Spread(0, 1, 2.5), Difference(41, 212, -1.25, -2.0, -0.5)),
    Line(SMALL_GROUP, 18, None, Spread(2, 3, 4), Spread(1, 2, 3), Difference(14, 90, 0.2, -1.4, 1.8)),
    Line(VISITS, 12),
    Line(catalogue()["I13"], 9),
)


def test_the_answer_and_the_words_say_no_more_than_the_numbers(
    app: Flask, sign_in: SignInAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = WhatWorks(now().date(), LINES, part=True)
    monkeypatch.setattr(what_works.what_works, "of", lambda *_: shown)
    text = sign_in("district_analyst").get("/what-works").text
    assert "Of 3 supports, 1 is followed by fewer days away than without; of 2 it cannot be told" in text
    assert "\u22121.2 days a month (range \u22122.0 to \u22120.5); about 40 beside about 210 students" in text
    assert "Supports for Tier 2" in text and "Supports for Tier 3" in text
    assert "about 40</td>" in text and ">43<" not in text
    assert text.count("<strong>Fewer days away</strong>") == 1 and "fewer than 10 students on one side" in text
    assert "kept back" in text and "Nobody drew lots" in text
    assert 'class="interval"' in text and "style=" not in text.partition("<main")[2]
