"""Keep each school's timetable: how long a class period is and whether it counts, so that missed periods add up"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "class_period",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_class_period_school_id")),
        sa.PrimaryKeyConstraint("school_id", "grade", "period", name=op.f("pk_class_period")),
    )


def downgrade() -> None:
    op.drop_table("class_period")
