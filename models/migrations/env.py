"""How Alembic reaches the database: the engine it is handed, one transaction, a lock timeout."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

import models

engine = context.config.attributes["engine"]

with engine.begin() as connection:
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    context.configure(connection=connection, target_metadata=models.db.metadatas[None], compare_type=True)
    context.run_migrations()
