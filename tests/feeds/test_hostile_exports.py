"""XML and JSON made to harm: refused with a sentence, within little memory, and nothing fetched."""

from __future__ import annotations

import io
import json
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from ew_app.feeds import RefusedFile, Why, delivery_from_bytes
from tests.feeds.files import export

ROOT = '<InterchangeStudent xmlns="http://ed-fi.org/5.2.0">{}</InterchangeStudent>'
NAME = "<Name><FirstName>A</FirstName><LastSurname>B</LastSurname></Name>"
STUDENT = f"<Student><StudentUniqueId>{{}}</StudentUniqueId>{NAME}</Student>"


def students(inside: str, before: str = "") -> dict[str, str | bytes]:
    return {"Student.xml": before + ROOT.format(inside)}


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>',
        '<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_a_document_type_is_refused_before_its_first_element(doctype: str) -> None:
    with pytest.raises(RefusedFile, match=r"Student.xml: The file declares a document type"):
        export(students(STUDENT.format("1"), doctype))


def test_an_entity_that_nobody_declared_is_broken_xml() -> None:
    with pytest.raises(RefusedFile, match="The XML is broken on line 1"):
        export(students(STUDENT.format("&secret;")))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(RefusedFile, match="nested more than 60 deep"):
        export(students(f"<Student>{'<a>' * 5000}{'</a>' * 5000}</Student>"))


def test_a_tag_without_an_end_is_refused_early() -> None:
    with pytest.raises(RefusedFile, match="has no end within 4 MB"):
        export(students(f'<Student a="{"x" * (9 << 20)}"/>'))


def test_an_element_with_endless_text_is_refused() -> None:
    with pytest.raises(RefusedFile, match="holds more than 4 MB of text"):
        export(students(STUDENT.format("9" * (6 << 20))))


def test_half_a_file_is_refused_with_its_line() -> None:
    with pytest.raises(RefusedFile, match="The XML is broken on line 1"):
        export({"Student.xml": ROOT.format(STUDENT.format("1"))[:-30]})


def test_an_encoding_that_is_declared_is_read() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>' + ROOT.format(STUDENT.format("1").replace(">A<", ">Zoë<"))
    assert export({"Student.xml": text.encode("latin-1")}).rows("students", "first_name") == [("Zoë",)]


def test_an_encoding_that_nobody_knows_is_refused() -> None:
    with pytest.raises(RefusedFile, match="not a file we know"):
        export({"Student.xml": '<?xml version="1.0" encoding="klingon"?>' + ROOT.format(STUDENT.format("1"))})


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000])
def test_deep_json_is_refused(deep: str) -> None:
    with pytest.raises(RefusedFile, match="The JSON is broken|not an object"):
        export({"students.json": deep})


def test_an_object_without_an_end_is_refused_early() -> None:
    with pytest.raises(RefusedFile, match="The JSON is broken in what begins on line 1"):
        export({"students.json": '{"a": "' + "x" * (12 << 20)})


def test_json_that_is_not_utf8_or_no_objects() -> None:
    with pytest.raises(RefusedFile, match="not UTF-8"):
        export({"students.json": b'{"firstName": "Zo\xeb"}'})
    with pytest.raises(RefusedFile, match="Number 1 of the file is not an object"):
        export({"students.json": "[1, 2]"})


def test_an_endless_name_costs_its_row_and_no_more() -> None:
    long = STUDENT.format("1").replace(">A<", f">{'A' * 200_000}<")
    found = export(students(long + STUDENT.format("2")))
    assert found.rows("students", "student_id") == [("2",)]
    assert "longer than 4096 characters" in found.problems("students")[0]


def test_a_table_with_thousands_of_columns_is_refused() -> None:
    header = "sourcedId,givenName,familyName,username," + ",".join(f"c{number}" for number in range(5_000))
    with pytest.raises(RefusedFile, match="users.csv: This file has 5004 columns; at most 256 are read"):
        export({"users.csv": header + "\n1,A,B,a\n", "manifest.csv": "propertyName,value\n"})


def test_rows_past_16_mb_lie_on_disk_for_as_long_as_they_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("ew_app.feeds.written.IN_MEMORY", 1_000)
    data = {"Student.xml": str(students(STUDENT.format("1") * 30_000)["Student.xml"]).encode()}
    delivery = delivery_from_bytes(data)
    (kept,) = tmp_path.iterdir()
    with delivery.parts[0].open() as first, delivery.parts[0].open() as second:
        assert first.read() == second.read() == kept.read_bytes()
    del delivery
    assert not list(tmp_path.iterdir())


def test_no_room_for_the_rows_of_an_export_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    monkeypatch.setattr("ew_app.feeds.written.IN_MEMORY", 10)
    with pytest.raises(RefusedFile, match="There is no room on this machine"):
        export(students(STUDENT.format("1")))


def test_a_file_cannot_claim_to_be_rows_that_we_made() -> None:
    forged = "@line iso,@problem,student_id,school_id,date,code\n7,,1,1,2026-09-14,A\n7,,2,1,2026-09-14,A\n"
    found = export(students(STUDENT.format("1")) | {"attendance.csv": forged})
    assert found.delivery.ignored == ("attendance.csv",) and not found.rows("attendance", "code")


def test_a_zip_bomb_of_xml_is_not_opened() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Student.xml", ROOT.format(" " * (40 << 20)))
    with pytest.raises(RefusedFile) as refused:
        delivery_from_bytes({"edfi.zip": packed.getvalue()})
    assert refused.value.why is Why.ARCHIVE


def test_memory_stays_small_however_long_the_file() -> None:
    long = students("\n".join(STUDENT.format(number) for number in range(20_000)))
    data = {"Student.xml": str(long["Student.xml"]).encode()}
    tracemalloc.start()
    delivery = delivery_from_bytes(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(data["Student.xml"]) > 2_000_000 and delivery.parts[0].size > 200_000
    assert peak < 3_000_000


def test_an_array_is_read_an_object_at_a_time() -> None:
    rows = [{"studentUniqueId": str(number), "firstName": "A", "lastSurname": "x" * 80} for number in range(15_000)]
    data = {"students.json": json.dumps(rows).encode()}
    tracemalloc.start()
    delivery_from_bytes(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(data["students.json"]) > 2_000_000
    assert peak < 8_000_000
