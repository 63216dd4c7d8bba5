"""What alembic runs around the steps; the connection comes from `migrate` and is already in a transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from stokly_sync.warehouse.sqltypes import kind_of
from stokly_sync.warehouse.tables import METADATA


def _in_our_words(what: str, item: Any, _context: object) -> str | Literal[False]:
    """Write types into a new step by our own names, which mean the same on both databases."""
    return kind_of(item).name if what == "type" else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_item=_in_our_words,
    # SQLite can take back DDL too; alembic leaves that off for the sake of old drivers.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
