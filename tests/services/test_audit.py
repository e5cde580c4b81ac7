"""Whoever changes the audit below the application is found out, at the first place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from ew_app import kernel
from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.kernel import OPERATOR, now, transaction
from ew_app.services.system import audit, schedule, upkeep
from models.base import db

TABLES = ("audit_row", "audit_seal")
NAMES = "at, actor, role, action, subject, reason, ip, request_id"


@pytest.fixture(autouse=True)
def installed(settings: Settings) -> Iterator[None]:
    """The product without its screens, on a database of this test's own."""
    with create_app(settings, screens=False).app_context():
        yield
        upkeep.disconnect()


def write(*actions: str) -> None:
    """One audit row each, in one transaction."""
    with transaction():
        for action in actions:
            kernel.audit(action, by=OPERATOR, subject="district")


def tamper(*statements: str, **values: object) -> None:
    """As a superuser who turns the triggers off first."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as line:
        line.execute(text("SET lock_timeout = '5s'"))
        for table in TABLES:
            line.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            line.execute(text(statement), values)


def insert(number: int, minutes_ago: int = 0) -> None:
    values = "'operator', 'command line', 'slipped in', 'district', '', '', ''"
    tamper(
        f"INSERT INTO audit_row (id, {NAMES}) OVERRIDING SYSTEM VALUE VALUES (:id, :at, {values})",
        id=number,
        at=now() - timedelta(minutes=minutes_ago),
    )


def first_broken() -> tuple[int, str]:
    broken = audit.verify().broken
    assert broken is not None
    return broken.row_id, broken.sentence.split(" UTC, ")[-1]


@pytest.fixture
def ten() -> None:
    """Ten sealed rows, of which rows 4 and 5 never came to be."""
    write("a", "b", "c")
    with pytest.raises(ZeroDivisionError), transaction():
        kernel.audit("taken back", by=OPERATOR, subject="district")
        kernel.audit("taken back", by=OPERATOR, subject="district")
        db.session.flush()
        raise ZeroDivisionError
    write("f", "g", "h", "i", "j", "k", "l")
    assert audit.seal() == 10


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("act", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_the_database_refuses_edits(ten: None, table: str, act: str) -> None:
    column = "actor" if table == "audit_row" else "hash"
    with pytest.raises(Exception, match="the audit is append-only"), db.engine.begin() as line:
        line.execute(text(act.format(table, column)))
    assert audit.verify().rows == 10


def test_an_untouched_audit_is_whole(ten: None) -> None:
    write("m")
    found = audit.verify()
    assert (found.rows, found.broken) == (11, None)
    assert found.head == audit.head() and found.head.startswith("11:")


def test_a_changed_row_is_found(ten: None) -> None:
    tamper("UPDATE audit_row SET subject = 'student:7' WHERE id = 7")
    assert first_broken() == (7, "or its seal was changed.")


def test_a_removed_row_is_found(ten: None) -> None:
    tamper("DELETE FROM audit_row WHERE id = 2")
    assert first_broken() == (2, "was removed.")


def test_a_row_removed_with_its_seal_is_found(ten: None) -> None:
    tamper("DELETE FROM audit_row WHERE id = 2", "DELETE FROM audit_seal WHERE row_id = 2")
    assert first_broken() == (3, "Seal 2 is missing.")


def test_two_rows_that_change_places_are_found(ten: None) -> None:
    tamper(
        "UPDATE audit_row SET action = CASE id WHEN 7 THEN 'h' ELSE 'g' END WHERE id IN (7, 8)",
    )
    assert first_broken()[0] == 7


def test_a_row_slipped_into_a_gap_is_found(ten: None) -> None:
    insert(4)
    assert first_broken() == (4, "was inserted later than it claims, among older rows.")


def test_a_row_at_the_end_that_claims_to_be_old_is_found(ten: None) -> None:
    insert(13, minutes_ago=60)
    assert first_broken()[0] == 13


def test_a_slipped_in_row_stays_marked_and_the_mark_cannot_be_wiped(ten: None) -> None:
    insert(5)
    audit.seal()
    write("m")
    assert first_broken()[0] == 5
    tamper("UPDATE audit_seal SET late = false WHERE row_id = 5")
    assert first_broken() == (5, "or its seal was changed.")


def test_everything_emptied_or_made_anew_is_told_by_a_head_kept_elsewhere(ten: None) -> None:
    head = audit.head()
    tamper("TRUNCATE audit_seal", "UPDATE audit_row SET actor = 'somebody' WHERE id = 1")
    assert audit.verify().broken is None  # a whole chain, but another one
    broken = audit.verify(head).broken
    assert broken is not None and "is not on the chain" in broken.sentence


def test_a_transaction_that_commits_late_is_no_tampering(ten: None) -> None:
    with psycopg.connect(db.engine.url.render_as_string(False).replace("+psycopg", "")) as slow:
        values = "now(), 'worker', 'background work', 'slow', 'district', '', '', ''"
        slow.execute(f"INSERT INTO audit_row ({NAMES}) VALUES ({values})")
        write("quick")
        assert audit.seal() == 1
    assert audit.seal() == 1
    assert audit.verify().broken is None


def test_rows_that_waited_long_for_their_seal_are_no_tampering() -> None:
    tamper(
        f"""INSERT INTO audit_row ({NAMES}) SELECT now() - interval '3 days', 'worker', 'background work', 'old',
            'district', '', '', '' FROM generate_series(1, {audit.AT_ONCE + 5})"""
    )
    assert audit.seal() == audit.AT_ONCE + 5
    assert audit.verify().broken is None


def test_the_schedule_seals_what_is_new() -> None:
    write("a", "b")
    schedule.sweep()
    assert audit.head().startswith("2:")
