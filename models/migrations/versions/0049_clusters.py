"""Keep clusters of absences: groups that stood out, day by day, and what was said of them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _id(kind: type[sa.Integer] = sa.Integer) -> sa.Column[int]:
    return sa.Column("id", kind(), sa.Identity(always=False), primary_key=True)


def _to(table: str, target: str, column: str, *, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    name = op.f(f"fk_{table}_{column}_{target}")
    return [
        sa.Column(column, sa.Integer(), nullable=nullable),
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name),
    ]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _one_of(table: str, column: str, values: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({values})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "cluster_look",
        _id(sa.BigInteger),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("looked_at", MOMENT, nullable=False),
        *_ints("judged", "found"),
    )
    op.create_index("ix_cluster_look_day", "cluster_look", ["day", "id"])
    _cluster()
    op.create_table(
        "cluster_day",
        _id(sa.BigInteger),
        *_to("cluster_day", "cluster", "cluster_id"),
        *_to("cluster_day", "school", "school_id"),
        sa.Column("day", sa.Date(), nullable=False),
        *_ints("observed", "expected", "members", "excused"),
        sa.UniqueConstraint("cluster_id", "school_id", "day", name=op.f("uq_cluster_day_cluster_id_school_id_day")),
    )
    op.create_table(
        "cluster_note",
        _id(),
        *_to("cluster_note", "cluster", "cluster_id"),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.UniqueConstraint("once", name=op.f("uq_cluster_note_once")),
        _one_of("cluster_note", "step", "'opened', 'grew', 'taken', 'note', 'gone', 'withdrawn', 'closed'"),
    )
    op.create_index(op.f("ix_cluster_note_cluster_id"), "cluster_note", ["cluster_id"])


def _cluster() -> None:
    days = ("due", "opened", "first_day", "alarmed_day", "last_day", "through")
    op.create_table(
        "cluster",
        _id(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "group_key", "department", "owner_role")),
        *_to("cluster", "school", "school_id"),
        *_to("cluster", "network", "network_id"),
        *_to("cluster", "person", "owner_id", nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in days),
        sa.Column("opened_at", MOMENT, nullable=False),
        *_ints("window_days", "observed", "expected", "members", "odds", "version"),
        sa.Column("taken_at", MOMENT, nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.Column("gone_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_as", sa.Text(), nullable=True),
        _one_of("cluster", "kind", "'route', 'class', 'grade', 'building', 'weekday'"),
        _one_of("cluster", "state", "'open', 'closed', 'withdrawn'"),
        _one_of("cluster", "ended_as", "'mended', 'false_alarm', 'cannot_tell'"),
    )
    op.create_index(op.f("ix_cluster_school_id"), "cluster", ["school_id"])
    op.create_index("ix_cluster_department_state", "cluster", ["department", "state"])
    where = sa.text("state = 'open'")
    op.create_index(
        "uq_cluster_open", "cluster", ["kind", "school_id", "group_key"], unique=True, postgresql_where=where
    )


def downgrade() -> None:
    op.execute("DELETE FROM mail WHERE notice_id IN (SELECT id FROM notice WHERE kind = 'cluster_given')")
    op.execute("DELETE FROM notice WHERE kind = 'cluster_given'")
    for table in ("cluster_note", "cluster_day", "cluster", "cluster_look"):
        op.drop_table(table)
