"""Class periods: what part of a day they are, by the timetable, by what people said, or unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from ew_app import kernel
from ew_app.config import Settings
from ew_app.kernel import OPERATOR
from ew_app.services.deciding import flagging
from ew_app.services.deliveries.periods import UNHEARD
from ew_app.services.measuring import measures, why
from ew_app.services.measuring.judging import judge
from ew_app.services.rosters import codes, fixing
from models.base import db
from models.queries.periods import STORED, said_of_periods
from rules.access import Area
from rules.cells import Status, status
from tests.services.rosters import open_district, rows
from tests.services.test_exports import SCHOOL, TWO, hand_over, stints, undo

DAYS = [date(2026, 9, day) for day in (14, 15, 16, 17, 18)]
SEVEN = ",".join(f"Period{number}" for number in range(1, 8))
KINDS = {
    "absence_codes.csv": "code,title,kind,absent_fraction,excused\n"
    "UNX,Unexcused,absence,1,unexcused\nTDY,Tardy,tardy,,\nACT,Trip,school_function,,\n"
}


@pytest.fixture(autouse=True)
def district(settings: Settings) -> Iterator[None]:
    """A district without any row, on 30 September 2026."""
    with open_district(settings):
        yield


def synergy(*days: str) -> dict[str, str]:
    """Ana's periods on days from 14 September on, a code for all seven; Ben's absence on each of these days."""
    lines = [f"000123,42,09/{14 + n}/2026,,{','.join([code] * 7)}" for n, code in enumerate(days)]
    lines += [f"000124,42,09/{14 + n}/2026,UNX{',' * 7}" for n in range(len(days))]
    return {"attendance.csv": f"SISNumber,SchoolCode,AbsenceDate,AllDayCode,{SEVEN}\n" + "\n".join(lines) + "\n"}


def harbor(**more: str) -> None:
    """A school with a week of September, two students and three codes."""
    week = {"calendar.csv": "school_id,date,day_type\n" + "".join(f"42,{day},instructional\n" for day in DAYS)}
    files = {"schools.csv": SCHOOL, "students.csv": TWO, "enrollments.csv": stints("42")}
    hand_over("roster", files | week | KINDS | more)


def counted(student: str = "000123") -> tuple[str, str, str, str]:
    """Enrolled, absent and unknown days, and tardies."""
    (measure,) = measures.measures(DAYS[-1], student=student)
    enrolled, absent, unknown, tardies = ("enrolled_days", "absent_days", "unknown_days", "tardies")
    return measure[enrolled], measure[absent], measure[unknown], measure[tardies]


def test_periods_nobody_can_add_up_are_neither_absent_nor_present() -> None:
    harbor()
    told = hand_over("attendance", synergy("UNX", "TDY", "ACT"), accept_held=True)
    assert (told["status"], told["rows_in"], told["applied"]) == ("applied", 24, 24)
    assert any(note.startswith("One student's day is told by missed class periods alone") for note in told["notes"])
    assert counted() == ("2", "0", "1", "1")
    (unclear,) = [day for day in why.explain("000123").days if day.state == "unknown"]
    assert unclear.words.endswith("; missed periods 1, 2, 3, 4, 5, 6 and 7")
    assert "nobody has said what part of the day they are" in unclear.words
    assert still_to_mend() == [("Harbor", 1)]


@pytest.mark.parametrize(
    ("code", "words", "absent"),
    [
        ("UNX", "60 of 420 minutes, by the timetable of the school", "0"),
        ("HALF", "30 of 420 minutes, by the timetable of the school", "0"),
        ("NEW", "180 of 360 minutes, by the timetable of the school", "0.5"),
    ],
)
def test_a_day_told_by_periods_is_explained_by_the_figures_that_were_counted(
    code: str, words: str, absent: str
) -> None:
    harbor()
    explained = KINDS["absence_codes.csv"] + "HALF,Half a period,absence,0.5,unexcused\n"
    lines = "".join(f"42,,{number},60,yes\n" for number in range(1, 8))
    schedule = f"school_id,grade,period,minutes,counts\n{lines}42,,8,30,no\n"
    hand_over("roster", {"absence_codes.csv": explained, "schedule.csv": schedule})
    missed = {"UNX": "3 UNX,8 UNX", "HALF": "3 HALF", "NEW": "1 NEW,3 UNX,4 UNX,5 UNX"}[code].split(",")
    rows_of = "".join("000123,42,2026-09-14,{1},{0}\n".format(*row.split()) for row in missed)
    hand_over("attendance", {"attendance.csv": f"student_id,school_id,date,code,period\n{rows_of}"}, accept_held=True)
    assert counted()[1] == absent
    (told,) = [day.words for day in why.explain("000123").days if "missed" in day.words]
    assert told.endswith(f"({words}; 300 minutes there are a day, 150 are half of one)")


def test_a_trip_and_lateness_are_no_absence_however_long_a_period_is() -> None:
    harbor()
    hand_over("attendance", synergy("UNX", "TDY", "ACT"), accept_held=True, options={"periods": "60"})
    assert counted() == ("3", "1", "0", "1")
    assert still_to_mend() == []


def test_whether_missed_periods_are_unclear_is_asked_of_what_the_code_means_on_that_day() -> None:
    harbor()
    hand_over("attendance", synergy("UNX", "TDY", "ACT"), accept_held=True)
    assert still_to_mend() == [("Harbor", 1)]
    for year, left in ((2025, [("Harbor", 1)]), (2026, [])):
        dates = date(year, 9, 1), date(year, 9, 30)
        codes.map_code(codes.Meaning("UNX", "present", valid_from=dates[0], valid_to=dates[1]), by=OPERATOR)
        assert still_to_mend() == left


def test_the_timetable_counts_the_days_that_waited_for_it_and_can_be_taken_back() -> None:
    harbor()
    hand_over("attendance", synergy("UNX", "TDY", "ACT"), accept_held=True)
    assert stored() == (2000, 0)
    lines = "".join(f"42,,{number},60,yes\n" for number in range(1, 8))
    told = hand_over("roster", {"schedule.csv": f"school_id,grade,period,minutes,counts\n{lines}42,,8,30,no\n"})
    assert (told["status"], told["applied"], told["notes"]) == ("applied", 8, [])
    assert (stored(), still_to_mend()) == ((3000, 1000), [])
    assert rows("SELECT count(*) FROM touched_student") == [(0,)]
    undo(told["batch"])
    assert rows("SELECT count(*) FROM class_period") == [(0,)]
    assert (stored(), still_to_mend()) == ((2000, 0), [("Harbor", 1)])


def test_a_timetable_holds_from_its_day_on_and_what_held_before_stays() -> None:
    harbor()
    header = "school_id,grade,period,minutes,counts,valid_from,valid_to\n"
    august = "".join(f"42,,{number},60,yes,,\n" for number in range(1, 8))
    hand_over("roster", {"schedule.csv": header + august})
    missed = "".join(f"000123,42,{day},UNX,{number}\n" for day in DAYS for number in (1, 2, 3))
    hand_over("attendance", {"attendance.csv": "student_id,school_id,date,code,period\n" + missed}, accept_held=True)
    assert counted() == ("5", "2.5", "0", "0")  # 180 of 420 minutes: half a day
    later = "".join(f"42,,{number},{105 if number < 4 else 1},yes,2026-09-16,2026-09-17\n" for number in range(1, 8))
    told = hand_over("roster", {"schedule.csv": header + later})
    assert (told["status"], told["applied"]) == ("applied", 7)
    assert counted() == ("5", "3.5", "0", "0")  # 315 minutes on two of the five days: all but nothing was attended
    undo(told["batch"])
    assert counted() == ("5", "2.5", "0", "0")
    told = hand_over("roster", {"schedule.csv": header + "42,,1,60,yes,2026-09-16,2026-09-15\n"})
    assert told["rejected"] == 1


def test_an_answer_with_a_file_of_which_nothing_goes_in_is_neither_kept_nor_remembered() -> None:
    harbor()
    header = "student_id,school_id,date,code,period\n"
    stray = header + "nobody,42,2026-09-14,UNX,1\n"
    told = hand_over("attendance", {"attendance.csv": stray}, accept_held=True, options={"periods": "60"})
    assert (told["rejected"], told["notes"][-1]) == (1, UNHEARD)
    hand_over("attendance", {"attendance.csv": stray.replace("nobody", "000123")}, accept_held=True)
    assert said_of_periods() == {} and still_to_mend() == [("Harbor", 1)]


def test_a_past_moment_knows_nothing_of_a_later_timetable() -> None:
    harbor()
    hand_over("attendance", synergy("UNX"), accept_held=True)
    before = kernel.now()
    hand_over("roster", {"schedule.csv": "school_id,period,minutes,counts\n42,1,420,yes\n"})
    hand_over("attendance", synergy("UNX", "UNX"), accept_held=True, options={"periods": "60"})
    (then,) = measures.measures(DAYS[-1], student="000123", known_at=before)
    assert (then["absent_days"], then["unknown_days"]) == ("0", "1")


def test_the_answer_for_a_source_counts_its_earlier_rows_and_goes_with_its_delivery() -> None:
    harbor()
    hand_over("attendance", synergy("UNX"), accept_held=True)
    assert stored() == (0, 0)
    told = hand_over("attendance", synergy("UNX", "TDY"), accept_held=True, options={"periods": "rows"})
    assert stored() == (2000, 1000)
    undo(told["batch"])
    assert stored() == (0, 0)


def test_the_same_file_with_an_answer_is_heard_and_without_one_it_came_before() -> None:
    harbor()
    hand_over("attendance", synergy("UNX"), accept_held=True)
    assert stored() == (0, 0)
    told = hand_over("attendance", synergy("UNX"), accept_held=True, options={"periods": "60"})
    assert (told["status"], told["unchanged"]) == ("applied", 8)
    assert stored() == (1000, 1000)
    assert hand_over("attendance", synergy("UNX"), options={"periods": "60"})["status"] == "duplicate"


def test_a_schedule_with_a_period_of_no_minutes_or_an_unknown_school_is_explained() -> None:
    harbor()
    told = hand_over("roster", {"schedule.csv": "school_id,period,minutes,counts\n42,1,0,yes\n43,1,60,yes\n"})
    assert (told["applied"], told["rejected"]) == (0, 2)


def still_to_mend() -> list[tuple[str, int]]:
    """Schools with class periods nobody can add up, and how many days of students."""
    with kernel.transaction():
        listed = fixing.rows("class_periods", Area(district=True), OPERATOR)
    return [(row["school"], row["days"]) for row in listed]


def stored() -> tuple[int, int]:
    """Ana's enrolled and absent days as they were decided; deciding everything anew changes nothing."""
    query = "SELECT enrolled, absent FROM student_status t JOIN student s ON s.id = t.student_id WHERE key = '000123'"
    (kept,) = rows(query)
    flagging.evaluate_all()
    assert rows(query) == [kept]
    return kept[0], kept[1]


def test_a_trip_beside_a_missed_period_does_not_show_that_all_periods_are_listed() -> None:
    harbor()
    told = "studentNumber,schoolNumber,date,periodName,code,status,excuse\n"
    lines = ["000123,42,09/14/2026,1,UNX,A,U", "000123,42,09/14/2026,2,FT,P,X", "000124,42,09/14/2026,1,UNX,A,U"]
    told += "\n".join([*lines, "000124,42,09/14/2026,2,HERE,P,"]) + "\n"
    covers = f"school_id,date\n42,{DAYS[0]}\n"
    hand_over("attendance", {"attendance.csv": told, "covers.csv": covers}, accept_held=True)
    assert counted("000123") == ("0", "0", "1", "0")
    assert counted("000124") == ("1", "0.5", "0", "0")  # a plain "present" is no exception: both periods are listed


@pytest.mark.parametrize("first", [True, False], ids=["the first delivery", "codes known before"])
def test_a_first_delivery_asks_about_missed_periods_by_the_codes_that_its_format_brings(first: bool) -> None:
    """Nobody has explained a code yet: what the format says of its own tells that these periods were missed."""
    harbor()
    header = "studentNumber,schoolNumber,date,periodName,code,status,excuse\n"
    rows_of = "000123,42,09/{0}/2026,1,A,A,U\n000123,42,09/{0}/2026,2,A,A,U\n000124,42,09/{0}/2026,1,T,T,U\n"
    if not first:
        hand_over("attendance", {"attendance.csv": header + rows_of.format(15)}, accept_held=True)
    told = hand_over("attendance", {"attendance.csv": header + rows_of.format(14)}, accept_held=True)
    assert any(note.startswith("One student's day is told by missed class periods alone") for note in told["notes"])
    assert still_to_mend() == [("Harbor", 1 if first else 2)]


# -- one truth: what is counted as unknown, and what people are asked to mend ----------------------------------

SAID_OF_A_ROW = ("UNX", "UNX", "UNX", "OSS", "TDY", "HALF", "EARLY", "ACT", "P", "P", "HB", "NEW", "FROM", "GONE")
MORE_KINDS = (
    "OSS,Suspended,suspension_out,1,exempt\nHALF,Late by half,tardy,0.5,\nEARLY,Left,early_leave,,\n"
    "P,Present,present,,\nHB,At home,homebound,,\nFROM,From home,remote,,\nGONE,Did not join,remote,1,unexcused\n"
)
TIMETABLES = "school_id,period,minutes,counts,valid_from\n" + "".join(
    f"0042,{period},{minutes},{'yes' if minutes else 'no'},2026-09-16\n"
    for period, minutes in (("1", 140), ("2", 140), ("3", 140), ("4", 0))
).replace(",0,no", ",30,no")


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(2, 12))])
def test_over_random_days_those_that_are_not_counted_are_those_that_people_are_asked_about(seed: int) -> None:
    """What is asked of a file before it goes in is what is unknown after; so for what stands after corrections."""
    chance = Random(seed)
    students = [f"{number:06d}" for number in range(1, 25)]
    _two_schools(students)
    first = _random_rows(chance, students)
    told = _send(first)
    asked = sum(_days_asked_about(note) for note in told["notes"])
    assert asked == len(_not_counted()) == len(_to_mend()) > 0
    assert _to_mend() == _not_counted()
    for _ in range(2):
        _send([(*row[:3], chance.choice(SAID_OF_A_ROW), *row[4:]) for row in chance.sample(first, 60)])
        _send(_random_rows(chance, students)[:60])
        assert _to_mend() == _not_counted()


Told = tuple[str, str, date, str, str, str, str]


def _two_schools(students: Sequence[str]) -> None:
    """One without a timetable, and one with a timetable from the middle of the week on."""
    people = "student_id,first_name,last_name\n" + "".join(f"{key},Ana,Reyes\n" for key in students)
    homes = "".join(f"{key},{'0042' if number % 3 else '42'},2026-08-17\n" for number, key in enumerate(students))
    week = "".join(f"{school},{day},instructional\n" for school in ("42", "0042") for day in DAYS)
    files = {
        "schools.csv": SCHOOL,
        "students.csv": people,
        "enrollments.csv": f"student_id,school_id,entry_date\n{homes}",
        "calendar.csv": f"school_id,date,day_type\n{week}",
        "absence_codes.csv": KINDS["absence_codes.csv"] + MORE_KINDS,
        "schedule.csv": TIMETABLES,
    }
    hand_over("roster", files)


def _random_rows(chance: Random, students: Sequence[str]) -> list[Told]:
    """Rows of some days, each of one student with up to four periods and now and then the whole day."""
    found: list[Told] = []
    for number, student in enumerate(students):
        school = "0042" if number % 3 else "42"
        for day in DAYS:
            periods = chance.sample(["1", "2", "3", "4", "5"], chance.randrange(0, 5)) + [""] * (chance.random() < 0.2)
            usual = chance.choice(["P", "UNX", ""])
            for period in periods:
                code = usual if usual and chance.random() < 0.5 else chance.choice(SAID_OF_A_ROW)
                minutes = chance.choice(["", "", "", "", "0", "20", "999"])
                part = chance.choice(["", "", "", "", "", "0", "0.5"]) if not minutes else ""
                found.append((student, school, day, code, period, minutes, part))
    chance.shuffle(found)
    return found


def _send(told: Sequence[Told]) -> dict[str, Any]:
    header = "student_id,school_id,date,code,period,minutes_absent,fraction_absent\n"
    lines = "".join(",".join(map(str, row)) + "\n" for row in told)
    return hand_over("attendance", {"attendance.csv": header + lines}, accept_held=True)


def _days_asked_about(note: str) -> int:
    if "told by missed class periods alone" not in note:
        return 0
    return 1 if note.startswith("One student's day") else int(note.split(" ", 1)[0].replace(",", ""))


def _to_mend() -> set[tuple[str, date]]:
    """Whose days the list of unclear class periods counts."""
    query = f"SELECT DISTINCT s.key, m.day FROM mark m JOIN student s ON s.id = m.student_id WHERE {STORED}"
    with kernel.transaction():
        return {(key, day) for key, day in db.session.execute(text(query), {"said": list(said_of_periods())})}


def _not_counted() -> set[tuple[str, date]]:
    """Whose days are unknown because nobody can add up their periods."""
    with kernel.transaction():
        keys = {number: key for number, key in db.session.execute(text("SELECT id, key FROM student"))}
        judged = judge(sorted(keys))
    assert judged is not None
    row, column = np.nonzero(status(judged.matrix.cells) == Status.UNKNOWN_PERIODS)
    on = judged.matrix.days[column].tolist()
    return {(keys[number], day) for number, day in zip(judged.students[row].tolist(), on, strict=True)}
