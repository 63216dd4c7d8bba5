"""Orders know their guest, a digest of the address; customers are found by whom they were merged into."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.contracts.owners import person, reachable
from stokly_sync.warehouse.sqltypes import TEXT

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_AT_ONCE = 5_000


def upgrade() -> None:
    op.add_column("stokly_orders", sa.Column("guest", TEXT))
    _fill(op.get_bind())
    _index("stokly_orders", "guest")
    _index("stokly_customers", "merged_into")


def _index(table: str, column: str) -> None:
    """An index of the rows that have a value there."""
    there = sa.text(f"{column} IS NOT NULL")
    op.create_index(f"{table}_by_{column}", table, ["brand", column], postgresql_where=there, sqlite_where=there)


def _fill(connection: sa.Connection) -> None:
    """The digest of every guest's order that is landed already."""
    names = ("brand", "order_id", "customer_id", "customer_email", "guest")
    orders = sa.table("stokly_orders", *(sa.column(name, TEXT) for name in names))
    o, after = orders.c, ("", "")
    mine = sa.and_(o.brand == sa.bindparam("of_brand"), o.order_id == sa.bindparam("of_order"))
    write = sa.update(orders).where(mine).values(guest=sa.bindparam("digest"))
    query = sa.select(o.brand, o.order_id, o.customer_email).where(o.customer_id.is_(None))
    while rows := connection.execute(
        query.where(sa.tuple_(o.brand, o.order_id) > sa.tuple_(*map(sa.literal, after)))
        .order_by(o.brand, o.order_id)
        .limit(_AT_ONCE)
    ).all():
        after = (rows[-1].brand, rows[-1].order_id)
        found = [
            {"of_brand": brand, "of_order": order, "digest": person(email)}
            for brand, order, email in rows
            if reachable(email)
        ]
        if found:
            connection.execute(write, found)


def downgrade() -> None:
    op.drop_index("stokly_customers_by_merged_into", "stokly_customers")
    op.drop_index("stokly_orders_by_guest", "stokly_orders")
    op.drop_column("stokly_orders", "guest")
