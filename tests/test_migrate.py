"""Where a database stands, said without loading the tool that changes it."""

from __future__ import annotations

import subprocess
import sys

from sqlalchemy import create_engine, text

from models import migrate


def test_the_files_in_order_are_the_chain(database_url: str) -> None:
    assert migrate.heads() == [migrate.head()]
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    assert migrate.revision(engine) == migrate.head()
    with engine.begin() as line:
        line.execute(text("DROP SCHEMA public CASCADE"))
        line.execute(text("CREATE SCHEMA public"))
    assert migrate.revision(engine) is None
    migrate.upgrade(engine)
    migrate.upgrade(engine)
    assert migrate.revision(engine) == migrate.head()
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_models_describe(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    import models

    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as line:
        context = MigrationContext.configure(line, opts={"compare_type": True})
        assert compare_metadata(context, models.db.metadatas[None]) == []
    engine.dispose()


def test_policies_that_were_put_in_force_before_are_kept_by_their_hash(database_url: str) -> None:
    from alembic import command

    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    command.downgrade(migrate.config(engine), "0014")
    with engine.begin() as line:
        for version, day in (("aa", "2000-01-01"), ("bb", "2026-08-01"), ("aa", "2026-10-01")):
            line.execute(
                text("""
                    INSERT INTO policy_version (version, name, content, starts, activated_by, activated_at)
                    VALUES (:version, 'ours', :content, CAST(:day AS date), 'operator', CAST(:day AS date))
                """),
                {"version": version, "content": f"of {version}", "day": day},
            )
    migrate.upgrade(engine)
    with engine.begin() as line:
        kept = line.execute(text("SELECT version, content, kept_at::date::text FROM policy_text ORDER BY version"))
        assert [tuple(row) for row in kept] == [("aa", "of aa", "2000-01-01"), ("bb", "of bb", "2026-08-01")]
        held = line.execute(text("SELECT version FROM policy_version WHERE withdrawn_at IS NULL ORDER BY starts"))
        assert [row.version for row in held] == ["aa", "bb", "aa"]
    engine.dispose()


def test_tables_that_were_told_before_stand_as_they_were_read(database_url: str) -> None:
    """A school's grades in counts and the groups of its network in tens: readers remember both, and so do we."""
    from alembic import command

    from ew_app.services.watching import kept

    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    command.downgrade(migrate.config(engine), "0090")
    with engine.begin() as line:
        line.execute(text("INSERT INTO network (id, key, name) VALUES (1, 'N', 'North')"))
        line.execute(text("INSERT INTO school (id, key, name, network_id, level, day_minutes, min_full_minutes, "
                          "min_half_minutes) VALUES (7, 'L', 'Lincoln', 1, '', 420, 300, 150)"))  # fmt: skip
        told = "'2026-11-02', '2026-11-03', '[\"4\", \"5\"]'"
        shown = "'[[44, 3], [40, 12]]', '[[44, null, 47], [40, 12, 52]]'"
        line.execute(text(f"INSERT INTO told_cut (school_id, day, told_at, grades, counts, shown) "
                          f"VALUES (7, {told}, {shown})"))  # fmt: skip
        line.execute(text("INSERT INTO told_part (schools, leaves, by, day, told_at, names, columns, counts, shown) "
                          f"VALUES ('x', '{{}}', 'low_income', {told}, '[]', {shown})"))  # fmt: skip
    migrate.upgrade(engine)
    with engine.begin() as line:
        found = line.execute(text("SELECT by, schools, leaves, shown, exact FROM told_part ORDER BY by")).all()
        assert [tuple(row) for row in found] == [
            (
                "grade",
                kept.fingerprint([7]),
                {"7": {"4": [44, 3], "5": [40, 12]}},
                [[44, None, 47], [40, 12, 52]],
                True,
            ),
            ("low_income", "x", {}, [[40, None, 50], [40, 10, 50]], False),
        ]
        view = line.execute(text("SELECT school_id, grade, tier_1, watch FROM bi.tables_by_grade ORDER BY grade")).all()
        assert [tuple(row) for row in view] == [("L", "4", 44, None), ("L", "5", 40, 12)]
        line.execute(text("TRUNCATE told_part, school, network CASCADE"))
    engine.dispose()


def test_commands_start_without_the_migration_tool() -> None:
    asked = "import sys, ew_app.cli.serve, ew_app.factory; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
