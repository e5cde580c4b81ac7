"""Reviews every two weeks: begun once with the numbers of the day, walked, decided, closed, and kept as they were."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import current_app
from sqlalchemy import text

from ew_app.kernel import NotFound, Refused, now, transaction
from ew_app.services.meetings import holding
from ew_app.services.meetings.holding import Changed
from ew_app.services.notices import news
from ew_app.services.watching import groups, nudging, reviewing, rhythm
from ew_app.services.watching.nudging import Wanted
from ew_app.web import review_words
from models.base import db
from models.org import School
from models.people import Student
from models.queries import reviews as rows_of
from models.reviews import Review, ReviewLine
from models.tiers import Standing, TierCount
from rules.access import NotAllowed, Place, PlaceKind
from rules.reviews import rhythm as rhythm_of
from rules.reviews import shown_to
from rules.words import UnfitWords
from tests.opened import statements
from tests.services.world import TODAY, YEAR_BEGAN, World, rows

NORTH = Place.of_network("N1")
FRIDAY = TODAY - timedelta(days=3)
SOON = TODAY + timedelta(days=2)


@pytest.fixture
def counted(world: World) -> World:
    """Lincoln and Douglas are counted through Friday; at Lincoln twelve of thirty learn English, four in Tier 2."""
    with transaction():
        for key, tier_2 in (("LIN", 8), ("DOU", 3)):
            for day, more in ((FRIDAY - timedelta(days=14), -2), (FRIDAY, 0)):
                counts = {
                    "tier_1": 22 - more,
                    "watch": 0,
                    "tier_2": tier_2 + more,
                    "tier_3": 0,
                    "none": 0,
                    "too_early": 0,
                }
                db.session.add(TierCount(school_id=world.schools[key], day=day, grade="7", **counts))
        for number in range(30):
            student = Student(
                key=f"p{number}", first_name="P", last_name=str(number), grade="7", english_learner=number < 12,
                home_language="Spanish" if number < 14 else "English",
            )  # fmt: skip
            db.session.add(student)
            db.session.flush()
            tier = 2 if number < 4 or number in (20, 21, 22, 23) else 0
            db.session.add(
                Standing(student_id=student.id, since=YEAR_BEGAN, school_id=world.schools["LIN"], grade="7", tier=tier,
                         too_early=False)
            )  # fmt: skip
    return world


def begun(world: World, login: str = "zoe", place: Place = NORTH) -> int:
    return reviewing.begin(place, by=world.actor(login))


def wanted(world: World, **more: object) -> Wanted:
    plain = Wanted(words="Ring the five families", owner_id=world.people["paul"], due=SOON, reason="5 wait")
    return replace(plain, **more)  # type: ignore[arg-type]


def test_a_review_keeps_the_numbers_as_they_were_when_corrections_come(counted: World) -> None:
    number = begun(counted)
    kept = db.session.get_one(Review, number).numbers
    assert kept["now"]["tier_2"] == 11 and kept["then"]["tier_2"] == 7 and kept["through"] == FRIDAY.isoformat()
    lines = rows_of.lines(number)
    assert [one.name for one in lines] == ["Lincoln", "Douglas"]
    before = [(one.subject, one.numbers) for one in lines]
    assert "8 in Tier 2 or 3, +2" in review_words.facts(lines[0].numbers, exact=False)
    for line in (1, 2):
        reviewing.look(number, line, "All well", version=1, by=counted.actor("zoe"))
    reviewing.end(number, by=counted.actor("zoe"))
    with transaction():
        db.session.execute(db.text("UPDATE tier_count SET tier_2 = 0, tier_1 = 30"))
        db.session.execute(db.text("UPDATE standing SET tier = 0"))
    db.session.expire_all()
    assert db.session.get_one(Review, number).numbers == kept
    assert [(one.subject, one.numbers) for one in rows_of.lines(number)] == before
    assert begun(counted) == number, "one on a day"


def test_groups_are_told_as_their_own_page_tells_them(counted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "FEW", 5)  # this world is small
    kept = db.session.get_one(Review, begun(counted)).numbers
    schools = [db.session.get_one(School, counted.schools[key]) for key in ("LIN", "DOU")]
    page = groups.groups(schools, TODAY)
    assert page is not None and page.tables
    shown = {one.by: list(map(list, zip(one.names, map(one.words, one.totals), strict=True))) for one in page.tables}
    assert {by: [line[:2] for line in lines] for by, lines in kept["groups"]} == shown
    assert kept["groups_day"] == page.asked.isoformat()
    assert "under 15" in {words for _, lines in kept["groups"] for line in lines for words in line}


def test_a_principal_s_review_is_of_grades_counted_for_who_may_open_the_students(counted: World) -> None:
    with transaction():
        counts = {"tier_1": 60, "watch": 20, "tier_2": 20, "tier_3": 0, "none": 0, "too_early": 0}
        for grade in ("8", "9"):
            db.session.add(TierCount(school_id=counted.schools["LIN"], day=FRIDAY, grade=grade, **counts))
    number = begun(counted, "paul", Place.of_school("LIN"))
    seventh, *others = rows_of.lines(number)
    assert (seventh.subject, seventh.name, len(others)) == ("grade:7", "Grade 7", 2)
    assert review_words.facts(seventh.numbers, exact=True) == ["8 in Tier 2 or 3", "30 students"]
    assert review_words.facts(seventh.numbers, exact=False) == ["under 15 in Tier 2 or 3", "about 30 students"]
    assert review_words.reason(seventh) == "under 15 in Tier 2 or 3", "what is asked of somebody stands on other pages"


def test_a_school_of_one_grade_is_one_line_and_a_network_reads_it(counted: World) -> None:
    number = begun(counted, "paul", Place.of_school("LIN"))
    (line,) = rows_of.lines(number)
    assert (line.subject, line.name) == ("school:LIN", "Lincoln")
    assert reviewing.at_hand(number, counted.actor("zoe")).holds is False, "the network reads it"
    with pytest.raises(NotFound):
        reviewing.look(number, 1, "", version=1, by=counted.actor("zoe"))
    with pytest.raises(NotFound):
        reviewing.at_hand(number, counted.actor("otto"))


def test_only_who_answers_for_a_place_holds_its_review(counted: World) -> None:
    for login in ("clara", "cora", "wanda"):
        with pytest.raises(NotAllowed):
            begun(counted, login)
    for login, place in (("paul", NORTH), ("otto", Place.of_school("LIN")), ("zoe", Place.of_network("N2")),
                         ("zoe", Place.of_school("LIN")), ("zoe", Place.of_school("NONE"))):  # fmt: skip
        with pytest.raises(NotFound):
            begun(counted, login, place)


def test_begun_by_two_at_the_same_moment_it_is_one(counted: World) -> None:
    counted.give("zelda", "Zelda Ray", "network_lead", "network:N1")
    app, found, start = current_app._get_current_object(), [], threading.Barrier(3)  # type: ignore[attr-defined]

    def go(who: object) -> None:
        with app.app_context():
            start.wait()
            found.append(reviewing.begin(NORTH, by=who))  # type: ignore[arg-type]

    threads = [threading.Thread(target=go, args=(counted.actor(login),)) for login in ("zoe", "zelda", "zoe")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 1 and rows("SELECT count(*) FROM review_line") == [(2,)]
    assert rows("SELECT count(*) FROM event WHERE kind = 'review_begun'") == [(1,)]


def test_what_is_agreed_has_a_name_and_a_day_is_told_and_is_answered(counted: World) -> None:
    number, zoe, paul = begun(counted), counted.actor("zoe"), counted.actor("paul")
    for wrong, why in (
        (wanted(counted, words=" "), "what you ask"), (wanted(counted, due=None), "by which day"),
        (wanted(counted, due=TODAY - timedelta(days=1)), "today or a later"),
        (wanted(counted, owner_id=counted.people["otto"]), "of this place"),
        (wanted(counted, owner_id=None), "of this place"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=why):
            reviewing.look(number, 1, "", version=1, by=zoe, wanted=wrong, once="a")
    with pytest.raises(UnfitWords):
        reviewing.look(number, 1, "their visa status", version=1, by=zoe)
    for _ in range(2):
        reviewing.look(number, 1, "Twelve wait", version=1, by=zoe, wanted=wanted(counted), once="form")
    ((_, agreed),) = rows_of.agreed_in(number)
    assert (agreed.owner, agreed.nudge.place, agreed.nudge.due) == ("Paul Adler", "school:LIN", SOON)
    assert [one.sentence for one in news.read(paul)] == ["You are asked about Lincoln, for an answer by Wed 18 Nov."]
    with pytest.raises(NotFound):
        nudging.answer(agreed.nudge.id, "Done", by=counted.actor("otto"))
    nudging.answer(agreed.nudge.id, "Four reached, one moved away", by=paul)
    nudging.answer(agreed.nudge.id, "Four reached, one moved away", by=paul)
    with pytest.raises(Refused, match="already"):
        nudging.answer(agreed.nudge.id, "Something else", by=paul)
    assert [one.sentence for one in news.read(zoe)] == ["What you asked about Lincoln was answered."]
    assert nudging.of_me(paul) == [] and rows("SELECT count(*) FROM nudge") == [(1,)]


def test_two_who_write_at_once_overwrite_nothing(counted: World) -> None:
    number, zoe = begun(counted), counted.actor("zoe")
    counted.give("zelda", "Zelda Ray", "network_lead", "network:N1")
    reviewing.look(number, 1, "Zoe's note", version=1, by=zoe)
    with pytest.raises(Changed) as changed:
        reviewing.look(number, 1, "Zelda's note", version=1, by=counted.actor("zelda"))
    assert changed.value.theirs == "Zoe's note"
    reviewing.write_minutes(number, "Zoe", "The bus", version=1, by=zoe)
    reviewing.write_minutes(number, "Zoe", "The bus", version=1, by=zoe)
    with pytest.raises(Changed):
        reviewing.write_minutes(number, "Zelda", "The nurse", version=1, by=counted.actor("zelda"))


def test_a_closed_review_changes_no_more(counted: World) -> None:
    number, zoe = begun(counted), counted.actor("zoe")
    with pytest.raises(Refused, match="Nothing was looked at"):
        reviewing.end(number, by=zoe)
    reviewing.look(number, 2, "", version=1, by=zoe)
    with pytest.raises(Refused, match="1 line of 2 was not looked at"):
        reviewing.end(number, by=zoe)
    reviewing.write_minutes(number, "Zoe", "Lincoln waits for its file.", version=1, by=zoe)
    reviewing.end(number, by=zoe)
    reviewing.end(number, by=zoe)
    assert rows("SELECT count(*) FROM event WHERE kind = 'review_ended'") == [(1,)]
    for act in (
        lambda: reviewing.look(number, 1, "late", version=1, by=zoe),
        lambda: reviewing.write_minutes(number, "", "late", version=1, by=zoe),
    ):
        with pytest.raises(Refused, match="closed"):
            act()
    assert [one.looked_at is not None for one in rows_of.lines(number)] == [False, True]


def test_a_network_asks_a_school_and_never_one_elsewhere(counted: World) -> None:
    zoe = counted.actor("zoe")
    first = nudging.ask("LIN", wanted(counted), once="one", by=zoe)
    assert nudging.ask("LIN", wanted(counted), once="one", by=zoe) == first
    with pytest.raises(Refused, match="answers for this school"):
        nudging.ask("LIN", wanted(counted, owner_id=counted.people["cora"]), once="two", by=zoe)
    saturday = SOON + timedelta(days=(5 - SOON.weekday()) % 7)
    with pytest.raises(Refused, match="is no school day"):
        nudging.ask("LIN", wanted(counted, due=saturday), once="sat", by=zoe)
    with pytest.raises(NotFound):
        nudging.ask("ROS", wanted(counted), once="three", by=zoe)
    with pytest.raises(NotAllowed):
        nudging.ask("LIN", wanted(counted), once="four", by=counted.actor("paul"))


# -- the rhythm ----------------------------------------------------------------------------------------------


def held(place: str, day: date) -> None:
    with transaction():
        db.session.add(Review(place=place, day=day, begun_at=now(), begun_by="Zoe Park", ended_at=now(), numbers={}))


def turn(world: World, place: str, login: str = "zoe") -> tuple[date | None, int]:
    (found,) = [one.turn for one in rhythm.of(world.actor(login)) if str(one.place) == place]
    return found.due, found.late


def test_two_weeks_of_school_are_ten_school_days_and_breaks_do_not_count(counted: World) -> None:
    held("network:N1", TODAY - timedelta(days=3))  # a Friday; the week of Thanksgiving has no school
    assert turn(counted, "network:N1") == (date(2026, 12, 4), 0)
    held("school:LIN", TODAY - timedelta(days=18))
    assert turn(counted, "school:LIN") == (date(2026, 11, 12), 2)
    due, late = turn(counted, "school:DOU")
    assert due == date(2026, 8, 28) and late > 40, "never, since the year began"


def test_nothing_is_late_from_before_somebody_could_have_held_it(counted: World) -> None:
    begins = {"since": TODAY - timedelta(days=11)}  # a Thursday in the first week of November
    with transaction():
        db.session.execute(text("UPDATE role_grant SET starts = :since WHERE place = 'school:DOU'"), begins)
    due, late = turn(counted, "school:DOU")
    assert due is not None and due > TODAY and late == 0


def test_a_closed_team_meeting_is_a_school_s_review(counted: World) -> None:
    holding.end(holding.begin("LIN", by=counted.actor("paul")), by=counted.actor("paul"))
    (line,) = [one for one in rhythm.of(counted.actor("zoe")) if one.name == "Lincoln"]
    assert (line.turn.last, line.turn.held_as, line.turn.late) == (TODAY, "meeting", 0)
    assert rhythm.completion(rhythm.of(counted.actor("zoe"))) == [("N1", 1, 2)]


def test_a_late_review_is_told_to_its_place_and_rises(counted: World) -> None:
    counted.give("ada", "Ada Moss", "district_analyst", "district")
    held("network:N1", TODAY)
    held("district", TODAY)
    held("school:ROS", TODAY)
    held("network:N2", TODAY)
    held("school:LIN", TODAY - timedelta(days=18))  # two school days late
    told = {login: None for login in ("paul", "otto", "zoe", "ada")}
    for _ in range(2):
        rhythm.tell_of_late("2026-11-16")
    said = {login: [one.sentence for one in news.read(counted.actor(login))] for login in told}
    due = "The review of {} is due: two weeks of school have passed since the last one."
    assert said == {
        "paul": [due.format("Lincoln")], "otto": [due.format("Douglas")],
        "zoe": ["A review at your places is late."], "ada": ["A review at your places is late."],
    }  # fmt: skip
    assert [one.name for one in rhythm.waiting_for(counted.actor("zoe"))] == ["Douglas"]
    assert [one.name for one in rhythm.waiting_for(counted.actor("paul"))] == ["Lincoln"]


@pytest.mark.parametrize(
    ("kind", "late", "shown"),
    [("school", 0, 1), ("school", 2, 1), ("school", 3, 2), ("school", 6, 3), ("network", 5, 1), ("network", 6, 2),
     ("district", 99, 1)],
)  # fmt: skip
def test_where_a_late_review_is_shown(kind: str, late: int, shown: int) -> None:
    assert len(shown_to(PlaceKind(kind), late)) == shown
    assert rhythm_of().every == 10


def test_the_lists_ask_no_more_for_more_schools(counted: World) -> None:
    app, sent = current_app._get_current_object(), []  # type: ignore[attr-defined]
    for login in ("paul", "zoe"):
        by = counted.actor(login)
        with statements(app) as one:
            rhythm.of(by)
        sent.append(len(one))
    counted.give("ada", "Ada Moss", "district_analyst", "district")
    by = counted.actor("ada")
    with statements(app) as one:
        rhythm.of(by)
    assert sent[0] == sent[1] == len(one)
    assert rows("SELECT count(*) FROM review_line") == [(0,)] and db.session.query(ReviewLine).count() == 0
