"""The boards: what needs help comes first, numbers add up, nobody is named, small groups stay hidden."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from ew_app.config import Settings
from ew_app.kernel import now, transaction
from ew_app.services.watching import boards, movement, telling
from ew_app.services.watching.boards import Board
from ew_app.services.watching.movement import Unit
from ew_app.web.boards import grade_order
from models.attendance import SchoolDay
from models.base import db
from models.cases import Case, CaseEpisode, Outreach
from models.org import CalendarDay, Network, School
from models.people import Stint, Student
from models.queries import boards as rows
from models.staff import Grant, Person
from models.tiers import Standing, TierCount
from rules.access import Area
from tests.opened import statements
from tests.web.conftest import Browser, SignInAs, let_in

FRIDAY = date(2026, 11, 20)
LAST_FRIDAY = FRIDAY - timedelta(days=7)
MONDAY = FRIDAY - timedelta(days=11)
WEEKDAYS = [day for n in range(12) if (day := MONDAY + timedelta(days=n)).weekday() < 5]
EVERYWHERE = Area(district=True)
COUNTS_ONLY = ("district_analyst", "system_admin", "policy_editor", "records_custodian", "student_support_lead")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """It is Friday 20 November."""
    return replace(settings, today=FRIDAY)


@pytest.fixture
def counted(app: Flask, world: dict[str, int]) -> dict[str, int]:
    """Two weeks of school, counted: Lincoln and Oak through Friday, Carver only through Wednesday."""
    with app.app_context(), transaction():
        db.session.execute(update(Case).values(closed_on=MONDAY))
        db.session.execute(delete(CalendarDay))
        lincoln, carver, oak = (school(key) for key in ("LIN", "CAR", "OAK"))
        for one in (lincoln, carver, oak):
            teach(one, WEEKDAYS)
        for one, through in ((lincoln, FRIDAY), (carver, FRIDAY - timedelta(days=2)), (oak, FRIDAY)):
            submit(one, through)
        count(lincoln, LAST_FRIDAY, "K", (40, 12, 10, 3))
        count(lincoln, LAST_FRIDAY, "1", (30, 5, 5, 4))
        count(lincoln, FRIDAY, "K", (38, 12, 12, 4))
        count(lincoln, FRIDAY, "1", (30, 5, 4, 5))
        count(carver, LAST_FRIDAY, "K", (20, 2, 1, 0))
        count(carver, FRIDAY - timedelta(days=2), "K", (18, 2, 3, 0))
        count(oak, FRIDAY, "K", (50, 0, 0, 0))
    return world


def school(key: str) -> School:
    found = rows.school(key)
    assert found is not None
    return found


def teach(one: School, days: list[date]) -> None:
    db.session.add_all(
        CalendarDay(school_id=one.id, calendar_key="", day=day, day_type="instructional", weight=1000) for day in days
    )


def submit(one: School, through: date) -> None:
    db.session.add_all(
        SchoolDay(school_id=one.id, day=day, status="submitted", feed="exception", rows=0, expected=0)
        for day in WEEKDAYS
        if day <= through
    )


def count(one: School, day: date, grade: str, tiers: tuple[int, int, int, int]) -> None:
    names = ("tier_1", "watch", "tier_2", "tier_3")
    numbers = dict(zip(names, tiers, strict=True))
    db.session.add(TierCount(school_id=one.id, day=day, grade=grade, none=0, too_early=1, **numbers))


def case(number: int, student: int, at: School, *, due: date, owner: int | None) -> Case:
    made = Case(
        number=number, student_id=student, school_id=at.id, tier=2, department="School", owner_role="counselor",
        owner_id=owner, opened=MONDAY, opened_at=now(), due=due, contact_due=due,
    )  # fmt: skip
    db.session.add(made)
    return made


def heading(page: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def words(page: str) -> str:
    """What stands on the page, tags and extra spaces taken out."""
    return re.sub(r"\s+(?=[,.])|(?<=\s)\s+", "", re.sub(r"<[^>]+>|\s", " ", page))


def board_of(app: Flask, area: Area = EVERYWHERE) -> Board:
    with app.app_context():
        return boards.board(rows.schools_in(area), FRIDAY)


# -- numbers -------------------------------------------------------------------------------------------------


def test_lines_and_total_add_up(app: Flask, counted: dict[str, int]) -> None:
    board = board_of(app)
    for name in ("tier_1", "watch", "tier_2", "tier_3", "none", "students", "too_early"):
        assert getattr(board.total.counts, name) == sum(getattr(line.counts, name) for line in board.lines)
        changes = [getattr(line.change, name) for line in board.lines if line.change]
        assert getattr(board.total.change, name) == sum(changes)


def test_a_change_is_against_the_same_weekday_last_week(app: Flask, counted: dict[str, int]) -> None:
    board = board_of(app)
    lincoln = next(line for line in board.lines if line.key == "LIN")
    assert (board.latest, board.before) == (FRIDAY, LAST_FRIDAY)
    assert lincoln.change and (lincoln.change.tier_1, lincoln.change.tier_2, lincoln.change.tier_3) == (-2, 1, 2)
    assert lincoln.change.students == 1


def test_a_school_without_news_since_then_shows_no_change(app: Flask, counted: dict[str, int]) -> None:
    """The same number twice is not "no change": nobody has looked since."""
    with app.app_context(), transaction():
        db.session.execute(
            delete(TierCount).where(TierCount.day > LAST_FRIDAY, TierCount.school_id == school("CAR").id)
        )
    carver = next(line for line in board_of(app).lines if line.key == "CAR")
    assert carver.counts and carver.counts.students == 23
    assert carver.change is None and carver.day == LAST_FRIDAY


def test_networks_are_their_schools_added_up(app: Flask, counted: dict[str, int]) -> None:
    with app.app_context():
        schools = rows.schools_in(EVERYWHERE)
        north, south = sorted(boards.by_network(boards.board(schools, FRIDAY), schools), key=by_name)
    assert north.counts and north.counts.students == 110 + 23 and north.schools == 2
    assert south.counts and south.counts.students == 50 and south.change is None
    assert north.day == FRIDAY - timedelta(days=2), "the earliest of its schools"


def by_name(line: boards.Line) -> str:
    return line.name


def test_movement_adds_up_from_then_to_now(app: Flask, counted: dict[str, int]) -> None:
    """Ana rose from Watch to Tier 2, Ben came from elsewhere in Tier 1, Cleo left Lincoln out of Tier 3."""
    with app.app_context(), transaction():
        lincoln, carver = school("LIN").id, school("CAR").id
        for name, where, since, until, tier in (
            ("ana", lincoln, MONDAY, LAST_FRIDAY, 1),
            ("ana", lincoln, LAST_FRIDAY + timedelta(days=3), None, 2),
            ("ben", lincoln, FRIDAY, None, 0),
            ("cleo", lincoln, MONDAY, LAST_FRIDAY, 3),
            ("cleo", carver, LAST_FRIDAY + timedelta(days=3), None, 3),
        ):
            row = Standing(student_id=counted[name], since=since, until=until, school_id=where, grade="4", tier=tier)
            row.too_early = False
            db.session.add(row)
    with app.app_context():
        told = movement.between([Unit("LIN", "Lincoln", (school("LIN"),))], LAST_FRIDAY, FRIDAY)
    moved = {tier.text: cell for tier, cell in told.by_tier}
    assert (moved["watch"].went, moved["2"].came, moved["1"].new) == (1, 1, 1)
    assert (moved["3"].moved_out, moved["3"].left) == (1, 0), "to Carver"


def test_grades_stand_in_school_order() -> None:
    assert sorted(["10", "2", "K", "", "PK", "1"], key=grade_order) == ["PK", "K", "1", "2", "10", ""]


# -- what needs help -----------------------------------------------------------------------------------------


def test_families_who_wait_come_first_then_cases_without_owner_then_days_not_sent(
    app: Flask, counted: dict[str, int]
) -> None:
    with app.app_context(), transaction():
        case(11, counted["dora"], school("OAK"), due=FRIDAY - timedelta(days=1), owner=counted["counselor"])
        case(12, counted["ana"], school("LIN"), due=FRIDAY, owner=None)
    assert [line.key for line in board_of(app).lines] == ["OAK", "LIN", "CAR"]


def test_only_somebody_reached_ends_the_wait_for_a_first_contact(app: Flask, counted: dict[str, int]) -> None:
    with app.app_context(), transaction():
        case(11, counted["ana"], school("LIN"), due=LAST_FRIDAY, owner=counted["counselor"])
        outreach(counted["ana"], "voicemail", is_contact=False)
    assert board_of(app).total.work.first_contact_late == 1
    with app.app_context(), transaction():
        outreach(counted["ana"], "spoke", is_contact=True)
    work = board_of(app).total.work
    assert (work.first_contact_late, work.in_time, work.asked) == (0, 0, 1), "reached, but after the day set"


def test_a_family_reached_by_the_day_set_is_reached_in_time(app: Flask, counted: dict[str, int]) -> None:
    with app.app_context(), transaction():
        case(11, counted["ana"], school("LIN"), due=FRIDAY, owner=counted["counselor"])
        case(12, counted["cleo"], school("CAR"), due=LAST_FRIDAY, owner=counted["counselor"])
        case(13, counted["dora"], school("OAK"), due=FRIDAY, owner=counted["counselor"])
        outreach(counted["ana"], "spoke", is_contact=True)
    work = board_of(app).total.work
    assert (work.in_time, work.asked) == (1, 2), "Dora's family may still be reached today"


def test_a_case_taken_up_again_waits_for_a_contact_of_its_own(app: Flask, counted: dict[str, int]) -> None:
    with app.app_context(), transaction():
        outreach(counted["ana"], "spoke", is_contact=True)
        again = case(11, counted["ana"], school("LIN"), due=LAST_FRIDAY, owner=counted["counselor"])
        again.episode = 2
        db.session.flush()
        db.session.add(CaseEpisode(case_id=again.id, episode=2, opened=FRIDAY + timedelta(days=1)))
    assert board_of(app).total.work.first_contact_late == 1


def outreach(student: int, outcome: str, *, is_contact: bool) -> None:
    said = {"author_id": None, "author": "A", "position": "Clerk", "written_at": now()}
    db.session.add(
        Outreach(
            student_id=student, on_day=FRIDAY, at=now(), method="call", outcome=outcome, is_contact=is_contact, **said
        )
    )


def test_a_network_lead_reads_which_schools_need_help(sign_in: SignInAs, counted: dict[str, int]) -> None:
    page = sign_in("network_lead").get("/networks/N").text
    assert heading(page) == "1 of 2 schools needs your help this week"
    assert "Through Fri 20 Nov" in page and "1 of 2 schools" in page
    assert "Carver not submitted since Wed 18 Nov" in page
    assert "no attendance since Wed 18 Nov (1 school day)" in words(page)
    assert "Oak" not in page, "a school of another network"


@pytest.mark.parametrize(
    ("login", "path"),
    [
        ("network_lead", "/networks/N"),
        ("network_lead", "/schools/LIN"),
        ("district_analyst", "/district"),
        ("district_analyst", "/networks"),
        ("district_analyst", "/schools"),
        ("network_reengagement_contact", "/networks/N"),
    ],
)
def test_no_student_is_named_on_a_board(sign_in: SignInAs, counted: dict[str, int], login: str, path: str) -> None:
    answer = sign_in(login).get(path)
    assert answer.status_code == 200
    assert not re.search(r"\b(Ana|Ben|Cleo|Dora|Sample|001|002)\b", words(answer.text))


def test_who_needs_help_is_the_same_for_whoever_may_read_the_board(
    app: Flask, sign_in: SignInAs, counted: dict[str, int]
) -> None:
    with app.app_context(), transaction():
        case(11, counted["ana"], school("LIN"), due=LAST_FRIDAY, owner=None)
    pages = {login: sign_in(login).get("/district").text for login in COUNTS_ONLY}
    assert {heading(page) for page in pages.values()} == {"2 of 3 schools need help this week"}
    assert all("Sample" not in page and "/cases/" not in page for page in pages.values())
    assert heading(sign_in("network_lead").get("/networks/N").text) == "2 of 2 schools need your help this week"


def test_numbers_of_an_earlier_school_year_say_so_with_their_year(
    app: Flask, settings: Settings, sign_in: SignInAs, counted: dict[str, int]
) -> None:
    """A year later nothing new has come in: nobody reads that all is well."""
    app.extensions["ew"] = replace(settings, today=FRIDAY.replace(year=2027))
    page = sign_in("policy_editor").get("/networks/N").text
    assert "As of Fri 20 Nov 2026: nothing of this school year has come in" in words(page)


# -- small groups --------------------------------------------------------------------------------------------


def test_whoever_may_see_the_students_reads_exact_grades(sign_in: SignInAs, counted: dict[str, int]) -> None:
    for login in ("principal", "social_worker"):
        page = sign_in(login).get("/schools/LIN").text
        assert "about" not in page.split("By grade")[1].split("</table>")[0]
        assert '<th scope="row">K</th><td class="number" data-label="Tier 1">38</td>' in page


@pytest.mark.parametrize("login", ["network_lead", "district_analyst", "attendance_clerk", "counselor"])
def test_everyone_else_reads_no_small_count_by_grade(sign_in: SignInAs, counted: dict[str, int], login: str) -> None:
    page = sign_in(login).get("/schools/LIN").text
    table = page.split("By grade")[1].split("</table>")[0]
    cells = set(re.findall(r'data-label="(?:Tier|Watch|Students)[^"]*">([^<]+)<', table))
    assert "under 15" in cells and "about 40" in cells
    assert all(re.fullmatch(r"about \d+0|under 15|kept back", cell) for cell in cells)
    assert ">Tier 2 and 3</th>" in table and 'data-label=""' not in table
    assert re.search(r"Tier 3\s*<b>9</b>", page), "the whole school is exact"


# -- nothing there yet ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/schools/LIN", "/networks/N", "/district", "/schools", "/networks"])
def test_before_the_first_file_every_board_says_what_comes_next(sign_in: SignInAs, path: str) -> None:
    login = "system_admin"
    answer = sign_in(login).get(path)
    assert answer.status_code == 200
    assert "No school day has been counted yet" in answer.text


@pytest.mark.parametrize("path", ["/district", "/schools", "/networks"])
def test_without_any_school_the_boards_are_kind(app: Flask, path: str) -> None:
    with app.app_context(), transaction():
        person = Person(login="first", name="First", created_at=now(), email="", is_demo=False)
        person.grants = [Grant(role="system_admin", place="district", homeroom="", starts=MONDAY)]
        db.session.add(person)
    answer = let_in(app, "first").get(path)
    assert answer.status_code == 200
    assert "appear here once a roster" in answer.text


def test_a_network_without_schools_says_so(app: Flask, sign_in: SignInAs, world: dict[str, int]) -> None:
    with app.app_context(), transaction():
        db.session.add(Network(key="E", name="East"))
    assert heading(sign_in("system_admin").get("/networks/E").text) == "No schools belong to East yet"


def test_a_school_without_a_calendar_says_what_is_missing(
    app: Flask, sign_in: SignInAs, counted: dict[str, int]
) -> None:
    with app.app_context(), transaction():
        oak = school("OAK").id
        db.session.execute(delete(CalendarDay).where(CalendarDay.school_id == oak))
        db.session.execute(delete(TierCount).where(TierCount.school_id == oak))
        db.session.execute(delete(SchoolDay).where(SchoolDay.school_id == oak))
    page = sign_in("system_admin").get("/schools/OAK").text
    assert heading(page) == "Oak has no calendar yet"
    assert "Without a calendar no day counts for anybody at Oak" in page
    assert "no calendar yet" in sign_in("system_admin").get("/district").text


def test_whoever_has_one_school_is_taken_there(sign_in: SignInAs, world: dict[str, int]) -> None:
    assert sign_in("principal").get("/schools").location == "/schools/LIN"
    assert sign_in("network_lead").get("/networks").location == "/networks/N"


def test_schools_are_found_by_part_of_a_name(sign_in: SignInAs, counted: dict[str, int]) -> None:
    browser = sign_in("district_analyst")
    assert "Lincoln" in browser.get("/schools?q=linc").text
    assert heading(browser.get("/schools?q=%25").text) == "No school is called “%”"


# -- however many schools ------------------------------------------------------------------------------------


def asked(app: Flask, browser: Browser, path: str) -> int:
    with statements(app) as seen:
        assert browser.get(path).status_code == 200
    return len(seen)


def test_the_number_of_queries_does_not_grow_with_the_schools(
    app: Flask, sign_in: SignInAs, counted: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "AT_ONCE", 0)  # few schools are asked for as many are: told at night
    browser = sign_in("district_analyst")
    places = ("/district", "/networks/N", "/schools/LIN")
    pages = ("", "/movement", "/year", "/groups", "/follow-through")
    paths = [
        *(place + page for place in places for page in pages),
        *("/schools", "/networks", "/today", "/departments", "/integrity", "/what-works", "/goals", "/reviews"),
        *("/nudges", "/figures/district", "/figures/network:N"),
    ]
    tell_as_at_night(app)
    for path in paths:
        browser.get(path)  # what is done once only
    few = {path: asked(app, browser, path) for path in paths}
    with app.app_context(), transaction():
        many_schools(40)
    tell_as_at_night(app)
    assert {path: asked(app, browser, path) for path in paths} == few


def tell_as_at_night(app: Flask) -> None:
    with app.app_context():
        for network in [*db.session.scalars(select(Network.key)), ""]:  # "" is the district
            telling.tell(network, FRIDAY.isoformat())


def many_schools(number: int) -> None:
    north = rows.network("N")
    for place in range(number):
        one = School(key=f"X{place}", name=f"School {place}", network=north, source_id=None)
        student = Student(key=f"X{place}", first_name="A", last_name="B", grade="K")
        student.stints = [Stint(school=one, entry_date=MONDAY)]
        db.session.add_all([one, student])
        db.session.flush()
        teach(one, WEEKDAYS)
        submit(one, FRIDAY - timedelta(days=place % 3))
        count(one, LAST_FRIDAY, "K", (10, 2, 1, 1))
        count(one, FRIDAY, "K", (9, 2, 1, 2))
        case(100 + place, student.id, one, due=MONDAY, owner=None)
