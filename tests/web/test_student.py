"""The page of one student: who may open it, what each reader sees, and that a compartment leaves no trace."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from ew_app.config import Settings
from ew_app.kernel import now, transaction
from ew_app.services.measuring import why
from models.attendance import Batch, BatchFile, Mark, MarkHistory, SchoolDay
from models.audit import AuditRow
from models.base import db
from models.cases import Task
from models.duty import DistrictDay
from models.org import AbsenceCode, CalendarDay, School, Source
from models.people import Stint, Student, SupportFlag
from models.queries import boards as rows
from models.staff import Grant, Person
from models.tiers import Finding, TierChange
from tests.web.conftest import SignInAs, let_in

START = date(2026, 8, 17)
FRIDAY = date(2026, 10, 9)
SCHOOL_DAYS = [day for n in range(54) if (day := START + timedelta(days=n)).weekday() < 5]  # 40 of them
ABSENT = SCHOOL_DAYS[5:35:5]  # 6 of 40 days: Tier 2

SEE_DAYS_ONLY = ["attendance_clerk", "nurse", "stls_liaison", "case_manager", "data_steward", "homeroom_teacher"]
SEE_TIERS = ["principal", "administrator", "social_worker", "counselor"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """It is Friday 9 October."""
    return replace(settings, today=FRIDAY)


@pytest.fixture
def year(app: Flask, world: dict[str, int]) -> dict[str, int]:
    """Forty days at every school; Ana was absent on six of them, without an excuse."""
    with app.app_context(), transaction():
        db.session.execute(delete(CalendarDay))
        source = Source(name="SIS")
        db.session.add_all([source, AbsenceCode(code="A", title="Absent", kind="absence", absent_fraction=1000,
                                                excused="unexcused")])  # fmt: skip
        db.session.flush()
        batch = delivery(source)
        for key in ("LIN", "CAR", "OAK"):
            teach(school(key))
        db.session.add_all(mark(world["ana"], day, batch, line) for line, day in enumerate(ABSENT, 2))
        return world | {"batch": batch.id}


def school(key: str) -> School:
    found = rows.school(key)
    assert found is not None
    return found


def delivery(source: Source) -> Batch:
    batch = Batch(kind="attendance", source=source, status="applied", name="october.csv", sha256="x",
                  received_at=now(), received_by="clerk")  # fmt: skip
    batch.files = [BatchFile(name="october.csv", table_name="attendance", size=1, sha256="x", content=b"")]
    db.session.add(batch)
    db.session.flush()
    return batch


def teach(one: School) -> None:
    for day in SCHOOL_DAYS:
        db.session.add(CalendarDay(school_id=one.id, calendar_key="", day=day, day_type="instructional", weight=1000))
        db.session.add(SchoolDay(school_id=one.id, day=day, status="submitted", feed="exception", rows=0, expected=0))


def said(kind: type[Mark] | type[MarkHistory], student: int, day: date, batch: Batch, line: int, **more: object) -> Any:
    where = {"school_id": school("LIN").id, "student_id": student, "day": day, "period": "", "code": "A"}
    return kind(**where, source_id=batch.source_id, batch_id=batch.id, file=0, line=line, **more)


def mark(student: int, day: date, batch: Batch, line: int) -> Any:
    return said(Mark, student, day, batch, line)


def heading(page: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert found
    return found[1].strip()


def main_part(page: str) -> str:
    """What the page says of the student, without the frame around it."""
    return page.split("<main")[1].split("</main>")[0]


# -- who sees what -------------------------------------------------------------------------------------------


def test_days_of_the_district_are_told_to_all_and_those_of_a_compartment_inside_it_alone(
    app: Flask, sign_in: SignInAs, year: dict[str, int]
) -> None:
    clerk, nurse = sign_in("attendance_clerk"), sign_in("nurse")
    with app.app_context(), transaction():
        db.session.add(
            DistrictDay(
                student_id=year["ana"], day=ABSENT[0], why="bus", author="Clerk", position="Clerk", written_at=now()
            )
        )
    inside = "/students/001/restricted/health"
    nurse.send(f"{inside}/district", {"day": ABSENT[1].isoformat(), "why": "exclusion"})
    assert "Choose the day" in nurse.send(f"{inside}/district", {"day": "", "why": "bus"}, follow_redirects=True).text
    for reader in (clerk, nurse):
        page = main_part(reader.get("/students/001").text)
        assert "Of 6 days away the district caused 1; 5 had other reasons." in page
        assert "the bus was late or did not come" in page and "shots" not in page
    page = main_part(nurse.send(inside, {"reason": "Her shot record"}).text)
    assert "Of 6 days away the district caused 2" in page and "kept out until shots" in page


def test_whoever_may_read_cases_sees_tier_why_and_the_case(sign_in: SignInAs, year: dict[str, int]) -> None:
    for login in SEE_TIERS:
        page = sign_in(login).get("/students/001").text
        assert heading(page) == "Ana is in Tier 2: 6 of 40 days missed"
        assert "Absent 6 of 40 days (15.0%). Tier 2 starts at 10% after 20 days." in page
        assert "10% Tier 2 starts" in page and "is-used" in page
        assert 'href="/cases/1"' in page


def test_whoever_may_not_sees_the_days_and_nothing_decided_about_them(sign_in: SignInAs, year: dict[str, int]) -> None:
    telling = r"\bTier\b|\bWatch\b|\bR\d\d\b|is-used|/cases/|[Cc]hronic|used by a rule</span>"
    for login in SEE_DAYS_ONLY:
        page = main_part(sign_in(login).get("/students/001").text)
        assert heading(page) == "Ana has missed 6 of 40 days"
        assert "cell-unexcused" in page and "october.csv" in page
        assert not re.search(telling, decided(page)), login


def decided(page: str) -> str:
    """The page without the legend, which explains every sign to everybody."""
    return re.sub(r'<ul class="strip-legend".*?</ul>', "", page, flags=re.DOTALL)


def test_a_teacher_who_owns_the_case_sees_the_tier(app: Flask, sign_in: SignInAs, year: dict[str, int]) -> None:
    from models.cases import Case

    with app.app_context(), transaction():
        case = db.session.get(Case, 1)
        assert case is not None
        case.owner_id = year["homeroom_teacher"]
    assert heading(sign_in("homeroom_teacher").get("/students/001").text) == "Ana is in Tier 2: 6 of 40 days missed"


def test_out_of_reach_is_not_there(sign_in: SignInAs, year: dict[str, int]) -> None:
    far = {"principal": ("003", "004", "nobody"), "counselor": ("002",), "homeroom_teacher": ("002",)}
    for login, keys in {**far, "oak_clerk": ("001",)}.items():
        for key in keys:
            assert sign_in(login).get(f"/students/{key}").status_code == 404, (login, key)


def test_a_compartment_leaves_no_trace_on_the_page(app: Flask, sign_in: SignInAs, year: dict[str, int]) -> None:
    """Rule R22 is met for Ana once she is in a temporary living situation; the page stays letter for letter."""
    logins = [*SEE_DAYS_ONLY, *SEE_TIERS]
    before = {login: main_part(sign_in(login).get("/students/001").text) for login in logins}
    with app.app_context(), transaction():
        db.session.add(SupportFlag(student_id=year["ana"], key="stls", compartment="stls"))
    with app.app_context():
        assert "R22" in [reason.rule for reason in why.explain("001", classes={"stls"}).reasons]
    for login in logins:
        assert main_part(sign_in(login).get("/students/001").text) == before[login], login


# -- what is true of the days --------------------------------------------------------------------------------


def test_every_mark_tells_its_file_and_line(sign_in: SignInAs, year: dict[str, int]) -> None:
    page = sign_in("attendance_clerk").get("/students/001").text
    assert f"Absent, october.csv (batch {year['batch']}), line 2" in page


def test_a_corrected_day_is_folded_and_tells_what_it_was(app: Flask, sign_in: SignInAs, year: dict[str, int]) -> None:
    with app.app_context(), transaction():
        batch = db.session.get(Batch, year["batch"])
        assert batch is not None
        more = {"ended": "superseded", "ended_by": batch.id, "ended_at": now()}
        db.session.add(said(MarkHistory, year["ana"], SCHOOL_DAYS[1], batch, 77, **more))
    page = sign_in("attendance_clerk").get("/students/001").text
    assert "is-corrected" in page and "before: Absent, october.csv" in page and "line 77" in page


def test_days_the_school_did_not_send_make_the_tier_a_range(
    app: Flask, sign_in: SignInAs, year: dict[str, int]
) -> None:
    with app.app_context(), transaction():
        gone = SCHOOL_DAYS[36:39]
        db.session.execute(delete(SchoolDay).where(SchoolDay.school_id == school("LIN").id, SchoolDay.day.in_(gone)))
    page = sign_in("principal").get("/students/001").text
    assert "3 days missing" in page and "Tier 2 to Tier 3" in page
    assert "3 days the school did not send" in page
    assert (
        "Until they are known, Ana stands somewhere from Tier 2 to Tier 3. The school is asked, not the family." in page
    )
    clerk = sign_in("attendance_clerk").get("/students/001").text
    assert "3 days missing" not in clerk and "stands somewhere" not in clerk
    assert "3 school days have not come in from the school. Nothing is guessed" in clerk


def test_a_student_of_two_schools_has_both_beside_the_whole(
    app: Flask, sign_in: SignInAs, year: dict[str, int]
) -> None:
    with app.app_context(), transaction():
        ana = db.session.get(Student, year["ana"])
        assert ana is not None
        ana.stints[0].exit_date = SCHOOL_DAYS[19]
        db.session.add(Stint(student_id=ana.id, school_id=school("CAR").id, entry_date=SCHOOL_DAYS[20]))
    page = sign_in("carver_counselor").get("/students/001")
    assert page.status_code == 404, "the case is at Lincoln and not this counselor's"
    with app.app_context(), transaction():
        person(app, "everywhere", "data_steward", "district")
    table = let_in(app, "everywhere").get("/students/001").text.split("Where it was counted")[1]
    read = re.findall(r'<th scope="row">([^<]+)</th><td class="number" data-label="Absent">([^<]+)</td>'
                      r'<td class="number" data-label="Enrolled">([^<]+)<', table)  # fmt: skip
    assert read == [("Wherever enrolled", "3", "40"), ("Lincoln", "3", "20"), ("Carver", "0", "20")]


def person(app: Flask, login: str, role: str, place: str) -> None:
    one = Person(login=login, name=login, created_at=now(), email="", is_demo=False)
    one.grants = [Grant(role=role, place=place, homeroom="", starts=START)]
    db.session.add(one)


def test_why_says_what_was_true_on_the_day_the_rule_was_met(
    app: Flask, sign_in: SignInAs, year: dict[str, int]
) -> None:
    """Later days may have softened the numbers; a reason that contradicts its own line explains nothing."""
    with app.app_context(), transaction():
        reason = why.explain("001").reasons[0]
        for rule, sentence, compartment in ((reason.rule, "Absent 3 of 20 days.", None), ("R22", "Hidden.", "stls")):
            row = Finding(student_id=year["ana"], rule=rule, since=reason.since, sentence=sentence, numbers={})
            row.compartment, row.policy_version, row.recorded_at = compartment, "x", now()
            db.session.add(row)
    page = sign_in("principal").get("/students/001").text
    assert "Absent 3 of 20 days." in page and "Now: absent 6 of 40 days (15.0%)." in page
    assert "Hidden." not in page


def test_the_way_of_the_tier_is_told_newest_first(app: Flask, sign_in: SignInAs, year: dict[str, int]) -> None:
    with app.app_context(), transaction():
        for day, before, after, rule in ((START, 0, 1, "R04"), (FRIDAY, 1, 2, "R07")):
            db.session.add(
                TierChange(student_id=year["ana"], day=day, before=before, after=after, rules=[rule],
                           sentence=f"Because of {rule}.", policy_version="x", recorded_at=now())
            )  # fmt: skip
    page = sign_in("principal").get("/students/001").text
    assert page.index("Moved from Watch to Tier 2") < page.index("Moved from Tier 1 to Watch")
    assert "Because of R07." in page
    assert "Because of" not in sign_in("attendance_clerk").get("/students/001").text


# -- nothing there yet ---------------------------------------------------------------------------------------


def test_before_the_first_file_the_page_says_what_comes_next(sign_in: SignInAs, world: dict[str, int]) -> None:
    page = sign_in("principal").get("/students/001").text
    assert heading(page) == "Ana has no counted school day yet"
    assert "Days appear here once Lincoln has a calendar" in page


def test_a_school_without_a_calendar_has_a_page_too(app: Flask, sign_in: SignInAs, year: dict[str, int]) -> None:
    with app.app_context(), transaction():
        db.session.execute(delete(CalendarDay))
    answer = sign_in("principal").get("/students/001")
    assert answer.status_code == 200
    assert heading(answer.text) == "Ana has no counted school day yet"


def test_a_student_without_an_enrolment_has_a_page(app: Flask, year: dict[str, int]) -> None:
    with app.app_context(), transaction():
        db.session.add(Student(key="009", first_name="New", last_name="Comer"))
        person(app, "everywhere", "data_steward", "district")
    answer = let_in(app, "everywhere").get("/students/009")
    assert answer.status_code == 200
    assert heading(answer.text) == "New has no counted school day yet"


def test_the_gallery_opens_for_whoever_is_signed_in(sign_in: SignInAs, world: dict[str, int]) -> None:
    assert sign_in("partner").get("/gallery").status_code == 200


# -- what only some may open --------------------------------------------------------------------------------------


def test_whoever_looks_after_a_compartment_finds_it_on_every_student_of_the_school(
    sign_in: SignInAs, year: dict[str, int]
) -> None:
    """Whether or not anything is inside: the lock alone tells nothing."""
    liaison = sign_in("stls_liaison")
    for key in ("001", "002"):
        assert f"/students/{key}/restricted/stls" in liaison.get(f"/students/{key}").text
    for login in ("principal", "social_worker", "counselor", "attendance_clerk"):
        assert "restricted/stls" not in sign_in(login).get("/students/001").text
        assert sign_in(login).get("/students/001/restricted/stls").status_code in (403, 404)


def test_opening_from_outside_asks_for_a_reason_and_is_written_down(
    app: Flask, sign_in: SignInAs, year: dict[str, int]
) -> None:
    liaison, path = sign_in("stls_liaison"), "/students/001/restricted/stls"
    assert "Why do you need it?" in liaison.get(path).text
    assert liaison.send(path, {"reason": "  "}).status_code == 422
    assert "Nothing is kept here" in liaison.send(path, {"reason": "A call about the bus card"}).text
    with app.app_context():
        read = select(AuditRow).where(AuditRow.action == "compartment_opened", AuditRow.student_id == year["ana"])
        (row,) = db.session.scalars(read)
        assert row.reason == "A call about the bus card"


def test_whoever_has_a_task_there_opens_it_at_once(app: Flask, sign_in: SignInAs, year: dict[str, int]) -> None:
    with app.app_context(), transaction():
        task = {"kind": "support", "period": "x", "title": "Look at the bus card", "department": "stls"}
        db.session.add(
            Task(
                student_id=year["ben"], school_id=school("LIN").id, compartment="stls", owner_role="stls_liaison",
                owner_id=year["stls_liaison"], due=FRIDAY, created_at=now(), **task,
            )
        )  # fmt: skip
    assert "Look at the bus card" in sign_in("stls_liaison").get("/students/002/restricted/stls").text
