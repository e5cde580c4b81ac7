"""Files, folders and zips taken apart; unsafe zips refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from ew_app.feeds import RefusedFile, Why, delivery_from_bytes, open_deliveries, open_delivery
from tests.feeds.files import HEADER

ROWS = f"{HEADER}\n1,42,2026-09-14,A\n"
COVERS = "school_id,date\n42,2026-09-14\n"


def put(folder: Path, **files: str) -> Path:
    """A folder with these files; '_' in a keyword stands as it is, the ending is .csv."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def zipped(files: dict[str, str | bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def tables(*deliveries: object) -> list[list[str]]:
    return [sorted(part.table for part in delivery.parts) for delivery in deliveries]  # type: ignore[attr-defined]


def test_a_folder_is_known_by_its_file_names(tmp_path: Path) -> None:
    put(tmp_path, STUDENTS="x", attendance=ROWS, covers=COVERS, notes="a,b\n")
    (tmp_path / "today").mkdir()
    delivery = open_delivery([tmp_path])
    assert tables(delivery) == [["attendance", "covers", "students"]]
    assert delivery.ignored == ("notes.csv",)
    assert delivery.told == ("Left unread, because nothing tells what they hold: notes.csv.",)


@pytest.mark.parametrize("name", ["attendance (1)", "attendance(2)", "Attendance - Copy", "attendance copy 2"])
def test_a_second_file_as_a_browser_names_it_is_read_behind_the_first(tmp_path: Path, name: str) -> None:
    folder = put(tmp_path / "a", **{"attendance": ROWS, name: ROWS, "covers": COVERS})
    names = ["attendance.csv", f"{name}.csv"]
    archive = {f"{n}.csv": ROWS for n in (name, "attendance")} | {"covers.csv": COVERS}
    for delivery in (*open_deliveries([folder]), delivery_from_bytes({"up.zip": zipped(archive)})):
        assert [part.name for part in delivery.all("attendance")] == names
    folder.joinpath("covers.csv").unlink()
    assert [delivery.name for delivery in open_deliveries([folder])] == names


def test_what_looks_like_attendance_beside_other_files_is_not_left_alone(tmp_path: Path) -> None:
    folder = put(tmp_path, attendance=ROWS, monday=ROWS, covers=COVERS)
    with pytest.raises(RefusedFile, match=r"monday.csv looks like attendance, .* Name it attendance-2.csv if it does"):
        open_delivery([folder])
    put(tmp_path, students="x")
    assert open_delivery([folder], tables=["students"]).ignored == ("monday.csv",)


def test_bytes_can_be_read_again_and_again(tmp_path: Path) -> None:
    part = open_delivery([put(tmp_path, attendance=ROWS)]).get("attendance")
    assert part is not None
    for _ in range(2):
        with part.open() as stream:
            assert stream.read() == ROWS.encode()


def test_any_name_will_do_for_an_attendance_file_given_by_itself(tmp_path: Path) -> None:
    put(tmp_path, monday=ROWS)
    assert tables(open_delivery([tmp_path / "monday.csv"])) == [["attendance"]]
    assert tables(open_delivery([tmp_path])) == [["attendance"]]


def test_two_strange_files_in_a_folder_are_not_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match="no file we know"):
        open_delivery([put(tmp_path, monday=ROWS, tuesday=ROWS)])


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match=r"no file or folder gone.csv") as caught:
        open_delivery([tmp_path / "gone.csv"])
    assert caught.value.why is Why.NOT_FOUND


def test_the_hash_is_of_tables_and_bytes_not_of_names(tmp_path: Path) -> None:
    one = open_delivery([put(tmp_path / "a", attendance=ROWS, covers=COVERS)])
    two = delivery_from_bytes({"up.zip": zipped({"x/covers.csv": COVERS, "x/Attendance-2026-09-14.csv": ROWS})})
    other = open_delivery([put(tmp_path / "b", attendance=ROWS + "2,42,2026-09-14,A\n", covers=COVERS)])
    assert one.attendance_hash == two.attendance_hash != other.attendance_hash


def test_a_roster_beside_it_does_not_change_an_attendance_hash(tmp_path: Path) -> None:
    bare = open_delivery([put(tmp_path / "a", attendance=ROWS)])
    more = open_delivery([put(tmp_path / "b", attendance=ROWS, students="x")])
    assert bare.attendance_hash == more.attendance_hash and bare.content_hash != more.content_hash


def test_files_in_order_are_a_batch_each(tmp_path: Path) -> None:
    put(tmp_path, tuesday=ROWS, monday=ROWS)
    found = open_deliveries([tmp_path / "tuesday.csv", tmp_path / "monday.csv"])
    assert [delivery.name for delivery in found] == ["tuesday.csv", "monday.csv"]


def test_covers_beside_or_given_belong_to_the_batch(tmp_path: Path) -> None:
    beside = put(tmp_path / "a", today=ROWS, covers=COVERS)
    alone = put(tmp_path / "b", today=ROWS)
    far = put(tmp_path / "c", covers=COVERS)
    assert tables(*open_deliveries([beside / "today.csv"])) == [["attendance", "covers"]]
    assert tables(*open_deliveries([alone / "today.csv", far / "covers.csv"])) == [["attendance", "covers"]]
    assert tables(*open_deliveries([far / "covers.csv"])) == [["covers"]]


def test_files_that_share_covers_are_one_batch(tmp_path: Path) -> None:
    put(tmp_path, monday=ROWS, tuesday=ROWS, covers=COVERS)
    found = open_deliveries([tmp_path / "monday.csv", tmp_path / "tuesday.csv"])
    assert tables(*found) == [["attendance", "attendance", "covers"]]


def test_dated_covers_go_with_their_dated_file(tmp_path: Path) -> None:
    put(
        tmp_path,
        **{f"{table}-2026-09-{day}": ROWS for table in ("attendance", "covers") for day in ("14", "15")},
    )
    found = open_deliveries([tmp_path])
    assert [delivery.name for delivery in found] == ["attendance-2026-09-14.csv", "attendance-2026-09-15.csv"]
    assert tables(*found) == [["attendance", "covers"]] * 2


def test_each_folder_keeps_its_own_covers(tmp_path: Path) -> None:
    first = put(tmp_path / "a", attendance=ROWS, covers=COVERS)
    second = put(tmp_path / "b", attendance=ROWS)
    found = open_deliveries([second / "attendance.csv", first / "attendance.csv"])
    assert tables(*found) == [["attendance"], ["attendance", "covers"]]


def test_a_zip_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "district.zip"
    path.write_bytes(zipped({"district/students.csv": "x", "district/today/attendance.csv": ROWS, "__MACOSX/a": ""}))
    delivery = open_delivery([path])
    assert [part.name for part in delivery.parts] == ["students.csv"]
    assert delivery.told == ("Left unread, because they lie in folders of their own: today/attendance.csv.",)


def test_a_zip_with_a_folder_in_a_folder_is_read_where_nothing_lies_beside_it() -> None:
    deep = delivery_from_bytes({"up.zip": zipped({"a/b/attendance.csv": ROWS, "a/b/covers.csv": COVERS})})
    assert [part.name for part in deep.parts] == ["attendance.csv", "covers.csv"]
    with pytest.raises(RefusedFile, match=r"lie in several folders, as b/attendance.csv: put all of them side by side"):
        delivery_from_bytes({"up.zip": zipped({"a/b/attendance.csv": ROWS, "a/c/covers.csv": COVERS})})


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({f"f{n}.csv": "" for n in range(201)}, "201 files"),
        ({"../students.csv": "x"}, "outside its own folder"),
        ({"/etc/students.csv": "x"}, "outside its own folder"),
        ({"students.csv": b"\0" * 5_000_000}, "100 times its size"),
        ({"students.csv": "x", "Students.csv": "y"}, "same name"),
    ],
)
def test_zips_that_are_not_opened(files: dict[str, str | bytes], sentence: str) -> None:
    with pytest.raises(RefusedFile, match=sentence) as caught:
        delivery_from_bytes({"up.zip": zipped(files)})
    assert caught.value.why is Why.ARCHIVE


def test_a_workbook_is_called_by_its_name() -> None:
    with pytest.raises(RefusedFile, match="up.xlsx is a spreadsheet workbook") as caught:
        delivery_from_bytes({"up.xlsx": zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "x"})})
    assert caught.value.why is Why.NOT_TEXT


def test_a_zip_that_calls_itself_csv_is_left_to_the_reader() -> None:
    delivery = delivery_from_bytes({"attendance.csv": zipped({"attendance.csv": ROWS})})
    assert [part.name for part in delivery.parts] == ["attendance.csv"]


def test_a_zip_that_is_torn() -> None:
    with pytest.raises(RefusedFile, match="cannot be opened as a zip"):
        delivery_from_bytes({"up.zip": zipped({"students.csv": "x" * 1000})[:60]})


def test_a_zip_entry_that_lies_about_its_size() -> None:
    whole = zipped({"students.csv": "student_id\n" * 100}, zipfile.ZIP_STORED)
    torn = whole.replace(b"student_id\nstudent_id", b"student_id\nstudent-id", 1)
    delivery = delivery_from_bytes({"up.zip": torn})
    with pytest.raises(RefusedFile, match="damaged"):
        _ = delivery.content_hash


def test_one_day_of_a_folder_of_dated_days_takes_only_its_own_claim(tmp_path: Path) -> None:
    for day in ("2026-09-14", "2026-09-15"):
        (tmp_path / f"attendance-{day}.csv").write_text(f"student_id,school_id,date,code\n1,10,{day},A\n")
        (tmp_path / f"covers-{day}.csv").write_text(f"school_id,date\n10,{day}\n")
    (delivery,) = open_deliveries([tmp_path / "attendance-2026-09-15.csv"])
    assert [part.name for part in delivery.parts] == ["attendance-2026-09-15.csv", "covers-2026-09-15.csv"]


def test_a_zip_in_a_zip_says_what_to_do() -> None:
    with pytest.raises(RefusedFile, match="It holds another zip, inner.zip, .* unpack it and send inner.zip by itself"):
        delivery_from_bytes({"up.zip": zipped({"inner.zip": zipped({"students.csv": "x"})})})
