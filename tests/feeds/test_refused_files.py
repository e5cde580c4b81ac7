"""Files that are never let in, and the sentence that says what to change."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from ew_app.feeds import RefusedFile, Why, load_format
from ew_app.feeds.header import forbidden
from tests.feeds.files import HEADER, attendance, whole


def refused(data: str | bytes, table: str = "attendance", **more: Any) -> RefusedFile:
    with pytest.raises(RefusedFile) as caught:
        whole(data, table, **more)
    return caught.value


def test_header_only_is_not_everyone_present() -> None:
    error = refused(HEADER + "\n\n")
    assert error.why is Why.HEADER_ONLY and "covers.csv" in str(error)


def test_header_only_beside_covers_means_nobody_was_absent() -> None:
    assert whole(HEADER + "\n", may_be_empty=True).rows_in == 0


def test_a_roster_file_may_have_no_rows() -> None:
    assert whole("student_id,name,relation\n", "contacts").rows_in == 0


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\r\n", b"\xef\xbb\xbf\n \n", b"\x1a"])
def test_nothing_in_the_file(data: bytes) -> None:
    assert refused(data).why is Why.EMPTY


def _workbook() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        _workbook(),
        b"%PDF-1.7\n",
        b"\x1f\x8b\x08\0\0",
        attendance("1,42,2026-09-14,A").encode("utf-16"),
        bytes(range(256)) * 8,
        b"<!DOCTYPE html><p>Please log in</p>",
    ],
)
def test_not_a_text_file(data: bytes) -> None:
    error = refused(data)
    assert error.why is Why.NOT_TEXT and "CSV UTF-8" in str(error)


def test_a_missing_column_names_it_and_what_was_found() -> None:
    error = refused("student_number,school_id,date,code\n1,42,2026-09-14,A\n")
    assert error.why is Why.NO_REQUIRED_COLUMN and error.column == "student_id"
    assert str(error) == (
        "attendance.csv needs the column student_id. Found: student_number, school_id, date, code. "
        "Perhaps student_number for student_id: say so on the mapping step."
    )


def test_one_column_says_what_separates_columns() -> None:
    assert "commas, tabs, semicolons or vertical bars" in str(refused("student_id:school_id\n1:42\n"))


def test_a_header_twice() -> None:
    error = refused("student_id,school_id,date,code,Date\n1,42,2026-09-14,A,2026-09-15\n")
    assert error.why is Why.DUPLICATE_COLUMN and error.column == "Date"


def test_more_columns_than_any_export_has() -> None:
    names = [HEADER, *(f"c{n}" for n in range(300))]
    assert refused(",".join(names) + "\n").why is Why.TOO_LARGE


def test_a_row_limit_for_uploads() -> None:
    error = refused(attendance(*["1,42,2026-09-14,A"] * 11), max_rows=10)
    assert error.why is Why.TOO_LARGE and "10 rows" in str(error)


def test_a_quotation_mark_that_never_closes_names_its_line() -> None:
    error = refused(attendance("1,42,2026-09-14,A", '2,42,2026-09-14,"A', "3,42,2026-09-14,A"))
    assert error.why is Why.UNCLOSED_QUOTE and "line 3" in str(error)


def test_a_line_without_end() -> None:
    assert "runs on without an end" in str(refused("x" * 300_000))


def test_a_quotation_mark_that_never_closes_in_a_long_file() -> None:
    rows = [f"{n},42,2026-09-14,A" for n in range(20_000)]
    rows[5] = '5,42,2026-09-14,"A'
    assert "line 7" in str(refused(attendance(*rows)))


@pytest.mark.parametrize(
    "name",
    [
        *[
            "ssn",
            "SSN",
            "Student SSN",
            "student_ssn",
            "studentSsn",
            "StudentSSN",
            "SSN4",
            "ssn_last4",
            "parentssn",
        ],
        *[
            "social_security_number",
            "SocialSecurityNo",
            "Social Security #",
            "soc_sec_num",
            "SS Number",
            "ss#",
        ],
        *["birthplace", "place_of_birth", "Birth City", "birth_country", "cityOfBirth", "countryOfBirthCode"],
        *["stateOfBirthAbbreviation", "birthState", "Lugar de nacimiento"],
        *["citizenship", "citizenshipStatus", "US Citizen", "is_citizen", "immigration_status", "Immigrant"],
        *["visa", "visa_type", "VisaStatus", "nationality", "Nationality Code", "national_origin", "refugee"],
        *["country_of_origin", "i94_number", "daca", "passport_number", "alien_number", "date_entered_us"],
    ],
)
def test_what_a_school_system_must_never_take_in(name: str) -> None:
    error = refused(f"{HEADER},{name}\n1,42,2026-09-14,A,x\n")
    assert error.why is Why.FORBIDDEN_COLUMN and error.column == name and name in str(error)


@pytest.mark.parametrize(
    "name",
    [
        *[
            "class_name",
            "className",
            "classname",
            "class_no",
            "passNumber",
            "ssid",
            "lesson",
            "birth_date",
            "birthDate",
        ],
        *[
            "advisor",
            "advisa_group",
            "supervisor",
            "social_worker",
            "city",
            "state",
            "country",
            "district_residence",
        ],
        *["sess_num", "pass_no", "address_no", "resident_district", "alienation_survey", "place", "envisage"],
        *["session_number", "born_on", "date_of_birth", "social_studies", "homeroom", "grass_number"],
    ],
)
def test_harmless_names_that_contain_the_same_letters(name: str) -> None:
    assert forbidden(name) is None


def test_no_column_of_ours_is_forbidden() -> None:
    names = [column.name for table in load_format().tables.values() for column in table.columns]
    names += [alias for table in load_format().tables.values() for column in table.columns for alias in column.aliases]
    assert [name for name in names if forbidden(name)] == []
