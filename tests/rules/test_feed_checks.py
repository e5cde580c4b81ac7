"""When a delivery is believed, and what a person is asked when it is not."""

from __future__ import annotations

from datetime import date

import pytest

from rules.feed_checks import Doubt, Figures, Limits, NewDay, doubts, is_whole

DAY = date(2026, 9, 14)
TEN_USUAL_DAYS = [(40, 400)] * 10


def kinds(limits: Limits | None = None, **figures: object) -> list[Doubt]:
    return [doubt for doubt, _ in doubts(Figures(**{"rows": 1000, **figures}), limits)]  # type: ignore[arg-type]


def test_an_ordinary_file_is_believed() -> None:
    day = NewDay(DAY, 45, 400, TEN_USUAL_DAYS)
    assert kinds(schools=10, usual_schools=[10] * 10, new_schools=10, new_days=[day], stored=100, removed=3) == []


@pytest.mark.parametrize(("off", "held"), [(50, False), (51, True)])
def test_more_than_one_row_in_twenty_off_calendar(off: int, held: bool) -> None:
    assert (kinds(off_calendar=off) == [Doubt.OFF_CALENDAR]) is held


@pytest.mark.parametrize(("rejected", "held"), [(100, False), (101, True)])
def test_more_than_one_row_in_ten_rejected(rejected: int, held: bool) -> None:
    assert (kinds(rejected=rejected) == [Doubt.MANY_REJECTED]) is held


@pytest.mark.parametrize(("rows", "repeated", "held"), [(1000, 100, False), (1000, 101, True), (30, 20, False)])
def test_more_than_one_row_in_ten_about_the_same_student_and_day(rows: int, repeated: int, held: bool) -> None:
    assert (kinds(rows=rows, repeated=repeated) == [Doubt.MANY_REPEATED]) is held


@pytest.mark.parametrize(("schools", "held"), [(8, False), (7, True)])
def test_fewer_than_four_fifths_of_the_usual_schools(schools: int, held: bool) -> None:
    usual = [10, 10, 10, 9, 11, 10, 10, 10, 10, 10, 1, 1, 1, 1]
    assert (kinds(schools=schools, usual_schools=usual, new_schools=schools) == [Doubt.FEW_SCHOOLS]) is held


def test_corrections_alone_may_be_about_one_school_unless_they_speak_for_whole_days() -> None:
    assert kinds(schools=1, usual_schools=[10] * 10, new_schools=0) == []
    assert kinds(schools=1, usual_schools=[10] * 10, new_schools=0, claims_days=True) == [Doubt.FEW_SCHOOLS]


@pytest.mark.parametrize(("thin", "held"), [(2, False), (3, True)])
def test_a_third_of_the_schools_with_too_few_rows(thin: int, held: bool) -> None:
    assert (kinds(made_full=9, thin_schools=thin) == [Doubt.THIN_SCHOOLS]) is held


@pytest.mark.parametrize(
    ("absences", "found"),
    [
        (13, [Doubt.FEW_ABSENCES]),  # a third of 40 is 13.3
        (14, []),
        (120, []),
        (121, [Doubt.MANY_ABSENCES]),
    ],
)
def test_absences_far_from_the_usual(absences: int, found: list[Doubt]) -> None:
    assert kinds(new_days=[NewDay(DAY, absences, 400, TEN_USUAL_DAYS)]) == found


def test_each_new_day_is_looked_at_by_itself() -> None:
    days = [NewDay(DAY, absences, 400, TEN_USUAL_DAYS) for absences in (40, 0, 400)]
    assert kinds(new_days=days) == [Doubt.FEW_ABSENCES, Doubt.MANY_ABSENCES]


def test_a_small_distance_is_never_strange() -> None:
    assert kinds(new_days=[NewDay(DAY, 0, 400, [(20, 400)] * 10)]) == []  # exactly 5% of enrolment away
    assert kinds(new_days=[NewDay(DAY, 4, 10, [(0, 10)] * 10)]) == []  # four students


def test_the_usual_rate_is_taken_to_the_schools_of_the_day() -> None:
    half_the_schools = [(20, 200)] * 10
    assert kinds(new_days=[NewDay(DAY, 40, 400, half_the_schools)]) == []


def test_too_little_is_known_to_be_surprised() -> None:
    assert kinds(new_days=[NewDay(DAY, 0, 400, TEN_USUAL_DAYS[:2])]) == []
    assert kinds(schools=1, new_schools=1, usual_schools=[10, 10]) == []


@pytest.mark.parametrize(("stored", "removed", "held"), [(210, 21, False), (209, 21, True), (100, 20, False)])
def test_many_stored_rows_would_go(stored: int, removed: int, held: bool) -> None:
    assert (kinds(stored=stored, removed=removed) == [Doubt.MANY_REMOVED]) is held


def test_a_first_load_is_only_asked_about_calendar_and_rejects() -> None:
    strange = {"made_full": 3, "thin_schools": 3, "stored": 100, "removed": 100, "first": True}
    assert kinds(**strange) == []
    assert kinds(**strange, off_calendar=100, rejected=200) == [Doubt.OFF_CALENDAR, Doubt.MANY_REJECTED]


def test_limits_are_the_districts_own() -> None:
    assert kinds(Limits().changed_by({"most_rejected": 30}), rejected=300) == []
    with pytest.raises(ValueError, match=r"There is no limit 'most_rejekted'. Known limits: least_schools"):
        Limits().changed_by({"most_rejekted": 30})


def test_sentences_say_what_was_counted_and_what_to_look_at() -> None:
    (_, sentence), *_ = doubts(Figures(rows=1000, new_days=[NewDay(DAY, 3, 400, TEN_USUAL_DAYS)]))
    assert sentence == "3 absences on 2026-09-14, usually about 40. Is the file complete?"


@pytest.mark.parametrize(("students", "due", "whole"), [(80, 100, True), (79, 100, False), (0, 0, False)])
def test_four_fifths_of_the_students_make_a_day_whole(students: int, due: int, whole: bool) -> None:
    assert is_whole(students, due) is whole
