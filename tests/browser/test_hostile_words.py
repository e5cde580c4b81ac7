"""Words that want to be a program stay words: names from a roster, names of files, notes and causes typed in."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from ew_app.feeds import open_delivery
from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest, waiting
from models.base import db
from models.cases import Case
from models.staff import Person
from tests.browser.conftest import Open
from tests.browser.system import System

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "<svg/onload=alert(3)>",
    "' autofocus onfocus=alert(4) x='",
    "</title></textarea><iframe srcdoc='<script>alert(5)</script>'>",
    "{{ 7 * 7 }} ${8*8} javascript:alert(6)//",
)
SCHOOL = '<img src=x onerror=alert("school")>'
CAME_TO_LIFE = (
    "main script, iframe, img[src=x], main svg[onload], [onerror], [onfocus], [autofocus], a[href^=javascript]"
)


@dataclass(frozen=True, slots=True)
class Marked:
    """A case of the social worker, its student, and the hostile name that the student now has."""

    number: int
    student_id: int
    student: str
    name: str


@pytest.fixture(scope="module")
def marked(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marked]:
    """A roster with hostile names goes in by the real import and is taken back afterwards."""
    folder = tmp_path_factory.mktemp("hostile")
    with system.inside():
        mine = select(Case).join(Person, Person.id == Case.owner_id).where(Person.login == "social_worker")
        case = db.session.scalars(mine.where(Case.closed_on.is_(None))).first()
        assert case
        marked = Marked(case.number, case.student_id, case.student.key, HOSTILE[0])
        roster(system.todays_files.parent, folder, [marked.student])
        batch = ingest.receive(kind="roster", name="roster", files=open_delivery([folder]), by=OPERATOR)
        assert waiting.for_batch(batch, lambda *_: None).status == "applied"
    yield marked
    with system.inside():
        ingest.take_back(batch, by=OPERATOR)
        waiting.for_batch(batch, lambda *_: None)


def roster(demo: Path, folder: Path, first: Sequence[str]) -> None:
    """The demo's rows of some students with hostile names and families, and a school that is named so."""
    students = rows(demo / "students.csv")
    chosen = [one for one in students if one["student_id"] in first]
    chosen += [one for one in students if one["student_id"] not in first][: len(HOSTILE) - len(chosen)]
    renamed = {one["student_id"]: name for one, name in zip(chosen, HOSTILE, strict=True)}
    write(folder / "students.csv", [one | {"first_name": renamed[one["student_id"]]} for one in chosen])
    families = [one for one in rows(demo / "contacts.csv") if one["student_id"] in renamed]
    write(folder / "contacts.csv", [one | {"name": renamed[one["student_id"]]} for one in families])
    school = rows(demo / "schools.csv")[0] | {"school_id": "hostile", "name": SCHOOL, "network_name": ""}
    write(folder / "schools.csv", [school])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, found: Sequence[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


def assert_only_words(page: Page) -> None:
    assert page.locator(CAME_TO_LIFE).evaluate_all("all => all.map((one) => one.outerHTML)") == []


@pytest.mark.parametrize(
    "path",
    [
        *("/today", "/caseload?view=all", "/flagged?since=year", "/outreach", "/outreach/{student_id}"),
        *("/cases/{number}", "/cases/{number}/timeline", "/cases/{number}/contacts", "/cases/{number}/outreach"),
        *("/cases/{number}/causes", "/cases/{number}/close", "/students/{student}"),
    ],
)
def test_names_of_students_and_families_are_shown_as_they_are_written(look: Open, marked: Marked, path: str) -> None:
    page = look("social_worker")
    page.goto(path.format(number=marked.number, student_id=marked.student_id, student=marked.student))
    assert_only_words(page)
    if "/" in path[1:]:
        expect(page.locator("main")).to_contain_text(marked.name)


@pytest.mark.parametrize("login, path", [("district_analyst", "/networks/N01"), ("attendance_clerk", "/imports")])
def test_the_name_of_a_school_is_shown_as_it_is_written(look: Open, marked: Marked, login: str, path: str) -> None:
    page = look(login)
    page.goto(path)
    expect(page.locator("main")).to_contain_text(SCHOOL)
    assert_only_words(page)


@pytest.mark.parametrize("words", HOSTILE)
def test_what_is_typed_is_shown_as_it_was_typed(open_window: Open, marked: Marked, words: str) -> None:
    page = open_window("social_worker")
    page.goto(f"/cases/{marked.number}/outreach")
    page.get_by_role("radio", name="Left a voicemail").check()
    page.locator("details.more-fields summary").click()
    page.get_by_label("Note", exact=True).fill(words)
    page.get_by_label("What was agreed").fill(words)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="The contact is saved.")).to_be_visible()
    page.goto(f"/cases/{marked.number}/causes")
    page.get_by_label("What gets in the way?").select_option("B-TECH")
    page.get_by_role("radio", name="Seen by staff").check()
    page.get_by_role("radio", name="Likely").check()
    page.get_by_label("Note").fill(words)
    page.locator("main form").get_by_role("button").click()
    expect(page.locator("ul.causes")).to_contain_text(words)
    assert_only_words(page)
    page.get_by_role("button", name="No longer so").last.click()  # so that the next one may be written down
    page.goto(f"/cases/{marked.number}/notes")
    page.get_by_label("Note", exact=True).fill(words)
    page.get_by_role("button", name="Save the note").click()
    expect(page.get_by_role("status").filter(has_text="The note is saved.")).to_be_visible()
    page.goto(f"/cases/{marked.number}/timeline")
    expect(page.get_by_role("list", name="What happened")).to_contain_text(words)
    assert_only_words(page)


@pytest.mark.parametrize("words", HOSTILE)
def test_what_an_address_says_is_shown_as_text_or_not_at_all(look: Open, marked: Marked, words: str) -> None:
    page = look("social_worker")
    for path in ("/caseload?view=all&q=", "/outreach?back=", "/outreach?q=", "/flagged?tier=", "/students/"):
        page.goto(path + quote(words, safe=""))
        assert_only_words(page)
    clerk = look("attendance_clerk")
    clerk.goto(f"/fix/code?code={quote(words, safe='')}")
    assert_only_words(clerk)


@pytest.mark.parametrize("words", HOSTILE[:3])
def test_the_name_of_a_file_and_its_cells_are_shown_as_text(open_window: Open, marked: Marked, words: str) -> None:
    page = open_window("attendance_clerk")
    page.goto("/imports")
    content = f'student_id,school_id,date,code\n"{words.replace(chr(34), chr(34) * 2)}",610001,2026-11-20,A\n'
    file = {"name": f"{words.replace('/', '|')}.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.get_by_label("Attendance file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Send and check").click()
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Checking")
    assert_only_words(page)
    page.goto("/imports")
    assert_only_words(page)
