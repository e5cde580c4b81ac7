"""Every cell of the confidentiality table, on every way out of the product: pages, JSON and the API, CSV, search, mail,
calendar, log, pages and files of counts, and the wall of a team meeting.

The table is tests/spec/access.yaml, written by hand: role x class, for everybody's records and for one's own. Two
students carry a word of their own in every class; everyone in a role has a task on the case of the second. What each
role can open is read, and every word in it must be allowed by the table. Where a role has a page for what it may
read, the word must stand there.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from ew_app.kernel import SENTENCES, now, today, told_as_of, transaction
from ew_app.services.casework import viewing
from ew_app.services.notices import calendars, digests
from ew_app.services.people import accounts, telling
from models.base import db
from models.cases import Case, Cause, Note, Task
from models.crisis import CrisisOpening
from models.meetings import Meeting, MeetingItem
from models.notices import Mail
from models.org import School
from models.people import Contact, Student, SupportFlag
from models.promises import Promise, PromiseStep
from models.risk import RiskAnswer, RiskExcluded, RiskModel
from models.staff import Person
from models.tiers import Finding, TierCount
from rules.promises import promises
from rules.roles import FieldClass, assignable_roles
from tests.rules.test_access import SPEC, spelled
from tests.web import world as named_world
from tests.web.casebook import case_of, give_task, open_case
from tests.web.conftest import Browser, _settings, close, let_in, ready
from tests.web.test_access import TABLE, allowed, methods
from tests.web.twins import KEPT, a_few_kinds

ROLES = [one.key for one in assignable_roles()]
BY_CASELOAD = {"counselor", "psychologist"}  # whoever is not theirs is out of their sight altogether
FLAG = "Another support is in place"
OTHERS, OWN = "Olga", "Owen"
CLASSES = [one for one in FieldClass if one is not FieldClass.AGG]
LETTERS = {"write": "R", "read": "R", "part": "P", "flag": "F", "aggregate": ".", "none": "."}


def word(field_class: FieldClass, whose: str) -> str:
    """A word that stands in this class of one student and nowhere else."""
    return f"{whose}{str(field_class).title().replace('_', '')}" if field_class is not FieldClass.ROSTER else whose


def right(key: str, field_class: FieldClass, whose: str) -> str:
    """R, P, F or . of a cell, as the table says; out of sight is nothing."""
    cell = dict(zip(SPEC["columns"], map(spelled, SPEC["classes"][key].split()), strict=True))[field_class]
    if whose == OTHERS and key in BY_CASELOAD:
        return "."
    return LETTERS[str(cell.own if whose == OWN else cell.others)]


def may(key: str, permission: str) -> bool:
    return permission in SPEC["may"][key].split()


# -- two students --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(
    new_database: Any, drop_database: Any, redis_url: str, tmp_path_factory: Any
) -> Iterator[tuple[Flask, dict[str, Any]]]:
    url = new_database()
    app = ready(_settings(url, redis_url, tmp_path_factory.mktemp("data")))
    with app.app_context():
        NUMBERS.update(named_world.build())
        with transaction():
            about = {whose: _fill(whose) for whose in (OTHERS, OWN)}
            NUMBERS["meeting"] = _meet(about)
            for number in db.session.scalars(select(School.id)):
                counts = {"tier_1": 40, "watch": 20, "tier_2": 20, "tier_3": 0, "none": 0, "too_early": 0}
                db.session.add(TierCount(school_id=number, day=today() - timedelta(days=1), grade="4", **counts))
            for key in ROLES:
                give_task(about[OWN]["case"], key, f"Errand of {key}", kind=key)
                _note(case_of(about[OWN]["case"]), key, f"Written by {key}")
            _tell_everybody(about)
    yield app, about
    close(app)
    drop_database(url)


def _fill(whose: str) -> dict[str, Any]:
    """A student with a case nobody owns, and a word in every class."""
    number = open_case(f"key-{whose.lower()}", owner=None, next_step=word(FieldClass.CASE, whose))
    case = case_of(number)
    student = db.session.get_one(Student, case.student_id)
    student.first_name, student.homeroom = whose, "4A"
    contact = word(FieldClass.CONTACTS, whose)
    db.session.add(
        Contact(student_id=student.id, name="Aunt", phone=contact, email=f"{contact}Mail", may_receive_mail=True)
    )
    _note(case, "principal", word(FieldClass.NOTES, whose))
    _of_a_model(student, word(FieldClass.RISK, whose))
    for kept in KEPT:
        _keep(case, kept, word(kept, whose))
    return {"case": number, "key": student.key, "id": student.id}


def _of_a_model(student: Student, said: str) -> None:
    """What a risk model and people left of a student: an answer, and the wish to be left out, each with the word."""
    signed: dict[str, Any] = {"author": said, "position": "x", "written_at": now()}
    db.session.add(RiskExcluded(student_id=student.id, reason=said, **signed))
    model = db.session.scalars(select(RiskModel.id).order_by(RiskModel.id)).first()
    about = {"model_id": model, "day": today(), "range_key": "3", "answer": "dismissed", "reason": said}
    db.session.add(RiskAnswer(student_id=student.id, **about, **signed))


NUMBERS: dict[str, Any] = {}  # of the named world, and of the meeting


def _meet(about: dict[str, dict[str, Any]]) -> int:
    """A meeting of Lincoln's team that has decided about both students, with typed words in every field."""
    school = case_of(about[OWN]["case"]).school_id
    meeting = Meeting(school_id=school, day=today(), begun_at=now(), begun_by="Somebody", numbers={})
    db.session.add(meeting)
    db.session.flush()
    for place, (whose, one) in enumerate(about.items(), 1):
        case = case_of(one["case"])
        said = word(FieldClass.CASE, whose)
        task = Task(
            case_id=case.id, student_id=case.student_id, school_id=school, kind="agreed", period=f"meeting/{place}",
            title=said, department="x", owner_role="principal", created_at=now(),
        )  # fmt: skip
        db.session.add(task)
        db.session.flush()
        numbers = {"tier": 2}
        db.session.add(
            MeetingItem(meeting_id=meeting.id, position=place, case_id=case.id, why=["review"], numbers=numbers,
                        decision="act", note=word(FieldClass.NOTES, whose), task_id=task.id)
        )  # fmt: skip
    return meeting.id


def _tell_everybody(about: dict[str, dict[str, Any]]) -> None:
    """A notice for each person about each task and each case, whether or not they may see it."""
    people = list(db.session.scalars(select(Person.id)))
    for task in db.session.scalars(select(Task.id).where(Task.student_id.is_not(None))):
        telling.tell("task_given", people, task_id=task, once=f"task/{task}")
    for one in about.values():
        telling.tell("case_given", people, case_id=case_of(one["case"]).id, once=f"case/{one['case']}")


def _note(case: Case, login: str, text: str, kept: str | None = None) -> None:
    person = db.session.query(Person).filter_by(login=login).one()
    db.session.add(
        Note(case_id=case.id, student_id=case.student_id, compartment=kept, text=text, author_id=person.id,
             author="Somebody", position="x", written_at=now())
    )  # fmt: skip


def _keep(case: Case, kept: FieldClass, text: str) -> None:
    """All that a compartment can hold, each with the word."""
    code, rule, flag, login = KEPT[kept]
    _note(case, login, text, kept)
    about: dict[str, Any] = {"student_id": case.student_id, "compartment": kept}
    signed: dict[str, Any] = {"author": text, "position": "x", "written_at": now()}
    db.session.add(SupportFlag(**about, key=flag))
    db.session.add(Cause(**about, **signed, case_id=case.id, code=code, said_by="staff", confidence="said", note=text))
    db.session.add(
        Finding(**about, rule=rule, since=today(), numbers={}, sentence=text, policy_version="x", recorded_at=now())
    )
    db.session.add(
        Task(**about, case_id=case.id, school_id=case.school_id, kind="support", period=f"kept/{kept}", title=text,
             department="x", owner_role=login, due=today(), created_at=now())
    )  # fmt: skip
    for kind in promises().of(kept)[:1]:
        promise = Promise(**about, **signed, school_id=case.school_id, kind=kind.key, what=text, asked_on=today())
        db.session.add(promise)
        db.session.flush()
        db.session.add(PromiseStep(**signed, promise_id=promise.id, state="asked", on_day=today(), note=text))


# -- the ways out --------------------------------------------------------------------------------------------------


WAYS = ("html", "json", "api", "csv", "search", "mail", "feed", "log", "counts", "wall")
# Screens of counts, which name no student to anybody, and what they give away as files.
OF_COUNTS = ("boards", "departments", "figures", "follow_through", "goals", "groups", "integrity", "movement", "nudges",
             "over_year", "published", "reviews", "week", "what_works")  # fmt: skip
FILES = {
    "figures.take": ("csv", "grades"),
    **dict.fromkeys(("boards.school", "boards.network", "boards.district"), ("xlsx",)),
}
DAYS = timedelta(days=2)
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # nine in the morning in Chicago


@dataclass
class Told:
    """What a role was told, by channel."""

    html: str = ""
    case: dict[str, str] = field(default_factory=dict)
    json: str = ""
    csv: str = ""
    search: str = ""
    mail: str = ""
    feed: str = ""
    log: str = ""
    api: str = ""
    counts: str = ""
    wall: str = ""

    @property
    def ways(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in WAYS}


def pages(about: dict[str, Any]) -> list[str]:
    case, key = f"/cases/{about['case']}", about["key"]
    return [
        *(f"{case}{tab}" for tab in ("", "/timeline", "/plan", "/tasks", "/contacts", "/restricted", "/outreach")),
        *(f"{case}/causes", f"{case}/notes", f"/students/{key}", f"/outreach/{about['id']}"),
        *(f"/students/{about['id']}/risk", f"/students/{about['id']}/risk/leave-out"),
    ]


def told(app: Flask, about: dict[str, dict[str, Any]], key: str, caplog: pytest.LogCaptureFixture) -> Told:
    """Everything that somebody in this role can get to see."""
    browser, heard = let_in(app, key), Told()
    lists = [
        "/today",
        "/caseload?view=all",
        "/flagged?since=year",
        "/outreach",
        "/fix/unmatched",
        "/letters",
        "/news",
        "/crisis",
        "/consider",
    ]
    opened = [browser.get(path).text for path in (*lists, *(f"/supports/{one}" for one in KEPT))]
    for whose, one in about.items():
        heard.case[whose] = browser.get(f"/cases/{one['case']}").text
        opened += [browser.get(path).text for path in pages(one)]
        opened += [_unlocked(browser, one, kept) for kept in KEPT]
    heard.html = "\n".join(opened)
    heard.csv = browser.get("/quality.csv").text + _taken(browser)
    words = [word(one, whose) for whose in about for one in CLASSES if one is not FieldClass.ROSTER]
    heard.api = "\n".join(readable(browser, path) for path in addresses(app, key, ("api",)))
    heard.counts = "\n".join(readable(browser, path) for path in addresses(app, key, OF_COUNTS))
    walls = (f"/meeting/{NUMBERS['meeting']}{page}?view=room" for page in ("", "/students/1", "/students/2"))
    heard.wall = "\n".join(browser.get(path).text for path in walls)
    heard.search = "\n".join(_found(browser, path, words) for path in SEARCHES)
    with app.app_context():
        heard.json, heard.csv = _scripts(about, key), heard.csv + _cases(key)
        heard.mail, token = _digest(key), calendars.new_address(accounts.acting_as(key)).rpartition("/")[2]
        heard.feed = calendars.feed(token.removesuffix(".ics")).decode()
    heard.log = caplog.text
    return heard


def addresses(app: Flask, key: str, screens: tuple[str, ...]) -> list[str]:
    """What routes.yaml lets a role open of these screens, with every form of a file."""
    found = [
        (endpoint, probe["path"].format(**NUMBERS))
        for endpoint, probes in TABLE.items()
        for probe in probes
        if endpoint.partition(".")[0] in screens and "GET" in methods(app, endpoint) and key in allowed(probe)
    ]
    more = [f"{path}?form={form}" for endpoint, path in found for form in FILES.get(endpoint, ())]
    return list(dict.fromkeys([*(path for _, path in found), *more]))


def readable(browser: Browser, path: str) -> str:
    """An answer as text; a workbook as what its parts say."""
    answer = browser.get(path)
    assert answer.status_code in (200, 302), f"{path} answered {answer.status_code}"
    if not answer.data.startswith(b"PK"):
        return str(answer.text)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        return "\n".join(book.read(part).decode() for part in book.namelist() if part.endswith(".xml"))


def _taken(browser: Browser) -> str:
    """The caseload as a file, for whoever may take it along."""
    answer = browser.send("/caseload/file?view=all", {"reason": "The work of the day"})
    return str(answer.text) if answer.mimetype == "text/csv" else ""


def _unlocked(browser: Browser, about: dict[str, Any], kept: FieldClass) -> str:
    """A compartment opened with a reason, from the case and from the student."""
    paths = (f"/cases/{about['case']}/restricted/{kept}", f"/students/{about['key']}/restricted/{kept}")
    return "\n".join(browser.send(path, {"reason": "The work of the day"}).text for path in paths)


SEARCHES = ("/caseload?view=all&q=", "/outreach?q=", *(f"/supports/{one}?q=" for one in ("stls", "health")))


def _found(browser: Browser, path: str, words: list[str]) -> str:
    """The student whom a search for a word of their record brings up: nobody, for names and ids alone are searched."""
    secret = words[-1]
    main = browser.get(f"{path}{secret}").text.partition("<main")[2].replace(secret, "")
    return main if "/supports/" not in path else main.partition("Students found")[2].partition("</ul>")[0]


def _scripts(about: dict[str, dict[str, Any]], key: str) -> str:
    by = accounts.acting_as(key)
    return "\n".join(_why(one["key"], by) for one in about.values())


def _why(student: str, by: Any) -> str:
    try:
        return json.dumps(viewing.explain(student, by=by).as_json(), default=str)
    except SENTENCES as refusal:
        return str(refusal)


def _digest(key: str) -> str:
    """The e-mail of a morning, subject and all."""
    by = accounts.acting_as(key)
    with told_as_of(FRIDAY):
        mail = Mail(key=f"digest/{by.person_id}/{FRIDAY.date()}", person_id=by.person_id)
        said = digests.words(mail, by)
    return f"{said.subject}\n{said.body}" if said else ""


def _cases(key: str) -> str:
    return json.dumps(list(viewing.cases(by=accounts.acting_as(key), only_open=False)), default=str)


# -- cell by cell --------------------------------------------------------------------------------------------------


FEW = a_few_kinds()
IN_CRISIS = sorted(SPEC["crisis"])
REASON = "She fainted in the gym and nobody else can be asked."


@pytest.mark.parametrize("key", [*IN_CRISIS, "attendance_clerk", "network_lead", "protected_reasons_person"])
def test_in_a_crisis_each_role_reads_what_the_table_names_for_that_and_nothing_beside_it(
    house: tuple[Flask, dict[str, Any]], key: str
) -> None:
    """What is opened here stands in the lists, the news and the mail of everybody in the tests below."""
    app, about = house
    browser, wrong, cells = let_in(app, key), [], 0
    for whose in (OTHERS, OWN):
        page = browser.get(f"/students/{about[whose]['key']}/crisis").text
        for kept in KEPT:
            cells += 1
            opens = kept in SPEC["crisis"].get(key, ()) and right(key, kept, whose) != "R"
            opens &= not (whose == OTHERS and key in BY_CASELOAD)
            read = _broken(app, browser, about[whose], kept, page)
            words = {one for one in KEPT if word(one, whose) in read}
            if words != ({kept} if opens else set()):
                wrong.append(f"{kept} of {whose}: read {sorted(words)}")
    assert (wrong, cells) == ([], 2 * len(KEPT))


def _broken(app: Flask, browser: Browser, about: dict[str, Any], kept: FieldClass, page: str) -> str:
    """A compartment opened in a crisis and read; it counts among the openings of another day from then on."""
    once = page.partition('name="once" value="')[2].partition('"')[0]
    form = {"compartment": str(kept), "reason": REASON, "sure": "1"}
    answer = browser.send(f"/students/{about['key']}/crisis", form | ({"once": f"{once}"} if once else {}))
    text: str = browser.get(answer.location).text if answer.status_code == 302 else answer.text
    with app.app_context(), transaction():
        for row in db.session.scalars(select(CrisisOpening)):
            row.opened_at, row.ends_at, row.once = row.opened_at - DAYS, row.ends_at - DAYS, None
    return text


@pytest.mark.parametrize("key", [key if key in FEW else pytest.param(key, marks=pytest.mark.deep) for key in ROLES])
def test_every_way_out_tells_what_the_table_allows_and_no_more(
    house: tuple[Flask, dict[str, Any]], caplog: pytest.LogCaptureFixture, key: str
) -> None:
    app, about = house
    caplog.set_level(logging.DEBUG)
    heard, wrong, cells = told(app, about, key, caplog), [], 0
    for whose in (OTHERS, OWN):
        for field_class in CLASSES:
            for way, text in heard.ways.items():
                cells += 1
                if (said := _out_of_place(key, field_class, whose, way, text)) is not None:
                    wrong.append(f"{field_class} of {whose} in {way}: {said}")
            wrong += _missing(key, field_class, whose, heard)
    assert [*wrong, *_flags_too_many(key, heard)] == []
    assert cells == 2 * len(CLASSES) * len(WAYS)
    assert heard.mail and "BEGIN:VEVENT" in heard.feed, "everybody here has a task that is due"
    assert (OWN in heard.wall) == (may(key, "run_meeting") and right(key, FieldClass.ROSTER, OWN) == "R")


def _flags_too_many(key: str, heard: Told) -> list[str]:
    """That another support is in place stands only where the role may learn it of some class."""
    allowed = {whose for whose in heard.case if any(right(key, kept, whose) == "F" for kept in KEPT)}
    return [f"flag of {whose}" for whose, page in heard.case.items() if FLAG in page and whose not in allowed]


def _out_of_place(key: str, field_class: FieldClass, whose: str, way: str, text: str) -> str | None:
    """A word that stands where the table does not let it."""
    cell, secret = right(key, field_class, whose), word(field_class, whose)
    if way == "wall" and field_class is FieldClass.ROSTER and cell in "RP":
        return None
    if cell == "P" and field_class is FieldClass.CONTACTS:
        secret = f"{secret}Mail"
    elif cell in "RP" and way in ("html", "json", "api", "csv"):
        return None
    if field_class is FieldClass.ROSTER and way == "search":
        return None  # a name is what people search by; the scripts name students by id
    at = text.find(secret)
    return None if at < 0 else text[max(0, at - 60) : at + 60]


def _missing(key: str, field_class: FieldClass, whose: str, heard: Told) -> list[str]:
    """What the table allows and the role has a page for, and is not there; the neutral flag among it."""
    cell = right(key, field_class, whose)
    case_opens = may(key, "see_case") and right(key, FieldClass.CASE, whose) == "R"
    if field_class.restricted:
        page = may(key, f"open_{field_class}")
    elif field_class is FieldClass.ROSTER:
        page = may(key, "see_student")
    elif field_class is FieldClass.RISK:
        page = may(key, "see_risk")
    elif field_class is FieldClass.NOTES:
        page = case_opens and right(key, FieldClass.NOTES, OTHERS) == "R"
        if case_opens and cell == "R" and whose == OWN and f"Written by {key}" not in heard.html:
            return [f"a note of their own on the case of {whose}"]
    else:
        page = case_opens
    if cell == "F":
        flagged = FLAG in heard.case[whose]
        return [f"flag of {whose}"] if field_class.restricted and case_opens and not flagged else []
    in_file = field_class in (FieldClass.ROSTER, FieldClass.CASE) and may(key, "take_caseload") and cell == "R"
    if in_file and word(field_class, whose) not in heard.csv:
        return [f"{field_class} of {whose} in the file"]
    if cell in "RP" and page and word(field_class, whose) not in heard.html:
        return [f"{field_class} of {whose} is missing"]
    return []
