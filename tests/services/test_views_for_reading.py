"""The schema bi: what tools may read of the database is documented to the column, is right, and holds no student."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import ProgrammingError

from ew_app.kernel import today, transaction
from ew_app.services.deliveries import ledger
from ew_app.services.watching import boards, groups
from models.base import db
from models.queries import boards as rows
from models.tiers import TierCount
from rules.access import Area
from tests.services.world import World

VIEWS = {"tier_counts", "ledger", "tables_by_grade"}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "operators.md"


def counted(world: World) -> None:
    """Two grades of Lincoln, as counted today."""
    with transaction():
        db.session.execute(delete(TierCount))
        for grade, watch, two in (("4", 20, 20), ("5", 20, 3)):
            numbers = {"tier_1": 60, "watch": watch, "tier_2": two, "tier_3": 0, "none": 0, "too_early": 0}
            row = TierCount(school_id=world.schools["LIN"], day=today(), grade=grade, **numbers)
            db.session.add(row)


def test_every_column_is_documented(world: World) -> None:
    found = db.session.execute(
        text("""
            SELECT c.table_name, c.column_name,
                   col_description(format('bi.%I', c.table_name)::regclass, c.ordinal_position) AS words
            FROM information_schema.columns c WHERE c.table_schema = 'bi'
        """)
    ).all()
    assert {row.table_name for row in found} == VIEWS
    assert [f"{row.table_name}.{row.column_name}" for row in found if not row.words] == []
    page = PAGE.read_text()
    assert all(f"`bi.{view}`" in page for view in VIEWS)


def test_no_view_holds_a_student(world: World) -> None:
    """Neither a column named for one, nor a view over a table that names or numbers students."""
    columns = db.session.scalars(text("SELECT column_name FROM information_schema.columns WHERE table_schema = 'bi'"))
    assert [name for name in columns if re.search(r"student_|name$|birth|case", name)] == []
    asked = "SELECT DISTINCT table_name FROM information_schema.view_table_usage WHERE view_schema = 'bi'"
    used = db.session.scalars(text(asked))
    assert set(used) == {"tier_count", "school", "network", "school_day", "calendar_day", "told_part"}


def test_they_say_what_boards_and_commands_say(world: World) -> None:
    counted(world)
    found = db.session.execute(text("SELECT school_id, day, students, tier_1, tier_3 FROM bi.tier_counts")).all()
    lines = boards.board(rows.schools_in(Area(district=True)), today()).lines
    told_ = [
        (one.key, one.day, one.counts.students, one.counts.tier_1, one.counts.tier_3) for one in lines if one.counts
    ]
    assert [tuple(row) for row in found] == told_ != []
    told = db.session.execute(text("SELECT school_id, date, status, rows FROM bi.ledger ORDER BY school_id, date"))
    assert [tuple(row) for row in told] == [(row.school_id, row.date, row.status, row.rows) for row in ledger.days()]


def test_a_reader_reads_the_views_and_nothing_else(world: World) -> None:
    with transaction():
        db.session.execute(text("CREATE ROLE ew_test_reader"))
        db.session.execute(text("GRANT USAGE ON SCHEMA bi TO ew_test_reader"))
        db.session.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA bi TO ew_test_reader"))
    try:
        db.session.execute(text("SET ROLE ew_test_reader"))
        for view in VIEWS:
            db.session.execute(text(f"SELECT count(*) FROM bi.{view}"))
        for table in ("student", "standing", "tier_count", "told_part", "support_case", "audit_row"):
            with pytest.raises(ProgrammingError, match="permission denied"), db.session.begin_nested():
                db.session.execute(text(f"SELECT count(*) FROM public.{table}"))
    finally:
        db.session.rollback()
        with transaction():
            db.session.execute(text("RESET ROLE"))
            db.session.execute(text("DROP OWNED BY ew_test_reader"))
            db.session.execute(text("DROP ROLE ew_test_reader"))


def test_what_is_kept_back_is_null(world: World) -> None:
    counted(world)
    assert groups.by_grade(world.schools["LIN"], today())
    asked = "SELECT grade, tier_1, watch, tier_2_or_3, none, students FROM bi.tables_by_grade ORDER BY grade"
    assert [tuple(row) for row in db.session.execute(text(asked))] == [
        ("4", 60, 20, 20, None, 100), ("5", 60, 20, None, None, 80),
    ]  # fmt: skip
