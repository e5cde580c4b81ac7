"""Pages of counts as files: whoever opens the page may take it, the same moment is the same file, no cell runs."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from ew_app.kernel import transaction
from ew_app.outbox import Job, perform
from ew_app.services.watching import telling
from models.audit import AuditRow
from models.base import db
from models.jobs import Outbox
from models.org import Network, School
from models.taken import TakenPage
from models.tiers import TierCount
from tests.web.conftest import SignInAs
from tests.web.test_boards import counted, settings  # noqa: F401  the counted fortnight

pytestmark = pytest.mark.usefixtures("counted")

# page: the keys of its tables, each a CSV
PAGES = {
    "/networks/N/movement": ("tiers", "schools"),
    "/networks/N/year": ("weeks", "schools"),
    "/networks/N/groups": ("groups", "causes"),
    "/networks/N/follow-through": ("steps", "schools", "roles"),
    "/what-works": ("supports",),
    "/departments": ("departments",),
    "/departments/transportation": ("tasks", "causes"),
}
EMPTY = ("/networks/N/follow-through",)  # nothing has begun there yet: nothing to point at


def lines(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_taken_as_excel_and_as_csv_and_again_for_its_moment(app: Flask, sign_in: SignInAs, path: str) -> None:
    lead = sign_in("network_lead")
    page = lead.get(path).text
    for form in ("xlsx", *PAGES[path]):
        assert (f"form={form}" in page) is (path not in EMPTY), form
        first = lead.get(path, query_string={"form": form})
        assert first.status_code == 200, first.text
        assert lead.get(path, query_string={"form": form}).data == first.data
    book = lead.get(path, query_string={"form": "xlsx"}).data
    with zipfile.ZipFile(io.BytesIO(book)) as inside:
        assert not any("<f>" in inside.read(name).decode() for name in inside.namelist() if "worksheets/" in name)
    with app.app_context():
        kept = db.session.scalars(select(TakenPage)).one()
        moment, told = kept.known_at.isoformat(), kept.told
        assert db.session.scalar(select(func.count()).where(AuditRow.action == "figures_taken"))
    same = {"form": "xlsx", "known_at": moment, "as_of": told["as_of"]}
    days = {"from": "2026-11-13", "to": "2026-11-20"} if path.endswith("movement") else {}
    assert lead.get(path, query_string=same | days).data == book


def test_what_changed_is_a_new_file_and_the_old_moment_stays_the_old_one(app: Flask, sign_in: SignInAs) -> None:
    lead, path = sign_in("network_lead"), "/networks/N/year"
    first = lead.get(path, query_string={"form": "schools"}).data
    moment = lines(first)[0]["known_at"]
    with app.app_context(), transaction():
        db.session.execute(update(TierCount).values(tier_3=TierCount.tier_3 + 1))
    second = lead.get(path, query_string={"form": "schools"}).data
    assert second != first and lines(second)[0]["known_at"] > moment
    assert lead.get(path, query_string={"form": "schools", "known_at": moment, "as_of": "2026-11-20"}).data == first


def test_a_moment_nobody_took_is_refused_with_those_that_were(sign_in: SignInAs) -> None:
    lead = sign_in("network_lead")
    lead.get("/networks/N/year?form=weeks")
    answer = lead.get("/networks/N/year?form=weeks&as_of=2026-11-20&known_at=2026-11-18")
    assert answer.status_code == 422 and "It was taken along at 20" in answer.text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("/networks/N/year?form=nothing", "no such table"),
        ("/networks/N/year?form=weeks&as_of=2030-01-01", "has not come yet"),
        ("/figures/network:N/file?as_of=2026-11-21", "has not come yet"),
        ("/figures/network:N/file?known_at=2199-01-01", "has not come yet"),
        ("/networks/N/movement?form=tiers&from=1999-01-01", "Counted days of this school year"),
        ("/networks/N/movement?form=tiers&from=yesterday", "is no day"),
        ("/networks/N/follow-through?form=steps&as_of=2026-10-01", "as it stands today"),
        ("/networks/N/follow-through?form=steps&weeks=x", "Choose how far back"),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_sentence(sign_in: SignInAs, asked: str, words: str) -> None:
    answer = sign_in("network_lead").get(asked)
    assert answer.status_code == 422 and words in answer.text


def test_a_kept_link_shows_the_day_it_was_kept_of(sign_in: SignInAs) -> None:
    lead = sign_in("network_lead")
    assert "Through Fri 13 Nov" in lead.get("/networks/N/year?as_of=2026-11-13").text
    assert "Through Fri 20 Nov" in lead.get("/networks/N/year").text
    for page in ("year", "groups"):
        later = lead.get(f"/networks/N/{page}?as_of=2030-01-01")
        assert later.status_code == 422 and "has not come yet" in later.text


@pytest.mark.parametrize("login", ["nurse", "attendance_clerk", "homeroom_teacher"])
def test_whoever_may_not_open_the_page_gets_no_file(sign_in: SignInAs, login: str) -> None:
    for path in PAGES:
        assert sign_in(login).get(path, query_string={"form": "xlsx"}).status_code in (403, 404), path


def test_movement_in_a_file_adds_up_and_a_name_that_would_run_does_not(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context(), transaction():
        db.session.execute(update(School).where(School.key == "LIN").values(name="=1+1"))
        assert db.session.scalar(select(Network.key).where(Network.key == "N"))
    rows = lines(sign_in("network_lead").get("/networks/N/movement?form=schools").data)
    assert {row["school"] for row in rows} >= {"'=1+1", "All together"}
    into, out = ("from_other_tiers", "moved_in", "new"), ("to_other_tiers", "moved_out", "left")
    for row in rows:
        moved = sum(int(row[name]) for name in into) - sum(int(row[name]) for name in out)
        assert int(row["before"]) + moved == int(row["now"]), row
        assert row["as_of"] == "2026-11-20" and row["policy_version"]


def test_a_large_place_says_that_the_month_is_being_counted_and_tells_it_then(
    app: Flask, sign_in: SignInAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "AT_ONCE", 0)
    lead, words = sign_in("network_lead"), "are being counted: 0 of "
    page = lead.get("/networks/N/groups")
    assert page.status_code == 200 and words in page.text and 'data-poll="/networks/N/groups?"' in page.text
    for path in ("/networks/N/groups?form=xlsx", "/figures/network:N/file?form=grades"):
        answer = lead.get(path)
        assert answer.status_code == 409 and words in answer.text, path
    assert words in lead.get("/goals/new").text
    begun = lead.send("/reviews/networks/N/begin")
    assert begun.status_code == 409 and words in begun.text
    with app.app_context():
        asked = select(Outbox.id).where(Outbox.job == Job.TELL_PARTS.value).order_by(Outbox.id)
        for number in db.session.scalars(asked).all():
            assert perform(Job.TELL_PARTS, number, telling.tell)
    page = lead.get("/networks/N/groups")
    assert "Recorded causes" in page.text and "data-poll" not in page.text and words not in page.text
    assert lead.get("/networks/N/groups?form=xlsx").status_code == 200
    assert lead.get("/figures/network:N/file?form=grades").status_code == 200
    assert words not in lead.get("/goals/new").text
    assert lead.send("/reviews/networks/N/begin").status_code == 302
