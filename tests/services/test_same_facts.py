"""The same facts handed over in every format, as a folder and as a zip, measure the same."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest
from ew_app.services.measuring import measures
from tests.edfi_district import ANA, BEN
from tests.feeds.same_facts import FORMS, OURS, Files, Form
from tests.services.lincoln_and_carver import assert_identity
from tests.services.rosters import open_district

COUNTED = ("enrolled_days", "absent_days", "excused_days", "unexcused_days", "tardies", "missing_days", "unknown_days")
FACTS = {ANA: ("3", "1", "1", "0", "1", "0", "0"), BEN: ("3", "1", "0", "1", "0", "0", "0")}


@pytest.fixture(autouse=True)
def district(settings: Settings) -> Iterator[None]:
    with open_district(settings):
        yield


def hand_over(kind: str, files: Mapping[str, bytes], options: dict[str, str]) -> dict[str, Any]:
    batch = ingest.receive(kind=kind, name=kind, files=files, by=OPERATOR, options=options)
    ingest.load(batch)
    told = ingest.describe(batch)
    assert_identity(told)
    assert told["status"] == "applied", told["sentence"]
    return told


def plain(files: Files) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items() if text or name.endswith(".json")}


def zipped(files: Files) -> dict[str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in plain(files).items():
            archive.writestr(f"export/{name}", content)
    return {"export.zip": out.getvalue()}


def measured() -> dict[str, tuple[str, ...]]:
    found = measures.measures(date(2026, 9, 16))
    return {row["student_id"]: tuple(str(row[name]) for name in COUNTED) for row in found}


def expected(form: Form) -> dict[str, tuple[str, ...]]:
    """The facts; where a format does not say what is excused, neither do the measures."""
    return FACTS if form.excuses else {who: (*row[:2], "0", "0", *row[4:]) for who, row in FACTS.items()}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("wrapped", [plain, zipped], ids=["files", "zip"])
def test_the_same_facts_measure_the_same_in_every_format(form: Form, wrapped: Any) -> None:
    if form.name.startswith("oneroster"):
        hand_over("roster", plain({"absence_codes.csv": OURS.roster["absence_codes.csv"]}), {})
    hand_over("roster", wrapped(form.roster), form.options)
    told = hand_over("attendance", wrapped(form.attendance), form.options)
    assert (told["unknown_code"], told["rejected"], told["off_calendar"]) == (0, 0, 0), told["problems"]
    assert measured() == expected(form)
