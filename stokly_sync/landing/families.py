"""Stock of variable parents, which no source lists: made from their landed variants, in the landing transaction.

A parent holds no stock, yet a shop shows it as in stock or not. Which variant is whose stands in the landed items, so
this costs no call; and because it happens where stock is landed, every destination finds the parent's total among the
others. Belongs here: that sum. What a destination makes of it stands in its documents.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.products import ITEMS, STOCK
from stokly_sync.contracts.tables import DTYPES, Dataset, Kind
from stokly_sync.flow import Rows
from stokly_sync.landing.store import Checked, Landing, store
from stokly_sync.warehouse.bulk import read_frame
from stokly_sync.warehouse.tables import LANDED
from stokly_sync.warehouse.windows import WindowCount

VARIABLE_PARENT: Final = 2
_STOCK: Final = LANDED[STOCK.name]
_PARENTS: Final = LANDED[ITEMS.name].alias("parents")
_VARIANTS: Final = LANDED[ITEMS.name].alias("variants")
_KEY: Final = _PARENTS.c.item_id + "/"


def made_keys(conn: sa.Connection, dataset: Dataset, brand: str) -> set[str]:
    """Keys of the rows that are made here and so are missing from every list of the source; none but for stock."""
    if dataset.name != STOCK.name:
        return set()
    parents = sa.select(_KEY).where(_PARENTS.c.brand == brand, _PARENTS.c.format == VARIABLE_PARENT)
    return set(conn.execute(parents).scalars())


def land_totals(conn: sa.Connection, landing: Landing, requested_at: datetime) -> tuple[WindowCount, ...]:
    """Land one total for each variable parent, once all stock of a read is landed; gives what that did to windows.

    Nothing is done for other datasets, and for sources without families. The rows stand beside the sum of a read.

    `on_hand`, `quarantined` and `on_order` are the sums over the live variants. `available` sums what can be sold of
    each, so a variant that is short takes nothing from the others. A parent without variants has none of anything, one
    that was deleted is not live. The version is `requested_at` (UTC), when the stock that is summed was asked for.
    Source: O4.
    """
    if landing.dataset.name != STOCK.name:
        return ()
    sums = read_frame(conn, _sums(landing.warehouse.brand))
    if sums.empty:
        return ()
    frame = sums.assign(
        location_id=pd.Series([None] * len(sums), dtype="str"),
        content_hash=pd.Series([_hash(row) for row in sums.itertuples(index=False)], dtype="str"),
        version=pd.Series([requested_at] * len(sums), dtype=DTYPES[Kind.TIME]),  # type: ignore[call-overload]
        extra=pd.Series([None] * len(sums), dtype="str"),
    )
    columns = [column.name for column in STOCK.root.all_columns]
    return store(conn, landing, Checked(Rows({STOCK.name: frame[columns]}), len(frame), {}), documents=()).windows


def _sums(brand: str) -> sa.Select[*tuple[Any, ...]]:
    stock, parents, variants = _STOCK.c, _PARENTS.c, _VARIANTS.c
    own = _STOCK.alias("own")
    known = sa.exists().where(own.c.brand == brand, own.c.stock_id == _KEY)
    children = sa.and_(
        variants.brand == parents.brand, variants.parent_item_id == parents.item_id, variants.live.is_(True)
    )
    totals = sa.and_(stock.brand == variants.brand, stock.stock_id == variants.item_id + "/", stock.live.is_(True))
    free = sa.func.coalesce(stock.available, stock.on_hand)
    return (
        sa.select(
            _KEY.label("stock_id"),
            parents.item_id,
            parents.sku,
            parents.live,
            _sum(stock.on_hand, "on_hand"),
            _sum(sa.case((free > 0, free), else_=0), "available"),
            _sum(stock.quarantined, "quarantined"),
            _sum(stock.on_order, "on_order"),
        )
        .select_from(_PARENTS.outerjoin(_VARIANTS, children).outerjoin(_STOCK, totals))
        .where(parents.brand == brand, parents.format == VARIABLE_PARENT, parents.sku.is_not(None))
        .where(sa.or_(parents.live.is_(True), known))
        .group_by(parents.item_id, parents.sku, parents.live)
        .order_by(parents.item_id)
    )


def _sum(column: sa.ColumnElement[Any], name: str) -> sa.Label[Any]:
    # PostgreSQL sums whole numbers to decimals.
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger).label(name)


def _hash(row: tuple[Any, ...]) -> str:
    return blake2b(repr(tuple(row)).encode(), digest_size=16).hexdigest()
