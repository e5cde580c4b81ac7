"""Every row of a file is either typed or rejected with its physical line and a sentence."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ew_app.feeds import RefusedFile, Unread, Why, load_format, read
from tests.feeds.files import attendance, whole


def test_a_plain_file_is_typed() -> None:
    file = whole(
        "student_id,school_id,date,code,fraction_absent,minutes_absent,period,reason,last_modified\n"
        "000123,0042,2026-09-14,A,0.5,210,3,ill,2026-09-14T15:02:00Z\n"
    )
    assert file.rows == [
        {
            "student_id": "000123",
            "school_id": "0042",
            "date": date(2026, 9, 14),
            "code": "A",
            "fraction_absent": 500,
            "minutes_absent": 210,
            "period": "3",
            "section_id": None,
            "reason": "ill",
            "last_modified": datetime(2026, 9, 14, 15, 2, tzinfo=UTC),
            "modified_by": None,
        }
    ]


def test_header_names_may_differ_in_case_spaces_and_order() -> None:
    file = whole("CODE , Date,School ID,Student-ID\nA,2026-09-14,42,7\n")
    assert file.rows[0]["student_id"] == "7" and file.rows[0]["school_id"] == "42"


def test_extra_columns_are_left_unread_and_named() -> None:
    file = whole("student_id,school_id,date,code,arrival_time,,\n7,42,2026-09-14,A,09:10,,\n")
    assert file.notes == ["Columns not read: arrival_time."]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_missing_last_one(end: str) -> None:
    file = whole(attendance("1,42,2026-09-14,A", "2,42,2026-09-14,A").rstrip().replace("\n", end))
    assert file.lines == [2, 3] and file.column("code") == ["A", "A"]


@pytest.mark.parametrize("tail", ["\x1a", "\n\x1a", "\n\n\n", "\n   \n", "\n,,,\n", "\n,,,,,,,\n"])
def test_ends_of_files_that_are_no_rows(tail: str) -> None:
    assert whole("student_id,school_id,date,code\n1,42,2026-09-14,A" + tail).rows_in == 1


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert whole(b"\xef\xbb\xbf" + attendance("1,42,2026-09-14,A").encode()).rows_in == 1


def test_windows_1252_is_read_and_said() -> None:
    file = whole("student_id,first_name,last_name\n1,Zoë,Nuñez\n".encode("cp1252"), "students")
    assert file.rows[0]["first_name"] == "Zoë"
    assert "Windows-1252" in file.notes[0]


def test_windows_1252_is_noticed_in_the_last_of_many_rows() -> None:
    rows = [f"{n},Ana,Diaz" for n in range(200_000)] + ["x,Zoë,Diaz"]
    file = whole(("student_id,first_name,last_name\n" + "\n".join(rows)).encode("cp1252"), "students")
    assert file.rows[-1]["first_name"] == "Zoë"


def test_a_stream_that_cannot_be_read_twice() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe = Pipe(attendance("1,42,2026-09-14,A").encode())
    assert [chunk.rows_in for chunk in read(pipe, load_format()["attendance"])] == [1]


def test_lines_are_physical_where_a_quoted_cell_spans_several() -> None:
    file = whole(
        "student_id,name,relation,address\n"
        '1,Ana,mother,"12 Elm St\nApt 3\nChicago"\n'
        "2,Ben,father,9 Oak St\n"
        ",Cy,uncle,\n"
        '3,"Dee ""D"" Fox",aunt,"1, Pine"\n',
        "contacts",
    )
    assert file.lines == [2, 5, 7]
    assert file.problems[0].line == 6
    assert file.rows[0]["address"] == "12 Elm St\nApt 3\nChicago"
    assert file.rows[2]["name"] == 'Dee "D" Fox'


WITH_REASON = "student_id,school_id,date,code,reason\n"


def test_backslashes_before_quotation_marks_are_read_where_the_row_proves_it() -> None:
    found = whole(
        WITH_REASON
        + 'k1,s1,2026-08-18,A,"said \\"sick, fever\\" ok"\nk2,s1,2026-08-18,A,"C:\\"\nk3,s1,2026-08-18,A,ok\n'
    )
    assert found.column("reason") == ['said "sick, fever" ok', "C:\\", "ok"]
    assert (found.lines, found.problems) == ([2, 3, 4], [])
    assert found.notes == ["A backslash before a quotation mark was read as a quotation mark inside the cell: line 2."]


def test_a_backslash_at_the_end_of_a_quotation_swallows_no_other_row() -> None:
    found = whole(WITH_REASON + 'k1,s1,2026-08-18,A,"is 5\\""\nk2,s1,2026-08-18,A,"ok"\nk3,s1,2026-08-18,A,"is 5\\""\n')
    assert found.column("student_id") == ["k1", "k2", "k3"]
    assert (found.lines, found.column("reason")) == ([2, 3, 4], ['is 5"', "ok", 'is 5"'])


def test_a_backslash_that_proves_nothing_stays_a_problem() -> None:
    found = whole(WITH_REASON + 'k1,s1,2026-08-18,A,"said \\"sick, fever\\" ok",x,y\n')
    assert (found.rows, len(found.problems), found.notes) == ([], 1, [])


def test_a_spreadsheets_line_about_the_sign_between_cells_is_no_header() -> None:
    found = whole("sep=;\nstudent_id;school_id;date;code\nk1;s1;2026-08-18;A\n")
    assert (found.lines, found.column("code")) == ([3], ["A"])


@pytest.mark.parametrize("number", ["46252", "46252.0"])
def test_a_spreadsheets_number_for_a_day_says_how_to_save_it(number: str) -> None:
    (problem,) = whole(attendance(f"k1,s1,{number},A")).problems
    assert problem.reason.startswith(
        f"This looks like a spreadsheet's number for a day ({number} is its number for 2026-08-18)"
    )
    assert "save it as CSV again" in problem.reason


def test_lines_stay_physical_over_blank_lines_and_chunks() -> None:
    lines = ["", "1,42,2026-09-14,A", "", '"2",42,2026-09-14,A', "3,42,bad,A", "", "4,42,2026-09-14,A"]
    file = whole(attendance(*lines), chunk_rows=2)
    assert file.lines == [3, 5, 8] and file.problems[0].line == 6


def test_a_short_row_lacks_only_what_is_optional() -> None:
    file = whole("student_id,school_id,date,code,reason\n1,42,2026-09-14,A\n2,42\n")
    assert file.rows[0]["reason"] is None
    assert [(problem.line, problem.column) for problem in file.problems] == [(3, "date")]


def test_a_long_row_is_rejected_unless_the_rest_is_empty() -> None:
    file = whole(attendance("1,42,2026-09-14,A,,", "2,42,2026-09-14,A,late"))
    assert file.lines == [2]
    assert file.problems[0].line == 3 and file.problems[0].value == "late"
    assert "5 cells and the header has 4" in file.problems[0].reason


def test_a_rejected_row_still_tells_whose_day_it_is_about() -> None:
    rows = "k0,s1,2026-08-24,A,50%\nk1,s1,2026-13-24,A,1\n,s1,2026-08-24,A,2\nk2,s1,2026-08-24,A,5,6,7\n"
    rows += "k3,s1,2026-08-24,A,1\n"
    text = "student_id,school_id,date,code,fraction_absent\n" + rows
    (chunk,) = read(io.BytesIO(text.encode()), load_format()["attendance"])
    day = date(2026, 8, 24)
    assert chunk.unread == [Unread(2, "k0", "s1", day, ""), Unread(5, "k2", "s1", day, "")]
    assert (chunk.lines.tolist(), [problem.line for problem in chunk.problems]) == ([6], [2, 3, 4, 5])


def test_null_words_are_empty() -> None:
    file = whole("student_id,school_id,date,code,reason,period\n1,42,2026-09-14,A,NULL,\\N\nNULL,42,2026-09-14,A,,\n")
    assert file.rows[0]["reason"] is None and file.rows[0]["period"] is None
    assert file.problems[0].column == "student_id"


def test_a_nul_byte_rejects_its_line_only() -> None:
    file = whole(attendance("1,42,2026-09-14,A", "2\0,42,2026-09-14,A", "3,42,2026-09-14,A"))
    assert file.lines == [2, 4] and "NUL" in file.problems[0].reason


@pytest.mark.parametrize("mangled", ["1.23E+05", "1E+11", "1,23e+05"])
def test_an_id_that_a_spreadsheet_rounded_is_rejected(mangled: str) -> None:
    file = whole(attendance(f'"{mangled}",42,2026-09-14,A', "12E5,42,2026-09-14,A"))
    assert file.column("student_id") == ["12E5"]
    assert "spreadsheet" in file.problems[0].reason


def test_mangled_ids_are_found_among_many_different_ones() -> None:
    rows = [f"{n},42,2026-09-14,A" for n in range(3000)]
    rows[2000], rows[2001] = "1.2E+09,42,2026-09-14,A", " 77 ,42,2026-09-14,A"
    file = whole(attendance(*rows))
    assert [problem.line for problem in file.problems] == [2002]
    assert file.rows[2000]["student_id"] == "77"


@pytest.mark.parametrize(
    ("text", "thousandths"),
    [("0", 0), ("1", 1000), ("1.000", 1000), (".5", 500), ("0.3337", 333), ("0.9999", 999)],
)
def test_parts_of_a_day_are_exact_thousandths_floored(text: str, thousandths: int) -> None:
    assert whole(f"student_id,school_id,date,code,fraction_absent\n1,42,2026-09-14,A,{text}\n").column(
        "fraction_absent"
    ) == [thousandths]


@pytest.mark.parametrize("text", ["1.0001", "-0.5", "half", "NaN", "1e-1", "50%", "٠.٥"])
def test_what_is_no_part_of_a_day(text: str) -> None:
    file = whole(f"student_id,school_id,date,code,fraction_absent\n1,42,2026-09-14,A,{text}\n")
    assert file.problems[0].column == "fraction_absent" and file.problems[0].value == text


@pytest.mark.parametrize(("text", "good"), [("0", True), ("999", True), ("45.0", True), ("45.5", False), ("-1", False)])
def test_minutes_are_whole_and_not_negative(text: str, good: bool) -> None:
    file = whole(f"student_id,school_id,date,code,minutes_absent\n1,42,2026-09-14,A,{text}\n")
    assert bool(file.rows) is good


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01",
        "2026-09-01T00:00:00Z",
        "2026-09-01T23:30:00-05:00",
        "2026-09-01 00:00:00.000",
        "20260901",
    ],
)
def test_a_date_is_the_day_as_written_whatever_the_clock(text: str) -> None:
    assert whole(attendance(f"1,42,{text},A")).column("date") == [date(2026, 9, 1)]


@pytest.mark.parametrize("text", ["0209-09-01", "1949-12-31", "6209-01-01", "2026-02-30", "2026-9-1", "yesterday"])
def test_dates_that_reject_their_row(text: str) -> None:
    file = whole(attendance(f"1,42,{text},A", "2,42,2200-12-31,A", "3,42,1950-01-01,A"))
    assert [problem.line for problem in file.problems] == [2] and file.problems[0].column == "date"


def test_dates_that_read_two_ways_refuse_the_file() -> None:
    with pytest.raises(RefusedFile, match="two ways.*03/04/2026.*month first or day first") as refused:
        whole(attendance("1,42,03/04/2026,A", "2,42,05/05/2026,A"))
    assert refused.value.why is Why.TWO_WAY_DATES


def test_one_odd_date_among_iso_dates_costs_one_row() -> None:
    file = whole(attendance("1,42,03/04/2026,A", "2,42,2026-04-03,A"))
    assert file.lines == [3] and "2026-09-14" in file.problems[0].reason


def test_a_file_that_tells_its_order_is_not_ambiguous_but_not_iso_either() -> None:
    assert len(whole(attendance("1,42,03/04/2026,A", "2,42,09/14/2026,A")).problems) == 2


def test_a_late_second_chunk_may_still_refuse() -> None:
    rows = ["1,42,2026-09-01,,"] * 4 + ["1,42,2026-09-01,03/04/2026,"]
    header = "student_id,school_id,entry_date,exit_date,grade"
    with pytest.raises(RefusedFile, match="exit_date"):
        whole("\n".join([header, *rows]), "enrollments", chunk_rows=2)


@pytest.mark.parametrize("text", ["true", "YES", "y", "1", "T"])
def test_yes(text: str) -> None:
    assert (
        whole(f"student_id,first_name,last_name,interpreter\n1,A,B,{text}\n", "students").rows[0]["interpreter"] is True
    )


def test_a_mistyped_detail_never_costs_a_student() -> None:
    file = whole("student_id,first_name,last_name,birth_date,iep\n1,Ana,Diaz,0209-01-01,maybe\n", "students")
    assert file.rows[0]["birth_date"] is None and file.rows[0]["iep"] is None
    assert [(warning.line, warning.column) for warning in file.warnings] == [(2, "birth_date"), (2, "iep")]


def test_day_types_in_the_words_of_others() -> None:
    file = whole("school_id,date,day_type\n1,2026-09-01,Make-up\n1,2026-09-02,gala\n", "calendar")
    assert file.column("day_type") == ["make_up"]
    assert "instructional, make_up, holiday" in file.problems[0].reason


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_another_sign_between_cells_is_seen_in_the_header_and_told(mark: str, word: str) -> None:
    text = attendance('1,42,2026-09-14,"A, or B"').replace(",", mark).replace(f"A{mark} or", "A, or")
    file = whole(text)
    assert (file.column("code"), file.lines, file.problems) == (["A, or B"], [2], [])
    assert f"The columns are separated by {word}." in file.notes


def test_a_header_with_commas_is_cut_by_commas_whatever_else_stands_in_it() -> None:
    file = whole("student_id,school_id,date,code,note; of the office; a|b\n1,42,2026-09-14,A,x\n")
    assert file.column("code") == ["A"]
    assert file.notes == ["Columns not read: note; of the office; a|b."]


def test_a_cell_without_end_is_rejected() -> None:
    assert "4096" in whole(attendance(f"1,42,2026-09-14,{'A' * 5000}")).problems[0].reason


@given(
    st.lists(
        st.lists(
            st.one_of(
                st.sampled_from(
                    ["1", "42", "2026-09-14", "A", "", "NULL", "14/9/26", "2026-09-14T08:00:00Z", "1.2E+08"]
                ),
                st.text(alphabet='ab1 ,"\n\r\x1a\0\\é;', max_size=6),
            ),
            max_size=6,
        ),
        max_size=30,
    ),
    st.integers(1, 7),
)
@settings(max_examples=200, deadline=None)
def test_good_and_rejected_are_all_rows_whatever_the_bytes(rows: list[list[str]], chunk_rows: int) -> None:
    """Cells written by a real CSV writer come back as rows, each once, with rising lines."""
    import csv

    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["student_id", "school_id", "date", "code"])
    writer.writerows(rows)
    empty = sum(not any(cell.strip(" \n\r\x1a") for cell in row) for row in rows)
    try:
        file = whole(out.getvalue(), chunk_rows=chunk_rows)
    except RefusedFile as refused:
        assert refused.why in (Why.HEADER_ONLY, Why.NOT_TEXT)
        return
    assert file.rows_in == len(rows) - empty
    every = sorted(file.lines + [problem.line for problem in file.problems])
    assert len(set(every)) == len(every)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_with_a_sentence(tail: bytes) -> None:
    try:
        whole(attendance("1,42,2026-09-14,A").encode() + tail)
    except RefusedFile as refused:
        assert str(refused).endswith(".")
