"""The pages of goals: set, counted, changed with a reason, followed by what is done; a mistake loses nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select, update

from ew_app.kernel import clock, today, transaction
from ew_app.services.watching import goal_counts, goals
from models.base import db
from models.goals import Goal, StrategyLook
from models.tiers import Standing, TierCount
from tests.web import casebook
from tests.web.casebook import committed
from tests.web.conftest import Browser, SignInAs

LATER = (clock() + timedelta(days=60)).date().isoformat()


def sent(browser: Browser, page: str, path: str, **fields: Any) -> Any:
    found = re.search(r'name="once" value="([^"]+)"', browser.get(page).text)
    assert found
    return browser.send(path, fields | {"once": found[1]})


def test_a_goal_is_set_counted_changed_and_followed(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    principal = sign_in("principal")
    form = {"place": "school:LIN", "measure": "tiers", "target": "20", "by_day": LATER, "why": "For calm mornings"}
    wrong = sent(principal, "/goals/new", "/goals/new", **(form | {"target": "many"}))
    assert wrong.status_code == 422 and "percentage" in wrong.text and "For calm mornings" in wrong.text
    small = sent(principal, "/goals/new", "/goals/new", **(form | {"group": "grade:4"}))
    assert small.status_code == 422 and "is not told" in small.text
    address = sent(principal, "/goals/new", "/goals/new", **form).location
    assert "is being counted: 0 of 1 school" in principal.get(address).text
    with app.app_context():
        committed(enrol_thirty)
        thread = db.session.scalars(select(Goal.thread).order_by(Goal.id.desc()).limit(1)).one()
        goal_counts.count(thread, casebook.school("LIN").id)
    page = principal.get(address).text
    assert "To end at 20% or less, 4 fewer students may be in Tier 2 or 3" in page and "10 of 30" in page
    assert "rate-line" in page and "Look again" not in page
    done = {"words": "Greet at the door", "owner_id": world["principal"], "review_on": LATER}
    assert sent(principal, address, f"{address}/strategies", **done).location == address
    assert "Greet at the door" in principal.get(address).text
    change = {"target": "25", "by_day": LATER, "why": "Two classes moved in", "version": 1}
    sent(principal, address, f"{address}/change", **change)
    page = principal.get(address).text
    assert "at most 25%" in page and "at most 20%" in page and "Two classes moved in" in page
    assert "Change or end" not in sign_in("network_lead").get(address).text
    assert "20%" in sign_in("network_lead").get("/goals").text
    for verb in ("change", "end", "strategies"):
        assert sign_in("network_lead").send(f"{address}/{verb}").status_code == 404, "the network reads it"


def test_what_waits_for_a_look_stands_on_today_and_in_the_news_of_who_leads_it(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    principal = sign_in("principal")
    form = {"place": "school:LIN", "measure": "attendance", "target": "95", "by_day": LATER}
    address = sent(principal, "/goals/new", "/goals/new", **form).location
    done = {"words": "A warm word at the door", "owner_id": world["principal"], "review_on": LATER}
    sent(principal, address, f"{address}/strategies", **done)
    assert "A warm word at the door" not in principal.get("/today").text
    with app.app_context(), transaction():
        newest = select(func.max(StrategyLook.id)).scalar_subquery()
        db.session.execute(
            update(StrategyLook).where(StrategyLook.id == newest).values(next_on=today() - timedelta(days=2))
        )
    with app.app_context():
        assert goals.tell_of_due() and not goals.tell_of_due(), "told once"
    assert "A warm word at the door" in principal.get("/today").text
    assert "waits for a look" in principal.get("/news").text
    assert "A warm word at the door" not in sign_in("counselor").get("/today").text
    sent(principal, address, f"{address}/end", why="Reached in other ways")
    assert "A warm word at the door" not in principal.get("/today").text


def test_a_group_is_chosen_from_those_that_are_large_enough(sign_in: SignInAs, app: Flask) -> None:
    assert "Grade 4" not in sign_in("principal").get("/goals/new").text
    with app.app_context():
        committed(enrol_thirty)
        committed(lambda: enrol("5", tier_1=20))
    principal = sign_in("principal")
    assert "Grade 4" in principal.get("/goals/new").text
    form = {"place": "school:LIN", "measure": "tiers", "target": "20", "by_day": LATER, "group": "grade:4"}
    address = sent(principal, "/goals/new", "/goals/new", **form).location
    assert "Students in Tier 2 or 3, grade 4" in principal.get(address).text


def enrol(grade: str, **counts: int) -> None:
    """Students of a grade of Lincoln, as counted today."""
    counts = dict.fromkeys(("tier_1", "watch", "tier_2", "tier_3", "none", "too_early"), 0) | counts
    db.session.add(TierCount(school_id=casebook.school("LIN").id, day=today(), grade=grade, **counts))


def enrol_thirty() -> None:
    """Thirty students of Lincoln, ten of them in Tier 2, as counted today."""
    school = casebook.school("LIN")
    enrol("4", tier_1=20, tier_2=10)
    for number in range(30):
        casebook.open_case(f"goal{number}")
    students = db.session.scalars(db.text("SELECT id FROM student WHERE key LIKE 'goal%' ORDER BY id")).all()
    for number, student in enumerate(students):
        db.session.add(
            Standing(
                student_id=student, since=today() - timedelta(days=40), school_id=school.id, grade="4",
                tier=2 if number < 10 else 0, too_early=False,
            )
        )  # fmt: skip
