"""The contract of columns, and the mapping step that reads files with other names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ew_app.feeds import RefusedFile, Said, load_export, load_format, suggest_mapping
from ew_app.feeds.exports import known_exports
from ew_app.feeds.sources import planned
from models.org import CODE_KINDS, EXCUSES
from tests.feeds.files import export, whole

REQUIRED = {
    "schools": "school_id name network_id network_name",
    "students": "student_id first_name last_name",
    "enrollments": "student_id school_id entry_date",
    "student_changes": "student_id former_student_id",
    "calendar": "school_id date day_type",
    "sessions": "school_id session begin_date end_date instructional_days",
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


@pytest.mark.parametrize("header", ["PeriodName", "per", "block", "Hour", "section_id", "class", "Course Name"])
def test_a_column_that_can_only_name_a_class_is_read_as_the_period_and_said_to_be(header: str) -> None:
    file = whole(f"student_id,school_id,date,code,{header}\n7,42,2026-09-14,A,3\n")
    assert file.rows[0]["period"] == "3"
    assert file.notes == [f"The column {header} was read as period."]


def test_a_period_of_its_own_name_or_a_chosen_one_goes_before_any_other() -> None:
    text = "student_id,school_id,date,code,period,section_id,hour\n7,42,2026-09-14,A,3,10-2,08:30\n"
    assert whole(text).rows[0]["period"] == "3"
    assert whole(text, mapping={"period": "hour"}).rows[0]["period"] == "08:30"
    assert whole(text.replace("period", "reason"), mapping={"reason": "hour"}).rows[0]["period"] == "10-2"


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


def test_a_new_export_is_one_file_without_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "swipes.yaml").write_text(
        """
        format: swipes
        label: Door swipes
        reads: delimited
        dates: dmy
        known_by: [swipes]
        records: {swipes: {has: [Student Number, Day, Gate]}}
        codes: [[Late, tardy, unknown, 0]]
        tables:
          attendance:
            - from: swipes
              where: {Result: [late]}
              columns: {student_id: Student Number, school_id: Gate, date: Day, code: {always: Late}}
        """
    )
    monkeypatch.setattr("ew_app.feeds.exports.FOLDER", tmp_path)
    found = export(
        {"gate.tsv": "Student Number\tDay\tGate\tResult\n07\t14/9/2026\t42\tlate\n08\t14/9/2026\t42\tin time\n"}
    )
    assert found.delivery.format == "swipes"
    assert found.rows("attendance", "student_id", "school_id", "date", "code") == [
        ("07", "42", date(2026, 9, 14), "Late")
    ]


@pytest.mark.parametrize("name", known_exports())
def test_every_export_can_be_read_as_it_is_written(name: str) -> None:
    known = load_export(name)
    words = Said(periods="50").words(known)
    for table, sources in known.tables.items():
        for source in sources:
            assert planned(source, table, words).takers
            assert source.of in known.kinds and all(join.to in known.kinds for join in source.joins)
    assert set(known.known_by) <= set(known.kinds)
    assert all(code.kind in CODE_KINDS and code.excused in EXCUSES for code in known.codes)
