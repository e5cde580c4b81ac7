"""S03: a file from the browser, step by step; what it may do, whom it may touch, and how it is taken back."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select, text

from ew_app.kernel import OPERATOR, now, transaction
from ew_app.services.deliveries import releasing
from ew_app.services.people import accounts
from models.attendance import Batch, BatchFile
from models.audit import Event
from models.base import db
from models.jobs import Outbox
from tests.web.conftest import let_in
from tests.web.importing import DAYS, FIRST, TODAY, Clerk, batch, marks, once_of, rows_of, words

DAY = str(TODAY)
GOOD = rows_of(("001", "LIN", DAY, "A"), ("002", "LIN", DAY, "P"))
MIXED = rows_of(("001", "LIN", DAY, "A"), ("9", "LIN", DAY, "A"), ("002", "LIN", "2026-13-40", "A"))

# -- the four steps ------------------------------------------------------------------------------------------


def test_a_file_is_kept_checked_and_only_then_applied(app: Flask, clerk: Clerk) -> None:
    number = int(clerk.send({"attendance.csv": GOOD}).location.rsplit("/", 1)[-1])
    page = clerk.browser.get(f"/imports/{number}").text
    assert "Checking what the file would do" in page and f'data-poll="/imports/{number}"' in page
    with app.app_context():
        assert db.session.scalar(select(BatchFile.content).where(BatchFile.batch_id == number)) == GOOD
    clerk.work(number)
    assert "All 2 rows can go in" in clerk.page(number)
    assert "data-poll" not in clerk.browser.get(f"/imports/{number}").text
    assert marks(app) == set()
    clerk.apply(number)
    assert "2 rows are in" in clerk.page(number)
    assert ("001", "LIN", TODAY, "A") in marks(app)


def test_the_check_adds_up_and_groups_what_is_wrong_by_cause(clerk: Clerk) -> None:
    page = clerk.page(clerk.upload({"attendance.csv": MIXED}))
    assert "This file is held" in page and "2 of 3 rows cannot go in" in page
    assert "No student has this id" in page and "line 3: 9" in page
    assert "No year has such a date" in page and "line 4" in page
    assert "Rows in the file 3" in page and "New 1" in page and "Stay out until they are mended 2" in page


def test_the_effect_is_shown_before_it_happens(app: Flask, clerk: Clerk) -> None:
    absent = rows_of(*(("001", "LIN", str(day), "A") for day in DAYS))
    number = clerk.upload({"attendance.csv": absent})
    assert "1 student would enter Tier 3" in clerk.page(number)
    clerk.apply(number)
    assert "1 student entered Tier 3" in clerk.page(number)


def test_the_same_form_sent_twice_is_one_file(app: Flask, clerk: Clerk) -> None:
    once = once_of(clerk.browser.get("/imports").text)
    first, second = (clerk.send({"attendance.csv": GOOD}, once=once).location for _ in range(2))
    assert first == second
    number = int(first.rsplit("/", 1)[-1])
    clerk.work(number)
    once = once_of(clerk.browser.get(f"/imports/{number}").text)
    assert [clerk.press(number, "apply", once=once).status_code for _ in range(2)] == [302, 302]
    with app.app_context():
        asked = select(func.count()).select_from(Outbox).where(Outbox.job == "load_batch")
        assert db.session.scalar(asked) == 2  # one rehearsal, one loading


def test_a_form_without_its_key_is_refused(clerk: Clerk) -> None:
    answer = clerk.browser.send("/imports", {"files": (io.BytesIO(GOOD), "a.csv")}, content_type="multipart/form-data")
    assert answer.status_code == 422 and "load the page and send it again" in answer.text


def test_the_same_file_again_changes_nothing(clerk: Clerk) -> None:
    clerk.bring_in({"attendance.csv": GOOD})
    page = clerk.page(clerk.upload({"again.csv": GOOD}))
    assert "This file came in before, so nothing was changed" in page


def test_cancel_keeps_nothing(app: Flask, clerk: Clerk) -> None:
    number = clerk.upload({"attendance.csv": MIXED})
    assert clerk.press(number, "cancel").status_code == 302
    assert "nothing of it was kept" in clerk.page(number)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(BatchFile)) == 0
        assert db.session.scalar(text("SELECT count(*) FROM problem")) == 0
    assert clerk.press(number, "apply").status_code == 422 or "no longer waiting" in clerk.page(number)


def test_a_zip_is_opened_and_its_kind_found(clerk: Clerk) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("attendance.csv", GOOD)
        archive.writestr("covers.csv", f"school_id,date\nLIN,{DAY}\n")
    page = clerk.page(clerk.upload({"today.zip": packed.getvalue()}))
    assert "All 2 rows can go in" in page and "covers" in page


# -- whose schools -------------------------------------------------------------------------------------------


def test_rows_of_other_schools_stay_out(app: Flask, clerk: Clerk) -> None:
    rows = [("001", "LIN", str(day), "A") for day in DAYS] + [("004", "OAK", DAY, "A")]
    number = clerk.bring_in({"attendance.csv": rows_of(*rows)})
    assert "This school is not one you look after" in clerk.page(number)
    assert {school for _, school, _, _ in marks(app)} == {"LIN"}


def test_a_file_of_other_schools_is_nowhere(app: Flask, clerk: Clerk, steward: Clerk) -> None:
    number = steward.bring_in({"oak.csv": rows_of(("004", "OAK", DAY, "A"))})
    assert clerk.browser.get(f"/imports/{number}").status_code == 404
    assert clerk.press(number, "undo").status_code == 404
    assert "oak.csv" not in clerk.browser.get("/imports").text


def test_a_file_of_several_schools_is_shown_without_its_rows_and_stays(
    app: Flask, clerk: Clerk, steward: Clerk
) -> None:
    rows = [("001", "LIN", str(day), "A") for day in DAYS] + [("004", "OAK", DAY, "A"), ("777", "OAK", DAY, "A")]
    number = steward.bring_in({"both.csv": rows_of(*rows)})
    page = clerk.page(number)
    assert "also speaks of schools that you do not look after" in page and "777" not in page and "Oak" not in page
    assert clerk.press(number, "undo").status_code == 403
    assert clerk.browser.get(f"/imports/{number}/problems.csv").status_code == 403


def test_a_roster_is_for_those_who_look_after_the_district(app: Flask, clerk: Clerk, steward: Clerk) -> None:
    roster = {"students.csv": b"student_id,first_name,last_name\n777,Noor,Haddad\n"}
    assert clerk.send(roster).status_code == 422
    with app.app_context():
        accounts.add_person(
            login="whole", name="Wil Hole", role="attendance_clerk", place="district", by=OPERATOR, starts=FIRST
        )
    whole = Clerk(app, let_in(app, "whole"))
    assert "The one row can go in" in whole.page(whole.upload({"students.csv": roster["students.csv"] + b"\n"}))
    assert "The one row can go in" in steward.page(steward.upload(roster))


# -- held, late, too large -----------------------------------------------------------------------------------


def test_a_held_file_goes_in_only_with_a_reason(app: Flask, clerk: Clerk) -> None:
    number = clerk.upload({"attendance.csv": MIXED})
    assert clerk.press(number, "apply").status_code == 422
    assert clerk.press(number, "let-in", reason=" ").status_code == 422
    assert clerk.press(number, "let-in", reason="The roster comes tonight").status_code == 302
    clerk.work(number)
    assert "Let in because: The roster comes tonight" in clerk.page(number)
    assert len(marks(app)) == 1


def test_undo_is_the_clerks_on_the_day_and_a_stewards_later(app: Flask, clerk: Clerk, steward: Clerk) -> None:
    first = clerk.bring_in({"attendance.csv": GOOD})
    with app.app_context(), transaction():
        db.session.get_one(Batch, first).applied_at -= timedelta(days=3)
    assert "taking it back is for a data steward" in clerk.page(first)
    assert clerk.press(first, "undo").status_code == 422
    assert steward.press(first, "undo").status_code == 302
    steward.work(first)
    assert marks(app) == set() and "This file was taken back" in clerk.page(first)


def test_undo_on_the_same_day(app: Flask, clerk: Clerk) -> None:
    number = clerk.bring_in({"attendance.csv": GOOD})
    assert "Take this file back?" in clerk.page(number)
    assert clerk.press(number, "undo").status_code == 302
    assert batch(app, number).status == "undoing"
    clerk.work(number)
    assert marks(app) == set()
    assert "All 2 rows can go in" in clerk.page(clerk.upload({"attendance.csv": GOOD}))


def test_a_file_too_large_for_the_browser_is_told_so(clerk: Clerk) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
    body = part + b"x" * (2 << 20) + b"\r\n--x--\r\n"
    answer = clerk.browser.post("/imports", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413 and "too large for the browser" in answer.text
    assert "Nothing was changed" in answer.text


def test_a_file_with_too_many_rows_is_told_so(app: Flask, clerk: Clerk) -> None:
    number = clerk.upload({"attendance.csv": rows_of(*[("001", "LIN", DAY, "A")] * 501)})
    page = clerk.page(number)
    assert "more than 500 rows" in page and "Nothing was changed" in page
    assert marks(app) == set()


def test_work_that_was_set_aside_is_said_and_can_be_tried_again(app: Flask, clerk: Clerk) -> None:
    number = int(clerk.send({"attendance.csv": GOOD}).location.rsplit("/", 1)[-1])
    with app.app_context(), transaction():
        db.session.execute(text("UPDATE outbox SET quarantined_at = now(), error = 'The disk was full.'"))
    page = clerk.page(number)
    assert "The disk was full." in page and "nothing of it was half-done" in page
    assert clerk.press(number, "check-again").status_code == 302
    clerk.work(number)
    assert "All 2 rows can go in" in clerk.page(number)


def test_a_forbidden_column_is_refused_and_nothing_of_it_kept(app: Flask, clerk: Clerk) -> None:
    answer = clerk.send({"attendance.csv": b"student_id,school_id,date,code,birthplace\n001,LIN,2026-11-20,A,x\n"})
    assert answer.status_code == 422 and "kept nothing" in answer.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(BatchFile)) == 0


# -- rows to mend --------------------------------------------------------------------------------------------


def test_the_rows_to_mend_come_as_they_were_and_hold_no_formula(clerk: Clerk) -> None:
    header = "student_id,school_id,date,code,reason\n"
    bad = rows_of(("=1+1", "LIN", DAY, "A", "@now"), ("001", "LIN", "soon", "A", '"two\nlines"'), header=header)
    number = clerk.upload({"attendance.csv": bad})
    lines = clerk.browser.get(f"/imports/{number}/problems.csv").text.splitlines()
    assert lines[0].removeprefix("\ufeff").startswith("student_id,school_id,date,code,reason,problem")
    assert lines[1].startswith(f"'=1+1,LIN,{DAY},A,'@now,No student has this id")
    assert lines[2].startswith('001,LIN,soon,A,"two')
    assert not any(line.startswith(("=", "+", "@")) for line in lines)


def test_the_day_asks_for_what_is_missing(clerk: Clerk) -> None:
    assert "Today's attendance has not come in yet" in words(clerk.browser.get("/imports").text)
    clerk.upload({"attendance.csv": rows_of(("001", "LIN", DAY, "A"))})
    page = words(clerk.browser.get("/imports").text)
    assert "Today's attendance came, and its file waits for somebody to look at it" in page
    clerk.bring_in({"attendance.csv": GOOD})
    page = words(clerk.browser.get("/imports").text)
    assert "Today's attendance is in" in page and "19 school days missing since Mon 26 Oct" in page


def test_an_upload_that_nobody_applies_is_put_away_by_itself(app: Flask, clerk: Clerk) -> None:
    files = {"attendance.csv": rows_of(("001", "LIN", str(DAYS[0]), "A"))}
    old, new = clerk.upload(files), clerk.upload({"attendance.csv": rows_of(("001", "LIN", str(DAYS[1]), "A"))})
    with app.app_context():
        with transaction():
            db.session.get_one(Batch, old).received_at = now() - timedelta(days=15)
        assert releasing.expire() == 1
        assert releasing.expire() == 0
        kept = db.session.scalars(select(BatchFile.batch_id).where(BatchFile.batch_id.in_([old, new]))).all()
        told = db.session.scalars(select(Event.kind).where(Event.subject == f"batch:{old}").order_by(Event.id)).all()
    assert kept == [new] and told[-1] == "batch_expired"
    page = clerk.page(old)
    assert "put away and nothing of it was kept" in page and "Nobody applied this file within 14 days" in page
    assert clerk.press(old, "apply").status_code == 422
    assert marks(app) == set()
    clerk.apply(new)
    assert "put away after 14 days" not in words(clerk.browser.get("/imports").text)
