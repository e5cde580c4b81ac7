"""Lincoln on Friday 20 November: four weeks of school days, two codes, and browsers that send files as a page does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from ew_app import outbox
from ew_app.kernel import OPERATOR, transaction
from ew_app.outbox import Job
from ew_app.services.deliveries import ingest
from ew_app.services.people import accounts
from models.attendance import Batch
from models.base import db
from models.jobs import Outbox
from models.org import AbsenceCode, CalendarDay, School
from tests.web.conftest import Browser

TODAY = date(2026, 11, 20)
FIRST = date(2026, 10, 26)
DAYS = [day for day in (FIRST + timedelta(n) for n in range(26)) if day.weekday() < 5]
HEADER = "student_id,school_id,date,code\n"


def open_schools(app: Flask) -> None:
    """Calendars and codes for the three schools of the named world, and a data steward of the district."""
    with app.app_context(), transaction():
        for school in db.session.scalars(select(School.id)).all():
            db.session.add_all(CalendarDay(school_id=school, day=day, day_type="instructional") for day in DAYS)
        db.session.add(AbsenceCode(code="A", kind="absence", absent_fraction=1000, excused="unexcused", title="Absent"))
        db.session.add(AbsenceCode(code="P", kind="present", absent_fraction=0, title="Here"))
        accounts.add_person(
            login="steward", name="Dee Steward", role="data_steward", place="district", by=OPERATOR, starts=FIRST
        )


def rows_of(*rows: tuple[str, ...], header: str = HEADER) -> bytes:
    return (header + "".join(",".join(row) + "\n" for row in rows)).encode()


def once_of(page: str) -> str:
    """The one-time key of the first form of a page that has one."""
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found, "no form of this page counts once"
    return found[1]


class Clerk:
    """Someone at the import pages; `work` is what the worker would do in the meantime."""

    def __init__(self, app: Flask, browser: Browser) -> None:
        self.app, self.browser = app, browser

    def send(self, files: Mapping[str, bytes], *, once: str = "", **form: Any) -> Any:
        """Fill in the upload form and send it."""
        once = once or once_of(self.browser.get("/imports").text)
        sent = [(BytesIO(content), name) for name, content in files.items()]
        return self.browser.send("/imports", {"once": once, "files": sent, **form}, content_type="multipart/form-data")

    def upload(self, files: Mapping[str, bytes], **form: Any) -> int:
        """Send and let the worker check; returns the batch."""
        answer = self.send(files, **form)
        assert answer.status_code == 302, answer.text
        number = int(answer.location.rsplit("/", 1)[-1])
        self.work(number)
        return number

    def press(self, number: int, act: str, **form: Any) -> Any:
        """One button of a delivery's page."""
        once = form.pop("once", "") or once_of(self.browser.get("/imports").text)
        return self.browser.send(f"/imports/{number}/{act}", {"once": once, **form})

    def apply(self, number: int) -> None:
        assert self.press(number, "apply").status_code == 302
        self.work(number)

    def bring_in(self, files: Mapping[str, bytes], **form: Any) -> int:
        """All four steps."""
        number = self.upload(files, **form)
        self.apply(number)
        return number

    def page(self, number: int) -> str:
        """What the delivery's page says, as plain words."""
        return words(self.browser.get(f"/imports/{number}", follow_redirects=True).text)

    def work(self, number: int) -> None:
        """Do what is queued for the batch, as a worker does."""
        waits = select(Outbox).where(Outbox.args[0].as_integer() == number, Outbox.done_at.is_(None))
        with self.app.app_context():
            for row in db.session.scalars(waits.where(Outbox.quarantined_at.is_(None))).all():
                outbox.perform(Job(row.job), row.id, {"load_batch": ingest.load, "undo_batch": ingest.undo}[row.job])


def words(page: str) -> str:
    """The text of a page's main part, with single spaces."""
    main = page.split("<main", 1)[1].split("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).replace("&#39;", "'").replace("&#34;", '"')


def marks(app: Flask) -> set[tuple[str, str, date, str]]:
    """(student, school, day, code) of every mark that stands."""
    query = """
        SELECT p.key, s.key, m.day, m.code FROM mark m JOIN student p ON p.id = m.student_id
        JOIN school s ON s.id = m.school_id
    """
    with app.app_context():
        return {tuple(row) for row in db.session.execute(text(query))}


def batch(app: Flask, number: int) -> Batch:
    with app.app_context():
        return db.session.get_one(Batch, number, populate_existing=True)
