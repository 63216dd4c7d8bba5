"""What alembic runs around the steps; the connection comes from `migrate` and is already in a transaction."""

from __future__ import annotations

from alembic import context

from stokly_sync.warehouse.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can take back DDL too; alembic leaves that off for the sake of old drivers.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
