"""The invented district: the same each time, readable by our own reader, and true to life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ew_app.demo import Summary, casework, write_district
from ew_app.demo.casework import Due
from ew_app.demo.people import HOURS
from ew_app.demo.school_year import taught_days
from ew_app.feeds import open_deliveries, open_delivery
from rules.vocabulary import vocabulary
from rules.words import check_words
from tests.demo_files import assert_read_whole, rows

ROLES = {
    *("attendance_clerk", "homeroom_teacher", "counselor", "social_worker", "nurse", "stls_liaison"),
    *("protected_reasons_person", "case_manager", "principal", "network_lead", "network_reengagement_contact"),
    *("district_analyst", "department_contact", "system_admin", "data_steward", "policy_editor", "records_custodian"),
    "student_support_lead",
}


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return write_district(tmp_path_factory.mktemp("district"), students=3000)


def test_sixty_school_days_end_on_the_friday_before_thanksgiving_week(district: Summary) -> None:
    assert (district.first_day, district.last_day, district.days) == (date(2026, 8, 24), date(2026, 11, 20), 60)


def test_our_reader_takes_every_row_and_counts_as_the_summary_does(district: Summary) -> None:
    assert_read_whole(district)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    hashes = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_district(tmp_path / name, schools=3, students=200, days=12, seed=seed)
        hashes[name] = [open_delivery([tmp_path / name / sub]).content_hash for sub in ("", "today")]
    assert hashes["a"] == hashes["b"] != hashes["c"]


def test_about_one_day_in_thirteen_is_missed_and_schools_differ(district: Summary) -> None:
    assert 0.06 < district.absence_rate < 0.10
    shares = sorted(district.chronic_by_school.values())
    assert shares[0] < 0.14 and shares[-1] > 0.20


def test_marks_lie_on_school_days_of_enrolled_children(district: Summary) -> None:
    calendar = {row["date"] for row in rows(district.folder / "calendar.csv") if row["day_type"] == "instructional"}
    stays = {
        (row["student_id"], row["school_id"]): (row["entry_date"], row["exit_date"] or "9999")
        for row in rows(district.folder / "enrollments.csv")
    }
    for row in rows(district.folder / "attendance.csv") + rows(district.folder / "today" / "attendance.csv"):
        entry, leaving = stays[row["student_id"], row["school_id"]]
        assert entry <= row["date"] <= leaving and row["date"] in calendar


def test_today_is_a_file_of_its_own_with_corrections_of_earlier_days(district: Summary) -> None:
    earlier = {row["date"] for row in rows(district.folder / "attendance.csv")}
    today = Counter(row["date"] for row in rows(district.folder / "today" / "attendance.csv"))
    assert max(earlier) == "2026-11-19" and max(today) == "2026-11-20"
    assert today["2026-11-20"] > 50 and len(today) > 3
    assert {row["date"] for row in rows(district.folder / "today" / "covers.csv")} == {"2026-11-20"}


def test_one_mark_for_a_child_and_day(district: Summary) -> None:
    keys = Counter((row["student_id"], row["date"]) for row in rows(district.folder / "attendance.csv"))
    assert max(keys.values()) == 1


def test_excuses_come_in_days_later(district: Summary) -> None:
    marks = rows(district.folder / "attendance.csv")
    late = [row for row in marks if row["last_modified"][:10] > row["date"]]
    assert 0.1 < len(late) / len(marks) < 0.6
    assert {row["code"] for row in late} <= {"AE", "AEHD", "T"}
    assert max(row["last_modified"] for row in marks) < "2026-11-20"


def test_one_school_is_late_by_two_days(district: Summary) -> None:
    ((school, days),) = district.not_submitted.items()
    covers = rows(district.folder / "covers.csv") + rows(district.folder / "today" / "covers.csv")
    sent = {row["date"] for row in covers if row["school_id"] == school}
    assert days == [date(2026, 11, 19), date(2026, 11, 20)]
    assert len(sent) == 58 and not sent & {str(day) for day in days}


def test_four_rows_carry_a_code_that_nobody_explained(district: Summary) -> None:
    known = {row["code"] for row in rows(district.folder / "absence_codes.csv")}
    unknown = [row["code"] for row in rows(district.folder / "attendance.csv") if row["code"] not in known]
    assert unknown == ["QX"] * 4 and district.unknown_code_rows == 4


def test_every_code_of_the_list_but_present_occurs(district: Summary) -> None:
    used = {row["code"] for row in rows(district.folder / "attendance.csv")}
    assert used == {"A", "AE", "AUHD", "AEHD", "T", "SF", "OSS", "ISS", "HB", "QX"}


def longest_runs(marks: list[dict[str, str]]) -> dict[str, int]:
    """Longest run of full absences of each student, over the days on which anyone was marked."""
    days = {day: at for at, day in enumerate(sorted({row["date"] for row in marks}))}
    away: dict[str, set[int]] = {}
    for row in marks:
        if row["code"] in ("A", "AE"):
            away.setdefault(row["student_id"], set()).add(days[row["date"]])
    longest = {}
    for student, on in away.items():
        run = best = 0
        for day in range(len(days)):
            run = run + 1 if day in on else 0
            best = max(best, run)
        longest[student] = best
    return longest


def test_some_have_not_been_heard_of_for_days_and_some_never_came(district: Summary) -> None:
    runs = longest_runs(rows(district.folder / "attendance.csv"))
    assert sum(run >= 5 for run in runs.values()) > 15
    assert any(run >= 59 for run in runs.values())


def test_children_who_move_follow_on_without_a_gap_or_overlap(district: Summary) -> None:
    stays: dict[str, list[dict[str, str]]] = {}
    for row in rows(district.folder / "enrollments.csv"):
        stays.setdefault(row["student_id"], []).append(row)
    moved = [stay for stay in stays.values() if len(stay) == 2]
    assert len(moved) > 20
    assert all(one["exit_date"] < two["entry_date"] and one["school_id"] != two["school_id"] for one, two in moved)
    assert {row["exit_code"] for stay in stays.values() for row in stay} == {
        "",
        "Transferred",
        "Left district",
        "No show",
    }


def test_brothers_and_sisters_share_a_name_and_a_home(district: Summary) -> None:
    homes: dict[str, set[tuple[str, str]]] = {}
    for row in rows(district.folder / "students.csv"):
        homes.setdefault(row["household_id"], set()).add((row["last_name"], row["home_language"]))
    assert all(len(same) == 1 for same in homes.values()) and len(homes) < 2400


def test_three_to_five_in_a_hundred_live_in_temporary_situations(district: Summary) -> None:
    flags = Counter(row["stls"] for row in rows(district.folder / "students.csv"))
    assert 0.025 < flags["true"] / 3000 < 0.055


def test_one_login_for_each_role(district: Summary) -> None:
    people = rows(district.folder / "people.csv")
    assert set(district.logins) == ROLES == {row["role"] for row in people}
    assert district.logins["attendance_clerk"] == "clerk.carver"
    assert district.logins["social_worker"] == "sw.ortiz"


def test_staff_are_placed_in_schools_and_networks_that_exist(district: Summary) -> None:
    schools = rows(district.folder / "schools.csv")
    places = {"district"} | {f"school:{row['school_id']}" for row in schools}
    places |= {f"network:{row['network_id']}" for row in schools}
    people = rows(district.folder / "people.csv")
    assert {row["place"] for row in people} <= places
    assert {row["deputy"] for row in people} <= {"", *(row["login"] for row in people)}
    names: dict[str, str] = {}
    assert all(names.setdefault(row["login"], row["name"]) == row["name"] for row in people)
    assert all(row["email"].endswith("@example.org") for row in people)
    assert all(row["hours"].isdigit() for row in people if row["role"] in HOURS)
    shared = Counter(row["login"] for row in people if row["role"] in ("social_worker", "nurse"))
    assert set(shared.values()) <= {1, 2, 3} and max(shared.values()) > 1


def test_homeroom_teachers_have_homerooms_with_children(district: Summary) -> None:
    students = {row["student_id"]: row["homeroom"] for row in rows(district.folder / "students.csv")}
    rooms = {(row["school_id"], students[row["student_id"]]) for row in rows(district.folder / "enrollments.csv")}
    for row in rows(district.folder / "people.csv"):
        if row["role"] == "homeroom_teacher":
            assert (row["place"].removeprefix("school:"), row["homeroom"]) in rooms


def test_a_full_feed_has_a_row_for_each_enrolled_child_and_day(tmp_path: Path) -> None:
    thin = write_district(tmp_path / "thin", schools=3, students=200, days=12)
    full = write_district(tmp_path / "full", schools=3, students=200, days=12, feed="full")
    every = rows(full.folder / "attendance.csv")
    assert len(every) == len({(row["student_id"], row["date"]) for row in every})
    assert 11 * 190 < len(every) <= 11 * 200
    absent = {(row["student_id"], row["date"], row["code"]) for row in every if row["code"] != "P"}
    said = {(row["student_id"], row["date"], row["code"]) for row in rows(thin.folder / "attendance.csv")}
    assert absent == said


def test_a_file_a_day(tmp_path: Path) -> None:
    summary = write_district(tmp_path, schools=3, students=200, days=12, by_day=True)
    deliveries = open_deliveries([tmp_path / "days"])
    assert len(deliveries) == 12 and all(delivery.has("covers") for delivery in deliveries)
    assert not (tmp_path / "attendance.csv").exists() and summary.rows["covers"] == 36


def test_parts_add_up_to_the_whole_and_bring_corrections(tmp_path: Path) -> None:
    ends = taught_days(12, None)[5], taught_days(12, None)[10]
    write_district(tmp_path, networks=1, schools=6, students=300, days=12, parts=ends)
    told: dict[tuple[str, str], str] = {}
    corrected = 0
    for end in ends:
        for row in rows(tmp_path / "parts" / str(end) / "attendance.csv"):
            key = row["student_id"], row["date"]
            corrected += key in told
            told[key] = row["code"]
    assert corrected > 3
    assert told == {(row["student_id"], row["date"]): row["code"] for row in rows(tmp_path / "attendance.csv")}
    covers = [row for end in ends for row in rows(tmp_path / "parts" / str(end) / "covers.csv")]
    assert covers == rows(tmp_path / "covers.csv")
    late = rows(tmp_path / "late" / "attendance.csv")
    assert {row["date"] for row in late} == {str(ends[1])} and len({row["school_id"] for row in late}) == 1


def test_staff_do_the_same_on_the_same_day_and_leave_some_cases(tmp_path: Path) -> None:
    on = date(2026, 10, 1)
    cases = [Due(f"{number:08d}", 5, 2, "new", reached=number % 2 > 0, late=True) for number in range(400)]
    done = [casework.acts(1, on, case) for case in cases]
    assert done == [casework.acts(1, on, case) for case in cases] != [casework.acts(2, on, case) for case in cases]
    left = [case for case in cases if casework.is_left(1, case.student, case.school)]
    assert 0.5 < len(left) / len(cases) < 0.7
    assert not any(casework.acts(1, on, case) for case in left)


def test_staff_speak_in_words_of_the_vocabulary() -> None:
    for method, outcome, _ in (*casework.REACHED, *casework.MISSED):
        assert vocabulary().outcomes[outcome] in vocabulary().outcomes_for(method)
    for kind, lots in (("cause", casework.CAUSES), ("close_reason", casework.CLOSED)):
        assert [vocabulary().known(kind, key) for key, _ in lots]
    for words in (*casework.AGREED, *casework.HEARD, *casework.NOTED, *casework.GOALS, *casework.CALLED_IN):
        check_words(words)


def test_a_chosen_last_day(tmp_path: Path) -> None:
    summary = write_district(tmp_path, schools=2, networks=1, students=60, days=10, last_day=date(2027, 3, 6))
    assert (summary.first_day, summary.last_day, summary.not_submitted) == (date(2027, 2, 22), date(2027, 3, 5), {})


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"networks": 4, "schools": 3}, "at least one network and a school in each"),
        ({"students": 50}, "at least 120 students"),
        ({"days": 1}, "at least 2 school days"),
        ({"days": 400}, "has 184 days"),
        ({"years": 0}, "at least one school year"),
    ],
)
def test_numbers_that_make_no_district(numbers: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    write: Callable[..., Summary] = write_district
    with pytest.raises(ValueError, match=sentence):
        write(tmp_path, **numbers)
