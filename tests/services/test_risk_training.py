"""A training in slices: what it makes, what it refuses, and that it goes on where it was killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Actor, Refused
from ew_app.services.risk import artefacts, lives, parts, planning, report, report_lines, training
from models.base import db
from models.risk import RiskModel
from rules.access import Grant, Grants
from rules.places import Place
from rules.risk import gates
from rules.risk.cohort import GRID
from rules.risk.gates import Outcome
from tests.opened import on
from tests.services import risk_district
from tests.services.lincoln_and_carver import query
from tests.services.risk_district import run

TODAY = date(2026, 9, 21)


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """On a Monday in September."""
    return replace(settings, today=TODAY)


@pytest.fixture
def september(settings: Settings, database_url: str) -> Iterator[None]:
    """An application on an empty database."""
    with on(settings):
        yield


@pytest.fixture
def trained(settings: Settings, built_once: Callable[..., Any]) -> Iterator[int]:
    """A model of two past years whose training was killed in between; every gate let it pass."""
    number = built_once(settings, _train)
    with on(settings):
        yield number


def _train() -> int:
    risk_district.build(years=(2024, 2025), each=80)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gates, "conclude", _lenient)
        number = training.ask(by=OPERATOR, queued=False)
        with pytest.raises(Killed):
            training.go_on(number, _kill_after(4))
        db.session.rollback()
        kept = query("SELECT done, status, seconds FROM risk_model")[0]
        assert kept[:2] == (4, "running")
        training.go_on(number, nobody)
        assert query("SELECT seconds FROM risk_model")[0][0] > kept[2]
    return number


_conclude = gates.conclude


def _lenient(trials: Any) -> Outcome:
    """Three hundred and twenty student-years show little; here it is as if they had shown enough."""
    return replace(_conclude(trials), refusals=())


def _kill_after(slices: int) -> Callable[[int, str], None]:
    done = iter(range(1, 100))

    def told(_: int, __: str) -> None:
        if next(done) == slices:
            raise Killed

    return told


def nobody(_: int, __: str) -> None:
    """Progress that nobody looks at."""


def model() -> RiskModel:
    found: RiskModel = db.session.query(RiskModel).populate_existing().order_by(RiskModel.id.desc()).first()
    return found


def test_it_goes_on_where_it_was_killed_and_leaves_a_sealed_card_and_no_student(trained: int) -> None:
    made = model()
    assert (made.id, made.status, made.stage, made.done) == (trained, "trained", "off", made.steps)
    card = artefacts.opened(made)  # the first year, of whose students nothing earlier is known, only tries
    assert (card.years, card.school_year, card.rows, sorted(card.models)) == ((2025,), 2026, 320, list(GRID))
    assert query("SELECT count(*) FROM risk_part") == [(0,)]
    assert all(not one["lists"] and not one["models"] for one in made.report["trials"])
    assert query("SELECT school_year, known_by, count(*) FROM year_end GROUP BY 1, 2 ORDER BY 1") == [
        (date(2024, 7, 1), "marks", 160),
        (date(2025, 7, 1), "marks", 160),
    ]
    assert lives.state().kind is lives.Kind.OFF
    assert query("SELECT count(*) FROM audit_row WHERE action = 'risk_trained'") == [(1,)]


def test_its_card_tells_years_counts_figures_groups_and_limits(trained: int) -> None:
    card = report.card(None, by=OPERATOR)
    assert [(year["school_year"], year["known"].split(",")[0]) for year in card["data"]] == [
        ("2024-25", "as received"), ("2025-26", "as received"),
    ]  # fmt: skip
    assert card["data"][0]["counts"]["20"]["kept"] == 160
    assert [one["day"] for one in card["figures"]] == list(GRID)
    told = card["figures"][1]["measured"]
    assert {"rule", "rate", "rate_and_last_year", "shrunken", "challenger"} <= set(told)
    assert told["rate"]["auc"]["low"] <= told["rate"]["auc"]["value"] <= told["rate"]["auc"]["high"]
    assert len(card["fairness"]) == len(gates.TARGETS)
    principal = Actor(
        "paul", "Paul Adler", "Principal", grants=Grants((Grant("principal", Place.of_school("school0")),))
    )
    assert report.card(None, by=principal)["fairness"] == [], "groups are for those who audit a model"
    text = "\n".join(report_lines.lines(card))
    for said in ("2024-25: 170 school days", "School day 20: 160 students", "the rule", "It ends with the school year"):
        assert said in text, said
    run("UPDATE risk_model SET plan = replace(plan::text, '\"live\": true', '\"live\": false')::jsonb")
    assert "were loaded afterwards" in "\n".join(report.card(None, by=OPERATOR)["limits"])


def test_the_card_of_a_model_that_an_earlier_release_tried_says_so_and_tells_the_rest(trained: int) -> None:
    model = db.session.get_one(RiskModel, trained)
    artefacts.keep(model, replace(artefacts.opened(model), shown=""))  # it sealed no figures then
    model.report = model.report | {"trials": [{"day": 20, "figures": None}]}
    card = report.card(None, by=OPERATOR)
    assert card["limits"][0].startswith("An earlier release of this software tried it")
    assert card["figures"] == [] and len(card["data"]) == 2
    assert "school days" in "\n".join(report_lines.lines(card))


def test_a_changed_letter_another_key_and_another_year_are_refused(trained: int, settings: Settings) -> None:
    made = model()
    assert made.artefact is not None
    whole, signed = made.artefact, made.signature
    made.artefact = whole.replace("2025", "2024", 1)
    with pytest.raises(artefacts.Unusable, match="checksum differs"):
        artefacts.opened(made)
    made.artefact, made.signature = whole, "0" * 64
    with pytest.raises(artefacts.Unusable, match="not signed by this installation"):
        artefacts.opened(made)
    made.signature = signed
    artefacts.opened(made)
    db.session.rollback()
    with on(replace(settings, today=date(2027, 9, 1))), pytest.raises(artefacts.Unusable, match="another school year"):
        artefacts.opened(model())


@pytest.mark.usefixtures("september")
def test_without_a_year_to_learn_from_and_one_to_be_tried_on_nothing_is_made() -> None:
    risk_district.build(years=(2025,), each=2)
    training.ask(by=OPERATOR)
    assert model().status == "refused"
    assert model().refusals[0]["sentence"].endswith("one is known.")
    assert "may not be used" in lives.state().sentence
    assert query("SELECT count(*) FROM outbox") == [(0,)]


@pytest.mark.usefixtures("september")
def test_fewer_than_three_hundred_student_years_make_no_model() -> None:
    risk_district.build(years=(2024, 2025), each=10)
    training.go_on(training.ask(by=OPERATOR, queued=False), nobody)
    assert (model().status, model().artefact) == ("refused", None)
    assert [one["key"] for one in model().refusals] == ["student_years"]
    assert "20 student" not in model().refusals[0]["sentence"] and "40 in all" in model().refusals[0]["sentence"]


@pytest.mark.usefixtures("september")
def test_queued_each_slice_asks_for_the_next_and_one_done_before_is_not_done_again() -> None:
    risk_district.build(years=(2024, 2025), each=5)
    number = training.ask(by=OPERATOR)
    waiting = "SELECT args FROM outbox WHERE job = 'train_risk' ORDER BY id"
    assert query(waiting) == [([number, 1],)]
    training.work(number, 1)
    training.work(number, 1)
    assert (model().done, query(waiting)) == (1, [([number, 1],), ([number, 2],)])
    with pytest.raises(Refused, match="being made already"):
        training.ask(by=OPERATOR)
    training.stop(number, by=OPERATOR)
    training.work(number, 2)
    assert (model().status, model().done) == ("stopped", 1)


@pytest.mark.usefixtures("september")
def test_a_training_begun_by_a_release_that_kept_parts_otherwise_begins_anew_and_says_so() -> None:
    risk_district.build(years=(2024, 2025), each=5)
    number = training.ask(by=OPERATOR)
    training.work(number, 1)
    training.work(number, 2)
    run("UPDATE risk_model SET plan = plan - 'stamp'")
    run("UPDATE outbox SET done_at = created_at")
    run(
        "INSERT INTO risk_part (model_id, nth, content) VALUES (:number, 3, 'not what is written today')", number=number
    )
    training.work(number, 3)
    assert (model().done, model().status) == (0, "running")
    assert query("SELECT count(*) FROM risk_part") == [(0,)]
    assert "begins anew" in lives.state().sentence and lives.state().sentence.startswith("A model is being made: 0 of")
    assert query("SELECT args FROM outbox WHERE done_at IS NULL AND job = 'train_risk'") == [([number, 1],)]
    training.work(number, 3)
    assert model().done == 0, "what was asked for before is not done out of its turn"
    training.go_on(number, nobody)
    assert (model().status, model().done) == ("refused", model().steps)
    assert query("SELECT count(*) FROM audit_row WHERE action = 'risk_training_begun_anew'") == [(1,)]


@pytest.mark.usefixtures("september")
def test_nothing_is_learned_from_a_student_who_is_left_out_and_others_are_told_apart_by_what_was_logged() -> None:
    made = risk_district.build(years=(2024, 2025), each=5)
    out, reached, *_ = made.students
    run("INSERT INTO risk_excluded (student_id, reason, author, position, written_at)"
        " VALUES (:out, 'The family asked for it', 'Paul', 'Principal', now())", out=out)  # fmt: skip
    run("INSERT INTO outreach (student_id, on_day, at, method, outcome, direction, with_whom, language, interpreter,"
        " promise, note, is_contact, author, position, written_at) VALUES (:reached, '2025-10-01', now(), 'phone',"
        " 'reached', 'out', '', '', false, '', '', true, 'Mara', 'Counselor', now())", reached=reached)  # fmt: skip
    number = training.ask(by=OPERATOR)
    read = [nth for nth, one in enumerate(model().plan["slices"], 1) if one[0] == planning.READ]
    for nth in range(1, read[-1] + 1):
        training.work(number, nth)
    year = training.year_in(model(), 2025)
    found = parts.gathered(number, read[-1:], year, 20)
    assert found is not None and found.cohort.students.tolist() == sorted(set(made.students) - {out})
    assert found.cohort.students[found.cohort.parts["in touch"]].tolist() == [reached]
    before = parts.gathered(number, read[:-1], training.year_in(model(), 2024), 20)
    assert before is not None and before.cohort.parts == {}, "nothing was logged in that year"
    run("INSERT INTO risk_excluded (student_id, reason, author, position, written_at)"
        " VALUES (:out, 'The family asked for it', 'Paul', 'Principal', now())", out=reached)  # fmt: skip
    since = parts.gathered(number, read[-1:], year, 20)
    assert since is not None and since.cohort.students.tolist() == sorted(set(made.students) - {out, reached})


@pytest.mark.deep
@pytest.mark.usefixtures("september")
def test_who_is_left_out_between_two_slices_is_not_learned_from_and_stops_nothing() -> None:
    made = risk_district.build(years=(2023, 2024, 2025), each=60)
    number = training.ask(by=OPERATOR)
    for nth, one in enumerate(model().plan["slices"], 1):
        if one[0] == planning.FIT:
            run("INSERT INTO risk_excluded (student_id, reason, author, position, written_at) SELECT id, '', 'Paul',"
                " 'Principal', now() FROM student WHERE id = ANY(:out) AND NOT EXISTS (SELECT FROM risk_excluded)",
                out=made.students[:20])  # fmt: skip
        training.work(number, nth)
    assert model().status in ("trained", "refused")
    kept = [counts["kept"] for by_year in model().report["counts"].values() for counts in by_year.values()]
    assert kept and max(kept) <= 100
