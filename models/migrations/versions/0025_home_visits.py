"""Keep home visits: two people, somebody who watches, and when they must be back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PEOPLE = ("visitor_id", "second_id", "watcher_id")


def upgrade() -> None:
    op.create_table(
        "visit",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.Time(), nullable=True),
        sa.Column("visitor_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=True),
        sa.Column("second_name", sa.Text(), nullable=False),
        sa.Column("watcher_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_checked_at", MOMENT, nullable=True),
        sa.Column("no_call_why", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("planned_at", MOMENT, nullable=False),
        sa.Column("out_at", MOMENT, nullable=True),
        sa.Column("back_by", MOMENT, nullable=True),
        sa.Column("late_at", MOMENT, nullable=True),
        sa.Column("back_at", MOMENT, nullable=True),
        sa.Column("called_off_why", sa.Text(), nullable=False),
        sa.Column("outreach_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("status IN ('planned', 'out', 'back', 'called_off')", name=op.f("ck_visit_status")),
        sa.CheckConstraint("second_id IS NOT NULL OR second_name <> ''", name=op.f("ck_visit_two_people")),
        sa.CheckConstraint(
            "second_id <> visitor_id AND watcher_id <> visitor_id", name=op.f("ck_visit_different_people")
        ),
        sa.CheckConstraint(
            "(status = 'planned') OR (status = 'called_off') OR out_at IS NOT NULL", name=op.f("ck_visit_went")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_visit_case_id_support_case")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_visit_student_id_student")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_visit_school_id_school")),
        *(sa.ForeignKeyConstraint([one], ["person.id"], name=op.f(f"fk_visit_{one}_person")) for one in PEOPLE),
        sa.ForeignKeyConstraint(["outreach_id"], ["outreach.id"], name=op.f("fk_visit_outreach_id_outreach")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("once", name=op.f("uq_visit_once")),
    )
    op.create_index(op.f("ix_visit_case_id"), "visit", ["case_id"])
    op.create_index(op.f("ix_visit_school_id"), "visit", ["school_id"])
    under_way = sa.text("status IN ('planned', 'out')")
    op.create_index("uq_visit_under_way", "visit", ["student_id"], unique=True, postgresql_where=under_way)
    out = sa.text("status = 'out' AND late_at IS NULL")
    op.create_index("ix_visit_back_by", "visit", ["back_by"], postgresql_where=out)
    op.create_index("ix_visit_visitor_id_day", "visit", ["visitor_id", "day"])
    op.add_column("notice", sa.Column("visit_id", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_notice_visit_id_visit"), "notice", "visit", ["visit_id"], ["id"])
    _about("case_id, task_id, school_id, visit_id")


def downgrade() -> None:
    op.execute("DELETE FROM mail WHERE notice_id IN (SELECT id FROM notice WHERE visit_id IS NOT NULL)")
    op.execute("DELETE FROM notice WHERE visit_id IS NOT NULL")
    _about("case_id, task_id, school_id")
    op.drop_column("notice", "visit_id")
    op.drop_table("visit")


def _about(columns: str) -> None:
    op.drop_constraint(op.f("ck_notice_about"), "notice")
    op.create_check_constraint(op.f("ck_notice_about"), "notice", f"num_nonnulls({columns}) <= 1")
