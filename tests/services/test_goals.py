"""Goals: counted from the days as they stand, never written over, honest about what they ask and cannot tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ew_app.config import Settings
from ew_app.kernel import NotFound, Refused, day_text, now, transaction
from ew_app.services.watching import boards, goal_counts, goal_groups, goals, groups
from ew_app.services.watching.goals import Wanted
from ew_app.web import goal_words
from models import tier_counts
from models.base import db
from models.cases import Case, Outreach
from models.people import Student
from models.queries import boards as boards_of
from models.queries import goals as rows_of
from models.tiers import Standing
from rules.access import Area, NotAllowed, Place
from rules.goals import Measure, Point, before, has_to_change, may_miss, met, sentence
from rules.words import UnfitWords
from tests.opened import on as on_day
from tests.services.world import TODAY, YEAR_BEGAN, World, rows

LINCOLN, NORTH = Place.of_school("LIN"), Place.of_network("N1")
JUNE = date(2027, 6, 11)


@pytest.fixture
def counted(world: World) -> World:
    """Forty at Lincoln, twenty in grade 9; ten came into Tier 2 in October, four of grade 9. Douglas has ten."""
    with transaction():
        for number in range(50):
            student = Student(key=f"p{number}", first_name="P", last_name=str(number), grade="9")
            db.session.add(student)
            db.session.flush()
            at = {"school_id": world.schools["LIN" if number < 40 else "DOU"], "too_early": False}
            at |= {"grade": "9" if number < 20 else "8", "student_id": student.id}
            if number % 5 == 0 or number in (21, 22):
                october = date(2026, 10, 7)
                db.session.add(Standing(since=YEAR_BEGAN, until=october - timedelta(days=1), tier=0, **at))
                db.session.add(Standing(since=october, tier=2, **at))
            else:
                db.session.add(Standing(since=YEAR_BEGAN, tier=0, **at))
    recounted(world, LIN=TODAY, DOU=TODAY)
    return world


def recounted(world: World, **through: date) -> None:
    """Count the days of schools, each through one, as boards count them."""
    keys = {world.schools[key]: day for key, day in through.items()}
    with transaction():
        tier_counts.drop_counts(dict.fromkeys(keys, YEAR_BEGAN))
        tier_counts.fill_counts(dict.fromkeys(keys, YEAR_BEGAN), keys, YEAR_BEGAN)


def put(world: World, login: str = "paul", place: Place = LINCOLN, *, once: str = "form", **more: object) -> str:
    wanted = replace(Wanted(measure="tiers", target=150), **more)  # type: ignore[arg-type]
    return goals.put(place, wanted, once=once, by=world.actor(login))


def count(thread: str, *schools: int) -> list[tuple[date, int, int]]:
    for school in schools:
        goal_counts.count(thread, school)
    return rows_of.points([thread])[thread]


def test_a_goal_is_counted_week_by_week_and_its_beginning_is_kept(counted: World) -> None:
    thread = put(counted)
    assert put(counted) == thread, "the same form twice is one goal"
    points = count(thread, counted.schools["LIN"])
    assert next(one for one in points if one[2]) == (date(2026, 8, 21), 0, 40) and points[-1] == (TODAY, 10, 40)
    assert goal_words.shown(points)[0].day == date(2026, 8, 21)
    assert [day.weekday() for day, _, _ in points[:-1]] == [4] * (len(points) - 1)
    with transaction():
        db.session.execute(db.text("UPDATE standing SET tier = 2 WHERE grade = '8'"))
    assert count(thread, counted.schools["LIN"])[-1][1] > 10, "a correction moves the line"
    goal = goals.one(thread, counted.actor("paul")).goal
    assert (goal.base_part, goal.base_whole, goal.by_day) == (10, 40, JUNE), "and not how it stood when it was set"


def test_its_beginning_is_of_the_day_it_was_set_however_late_it_is_counted(counted: World, settings: Settings) -> None:
    with on_day(replace(settings, today=date(2026, 9, 29))):
        thread = put(counted)
    count(thread, counted.schools["LIN"])
    goal = goals.one(thread, counted.actor("paul")).goal
    assert (goal.base_day, goal.base_on) == (date(2026, 9, 29), date(2026, 9, 25))
    assert (goal.base_part, goal.base_whole) == (0, 40), "ten came into Tier 2 in October"


def test_a_network_adds_its_schools_up_once_all_are_counted(counted: World) -> None:
    thread = put(counted, "zoe", NORTH)
    assert count(thread, counted.schools["LIN"]) == [], "some schools are not the network"
    told = goal_words.told(goals.one(thread, counted.actor("zoe")), [], rows_of.counted_of([thread])[thread])
    assert told["now"] == "is being counted: 1 of 2 schools" and "%" not in told["must"]
    assert rows("SELECT base_whole FROM goal") == [(None,)]
    assert count(thread, counted.schools["DOU"])[-1] == (TODAY, 12, 50)
    assert rows_of.counted_of([thread]) == {thread: (2, 2)}
    assert rows("SELECT base_part, base_whole FROM goal") == [(12, 50)]
    assert rows("SELECT count(*) FROM outbox WHERE job = 'count_goal'") == [(2,)]


def test_a_goal_is_the_number_of_the_board_also_where_a_school_is_behind(counted: World) -> None:
    """Douglas is two days late and one of its ten left since: fifty on the board, as of its last days, and here."""
    behind, last = TODAY - timedelta(days=5), TODAY - timedelta(days=3)  # Wednesday and Friday; today is Monday
    recounted(counted, LIN=last, DOU=behind)
    with transaction():
        db.session.execute(
            db.text("UPDATE standing SET until = :on WHERE student_id = (SELECT id FROM student WHERE key = 'p49')"),
            {"on": behind},
        )
    thread = put(counted, "zoe", NORTH)
    points = count(thread, counted.schools["LIN"], counted.schools["DOU"])
    schools = boards_of.schools_in(Area(networks=frozenset({"N1"})))
    total = boards.board(schools, TODAY).total.counts
    assert total and points[-1] == (last, total.needing, total.students) == (last, 12, 50)
    told = goal_words.told(goals.one(thread, counted.actor("zoe")), points, (2, 2))
    assert told["day"] == day_text(last), "and no day of which nothing has come in"


def test_a_goal_of_a_group_stands_as_its_table_is_told(counted: World) -> None:
    """Twenty of forty at Lincoln are in grade 9. Few of them need help: that is said, and no number."""
    thread = put(counted, subgroup="grade:9")
    goal_counts.count(thread, counted.schools["LIN"])
    assert rows("SELECT count(*) FROM goal_part") == [(0,)], "no count of its own"
    standing = goals.one(thread, counted.actor("paul"))
    table = groups.by_grade(counted.schools["LIN"], TODAY)
    assert table and [table.words(n) for n in table.totals] == ["about 20", "about 20"]
    told = goal_words.told(standing, *goals.stands([standing.goal])[thread])
    assert told["now"] == "too few to tell" and "fewer than 15" in told["must"]


def test_a_goal_of_a_group_tells_its_share_in_tens(counted: World) -> None:
    with transaction():
        db.session.execute(db.text("UPDATE standing SET tier = 2 WHERE grade = '9' AND until IS NULL"))
    recounted(counted, LIN=TODAY, DOU=TODAY)
    thread = put(counted, subgroup="grade:9")
    standing = goals.one(thread, counted.actor("paul"))
    goal_counts.count(thread, counted.schools["LIN"])
    ((day, part, whole),), _ = goals.stands([standing.goal])[thread]
    table = groups.by_grade(counted.schools["LIN"], TODAY)
    assert table and table.day == day and (part, whole) == (table.rows[1][-1], table.totals[1])
    assert goal_words.told(standing, [(day, part, whole)], (0, 0))["now"] == "about 100%"


@pytest.mark.parametrize(
    ("more", "why"),
    [({"subgroup": "grade:3"}, "is not told"), ({"subgroup": "shoe_size:44"}, "is not told"),
     ({"subgroup": "grade:9", "measure": "in_time"}, "only students in Tier 2 or 3"),
     ({"subgroup": "grade:9", "measure": "attendance", "target": 950}, "only students in Tier 2 or 3")],
)  # fmt: skip
def test_a_goal_of_a_group_tells_nothing_that_its_tables_do_not(
    counted: World, more: dict[str, object], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        put(counted, **more)


def test_a_group_has_the_size_of_the_month_and_nobody_sees_one_leave(counted: World) -> None:
    """Eleven of the twenty in grade 9 leave in the middle of the month: until the next one the group is as large."""
    first = date(2026, 11, 2)
    with transaction():
        db.session.execute(
            db.text("UPDATE standing SET until = :on WHERE tier = 0 AND grade = '9' AND student_id IN "
                    "(SELECT id FROM student WHERE key LIKE 'p%' ORDER BY id LIMIT 20) AND until IS NULL"),
            {"on": first + timedelta(days=3)},
        )  # fmt: skip
    recounted(counted, LIN=TODAY, DOU=TODAY)
    assert goal_groups.groups_of([LINCOLN]) == ["grade:8", "grade:9"] and put(counted, subgroup="grade:9")


def test_the_same_goal_is_set_once(counted: World) -> None:
    put(counted)
    with pytest.raises(Refused, match="such a goal already, set on Mon 16 Nov: change it"):
        put(counted, once="again")
    assert put(counted, once="later", by_day=date(2028, 6, 9))


def test_it_is_changed_by_a_new_version_with_a_reason(counted: World) -> None:
    thread, paul = put(counted), counted.actor("paul")
    wanted = Wanted(measure="chronic", target=120, by_day=JUNE, why="The first half went well")
    with pytest.raises(Refused, match="why the goal changes"):
        goals.change(thread, replace(wanted, why=" "), version=1, once="a", by=paul)
    for _ in range(2):
        goals.change(thread, wanted, version=1, once="a", by=paul)
    with pytest.raises(Refused, match="colleague"):
        goals.change(thread, wanted, version=1, once="b", by=paul)
    first, second = sorted(rows("SELECT version, target, measure FROM goal"))
    assert (first, second) == ((1, 150, "tiers"), (2, 120, "tiers")), "what is measured stays"
    goals.end(thread, "The school was joined with another", once="c", by=paul)
    assert goals.of(paul) == [] and len(rows_of.versions(thread)) == 3
    with pytest.raises(Refused, match="has ended"):
        goals.change(thread, wanted, version=3, once="d", by=paul)


@pytest.mark.parametrize(
    ("more", "why"),
    [({"target": 0}, "percentage"), ({"target": None}, "percentage"), ({"target": 1000}, "percentage"),
     ({"measure": "marks"}, "measured"), ({"by_day": TODAY}, "later day"), ({"by_day": date(2040, 1, 1)}, "later day")],
)  # fmt: skip
def test_what_cannot_be_a_goal_is_refused_with_a_sentence(counted: World, more: dict[str, object], why: str) -> None:
    with pytest.raises(Refused, match=why):
        put(counted, **more)


def test_only_who_answers_for_a_place_sets_its_goals(counted: World) -> None:
    for login in ("clara", "cora", "wanda"):
        with pytest.raises(NotAllowed):
            put(counted, login)
    for login, place in (("otto", LINCOLN), ("zoe", LINCOLN), ("zoe", Place.of_network("N2")), ("paul", NORTH)):
        with pytest.raises(NotFound):
            put(counted, login, place)
    thread = put(counted)
    assert goals.one(thread, counted.actor("zoe")).own is False
    with pytest.raises(NotFound):
        goals.one(thread, counted.actor("otto"))
    with pytest.raises(NotFound):
        goals.end(thread, "No", once="x", by=counted.actor("zoe"))


def test_a_strategy_has_somebody_who_leads_it_and_days_to_look(counted: World) -> None:
    thread, paul = put(counted), counted.actor("paul")
    cora, soon = counted.people["cora"], TODAY + timedelta(days=14)
    for words, owner, on, why in (("", cora, soon, "what is done"), ("Greet", None, soon, "Who|who"),
                                  ("Greet", counted.people["otto"], soon, "of this place"),
                                  ("Greet", cora, TODAY - timedelta(days=1), "later day")):  # fmt: skip
        with pytest.raises(Refused, match=why):
            goals.add_strategy(thread, words, owner, on, once="a", by=paul)
    with pytest.raises(UnfitWords):
        goals.add_strategy(thread, "Ask for their visa status", cora, soon, once="a", by=paul)
    for _ in range(2):
        goals.add_strategy(thread, "Greet at the door", cora, soon, once="a", by=paul)
    ((strategy, who, looks),) = rows_of.strategies(thread)
    assert (who, [look.next_on for look in looks]) == ("Cora Bell", [soon])
    for _ in range(2):
        goals.look_at(strategy.id, "Forty greeted a day", None, once="b", by=paul)
    ((_, _, looks),) = rows_of.strategies(thread)
    assert [look.words for look in looks] == ["Forty greeted a day", "Begun"]


def test_families_reached_in_time_are_counted_as_the_boards_count_them(counted: World) -> None:
    began = TODAY - timedelta(days=13)
    with transaction():
        for number, name in enumerate(("ana", "ben")):
            case = Case(
                student_id=counted.students[name], school_id=counted.schools["LIN"], tier=2, department="x",
                opened=began, owner_role="counselor", opened_at=now(), contact_due=began + timedelta(days=2),
            )  # fmt: skip
            db.session.add(case)
            db.session.flush()
            if number:
                db.session.add(
                    Outreach(student_id=case.student_id, on_day=began, at=now(), method="call",
                             outcome="reached_agreed", is_contact=True, author="C", position="C", written_at=now())
                )  # fmt: skip
    assert count(put(counted, measure="in_time"), counted.schools["LIN"])[-1] == (TODAY, 1, 2)


# -- what it asks --------------------------------------------------------------------------------------------


def point(part: int, whole: int, day: date = TODAY) -> Point:
    return Point(day, part, whole)


def test_what_would_have_to_be_true_is_exact() -> None:
    assert has_to_change(Measure.CHRONIC, point(153, 480), 200) == 57
    assert not met(Measure.CHRONIC, point(97, 480), 200) and met(Measure.CHRONIC, point(96, 480), 200)
    said = sentence(Measure.CHRONIC, point(153, 480), 200, "Fri 11 Jun", 0, in_tens=False)
    assert said == (
        "To end at 20% or less, 57 fewer students may be absent 10% or more of their days by Fri 11 Jun; "
        "now it is 153 of 480."
    )
    assert has_to_change(Measure.IN_TIME, point(3, 10), 850) == 6


def test_days_attended_say_what_may_still_be_missed() -> None:
    """940 of 1,000 days attended; with 1,000 ahead the year ends at 95% if 40 of them are missed."""
    assert may_miss(point(940, 1000), 1000, 950) == 40
    assert "at most 4% of the days ahead" in sentence(
        Measure.ATTENDANCE, point(940, 1000), 950, "June", 1000, in_tens=False
    )
    assert "under 95%" in sentence(Measure.ATTENDANCE, point(500, 1000), 950, "June", 1000, in_tens=False)


def test_how_it_went_needs_four_weeks_and_says_what_was() -> None:
    weeks = [point(part, 100, TODAY - timedelta(weeks=4 - n)) for n, part in enumerate((30, 28, 26, 24, 22))]
    assert before(weeks[1:]) is None and before([]) is None
    assert before(weeks) == weeks[0]
    in_tens = sentence(Measure.TIERS, point(20, 120), 150, "June", 0, in_tens=True)
    assert "a few fewer" in in_tens and "about 0" not in in_tens


def test_early_in_the_year_it_says_that_it_cannot_tell() -> None:
    assert "after 20 school days" in sentence(Measure.CHRONIC, None, 200, "June", 0, in_tens=False)
    assert "Too few" in sentence(Measure.TIERS, point(4, 20), 100, "June", 0, in_tens=True)
