"""The contract of columns, and the mapping step that reads files with other names."""

from __future__ import annotations

import pytest

from ew_app.feeds import RefusedFile, load_format, suggest_mapping
from tests.feeds.files import whole

REQUIRED = {
    "schools": "school_id name network_id network_name",
    "students": "student_id first_name last_name",
    "enrollments": "student_id school_id entry_date",
    "calendar": "school_id date day_type",
    "absence_codes": "code title kind absent_fraction excused",
    "contacts": "student_id name relation",
    "attendance": "student_id school_id date code",
    "covers": "school_id date",
    "submitted": "school_id date",
    "prior_year": "student_id school_year enrolled_days absent_days",
    "course_marks": "student_id school_id term course core mark",
    "schedule": "school_id period minutes counts",
    "people": "login name role place from",
}


@pytest.mark.parametrize("table", REQUIRED)
def test_columns_a_file_must_have(table: str) -> None:
    assert " ".join(load_format()[table].required) == REQUIRED[table]


def test_every_table_is_known_here() -> None:
    assert set(load_format().tables) == set(REQUIRED)


def test_an_unknown_format_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="Known formats: csv"):
        load_format("../secret")


def test_a_mapping_reads_their_names() -> None:
    text = "Pupil,Site,On,Mark\n7,42,2026-09-14,A\n"
    file = whole(text, mapping={"student_id": "Pupil", "school_id": "site", "date": "On", "code": "Mark"})
    assert file.rows[0]["student_id"] == "7"


def test_a_mapping_wins_over_the_name() -> None:
    text = "student_id,local_id,school_id,date,code\nx,7,42,2026-09-14,A\n"
    assert whole(text, mapping={"student_id": "local_id"}).rows[0]["student_id"] == "7"


def test_a_column_mapped_away_is_not_read_under_its_old_name() -> None:
    text = "student_id,school_id,date,code,reason\n7,42,2026-09-14,,A\n"
    row = whole(text, mapping={"code": "reason"}).rows[0]
    assert (row["code"], row["reason"]) == ("A", None)


def test_a_mapping_to_nothing_is_refused() -> None:
    with pytest.raises(RefusedFile, match='no column "Pupil" to read student_id from'):
        whole("a,b\n", mapping={"student_id": "Pupil"})


def test_suggestions_come_from_names_and_known_aliases() -> None:
    header = ["StudentNumber", "School Code", "Attendance Date", "att_code", "Comment"]
    assert suggest_mapping(header, load_format()["attendance"]) == {
        "student_id": "StudentNumber",
        "school_id": "School Code",
        "date": "Attendance Date",
        "code": "att_code",
    }


def test_a_column_under_its_own_name_is_suggested_first() -> None:
    table = load_format()["attendance"]
    assert suggest_mapping(["local_id", "student_id"], table) == {"student_id": "student_id"}


def test_no_header_is_suggested_twice() -> None:
    for table in load_format().tables.values():
        header = [alias for column in table.columns for alias in (column.name, *column.aliases)]
        suggested = suggest_mapping(header, table)
        assert len(set(suggested.values())) == len(suggested) == len(table.columns)
