"""Customer metrics, recomputed in the transaction that lands what they are made from (DESIGN, derived rows).

Orders, refunds and credit notes touch customers: the one whose row it is, and the one whose it was before. All that
counts of a touched customer is read again and summed again, in sets, never customer by customer; so what is stored
depends on the landed rows alone and not on the way they came. Only rows whose values differ move, and their windows are
noted, so that feeds owe them. A first load of orders would touch the same customers in every chunk: it makes up for all
of them once, behind its last one, and no history counts as complete before. The arithmetic stands in `metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import columns
from stokly_sync.contracts.confirmation import Confirmation, confirmed, refund_counts
from stokly_sync.contracts.derived import CUSTOMER_METRICS
from stokly_sync.contracts.sales import CREDIT_NOTES, ORDER_LINES, ORDERS, REFUNDS
from stokly_sync.contracts.tables import UTC_TIME
from stokly_sync.landing.grid import window_at
from stokly_sync.landing.metrics import SKUS, Tally, metrics_frame, tallies
from stokly_sync.warehouse import erasures, windows
from stokly_sync.warehouse.bulk import Merge, among, merge, read_frame
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync.warehouse.windows import WindowCount, WindowState

_ORDERS: Final = LANDED[ORDERS.name]
_LINES: Final = LANDED[ORDER_LINES.name]
_REFUNDS: Final = LANDED[REFUNDS.name]
_NOTES: Final = LANDED[CREDIT_NOTES.name]
_METRICS: Final = LANDED[CUSTOMER_METRICS.name]

_OWNER: Final = {ORDERS.name: "customer_id", REFUNDS.name: "order_id", CREDIT_NOTES.name: "order_id"}
"""Datasets that touch customers, with the column that leads there."""
_COLUMNS: Final = (
    *("order_id", "customer_id", "stage", "payment_status", "tags", "live"),
    *("currency", "total", "created_at", "version", "country", "city"),
)
# Most customers have fewer orders; of those with more, the newest mostly fill the history.
_FIRST_ORDERS: Final = 50
_CHUNK_CUSTOMERS: Final = 5_000
_CHUNK_ORDERS: Final = 10_000

# A removed order takes its version away with it, and a row must not seem older than it was.
_DIFFERENT: Final = Merge(
    when=lambda stored, new: new.content_hash != stored.content_hash,
    compute={"version": lambda old, new: sa.case((old.version > new.version, old.version), else_=new.version)},
    returning=True,
)


@dataclass(frozen=True)
class Basis:
    """What counts, and in which base currency (ISO 4217)."""

    confirmation: Confirmation = field(default_factory=Confirmation)
    currency: str = "GBP"


@dataclass(frozen=True)
class Deriving:
    """What stays the same while rows of one brand are derived."""

    brand: str
    run_id: str
    windows_from: datetime
    basis: Basis


def causes(conn: sa.Connection, brand: str, dataset: str, keys: Iterable[str]) -> pd.DataFrame:
    """What landed rows of those keys lead to; none for rows that lead to nobody, and datasets that touch no customer.

    Frame of `key`, `owner` (a customer, or the order of a refund or credit note), `window_start` and `version`. To be
    asked before rows change, too.
    """
    column = _OWNER.get(dataset)
    if column is None:
        return _causes([], [], [], [])
    table = LANDED[dataset]
    key, owner = next(c for c in table.primary_key.columns if c.name != "brand"), table.c[column]
    query = sa.select(key.label("key"), owner.label("owner"), table.c.window_start, table.c.version)
    return read_frame(conn, query.where(table.c.brand == brand, owner.is_not(None), among(conn, key, keys)))


def caused(dataset: str, key: str, moved: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Causes by rows that were written: to whom they lead now, and to whom they led `before`, in the window of now.

    `moved` are root rows with `key`, `window_start` and `version`.
    """
    column = _OWNER.get(dataset)
    if column is None or moved.empty:
        return before.iloc[:0]
    now = _causes(moved[key], moved[column], moved["window_start"], moved["version"])
    places = now.drop(columns="owner")
    return pd.concat([now, before[["key", "owner"]].merge(places, on="key")], ignore_index=True).dropna(subset="owner")


def refresh(conn: sa.Connection, deriving: Deriving, dataset: str, found: pd.DataFrame) -> int:
    """Recompute the metrics of all customers that causes lead to, note their windows, and give how many changed.

    To be called behind the writes of the transaction: whoever comes second waits here for the first, and then sees its
    rows. A changed row lies in the newest window of its causes and is never older than they.
    """
    if found.empty:
        return 0
    # What is read of a person here must not be written behind the erasure of that person.
    erasures.beside_others(conn, deriving.brand)
    _one_at_a_time(conn, deriving.brand)
    if _OWNER[dataset] == "order_id":
        found = _by_customer(conn, deriving.brand, found)
    if found.empty:
        return 0
    touched = found.groupby("owner", sort=True)[["window_start", "version"]].max()
    frame = _rows(conn, deriving, touched)
    fixed = {"brand": deriving.brand, "landed_at": datetime.now(UTC)}
    result = merge(conn, _METRICS, frame, fixed=fixed, condition=_DIFFERENT)
    starts = frame["window_start"][frame["customer_id"].isin(result.keys["customer_id"])]
    _note(conn, deriving, starts)
    return result.written


def recompute(warehouse: Warehouse, deriving: Deriving, start: datetime | None = None) -> int:
    """Recompute the metrics of every customer, some thousand orders in a transaction; gives how many changed.

    Changes belong to the window that begins at `start`, or to that of the customer's newest row. Needed where orders
    were landed without metrics or under another basis; else it changes nothing.
    """
    changed, after = 0, ""
    while True:
        with warehouse.transaction() as conn:
            found = read_frame(conn, _customers_after(warehouse.brand, after))
            if found.empty:
                return changed
            # As many customers as have few enough orders together to keep memory flat, but at least one.
            fits = found["orders"].cumsum() <= _CHUNK_ORDERS
            found = found[fits | (found.index == 0)].drop(columns="orders")
            after = str(found["owner"].iloc[-1])
            if start is not None:
                found["window_start"] = pd.Series([start] * len(found), dtype=UTC_TIME)
            changed += refresh(conn, deriving, ORDERS.name, found)


def _customers_after(brand: str, after: str) -> sa.Select[*tuple[Any, ...]]:
    """Customers that orders or metrics name, as causes without keys."""
    named = sa.union_all(
        *(
            sa.select(t.c.customer_id, t.c.window_start, t.c.version).where(t.c.brand == brand, t.c.customer_id > after)
            for t in (_ORDERS, _METRICS)
        )
    ).subquery()
    newest = (sa.func.max(named.c.window_start).label("window_start"), sa.func.max(named.c.version).label("version"))
    key, orders = named.c.customer_id, sa.func.count().label("orders")
    return sa.select(key.label("owner"), *newest, orders).group_by(key).order_by(key).limit(_CHUNK_CUSTOMERS)


def _causes(key: Any, owner: Any, window_start: Any, version: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "key": pd.Series(key, dtype="str"),
            "owner": pd.Series(owner, dtype="str"),
            "window_start": pd.Series(window_start, dtype=UTC_TIME),
            "version": pd.Series(version, dtype=UTC_TIME),
        }
    )


def _one_at_a_time(conn: sa.Connection, brand: str) -> None:
    """Wait for others who derive rows of the brand, until the end of the transaction. SQLite has one writer anyway."""
    if conn.dialect.name == "postgresql":
        name = f"{CUSTOMER_METRICS.name} of {brand}"
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


def _by_customer(conn: sa.Connection, brand: str, found: pd.DataFrame) -> pd.DataFrame:
    """Causes that lead to orders, led on to their customers; an order that is not landed touches nobody yet."""
    o = _ORDERS.c
    query = sa.select(o.order_id.label("owner"), o.customer_id).where(
        o.brand == brand, o.customer_id.is_not(None), among(conn, o.order_id, found["owner"])
    )
    led = found.merge(read_frame(conn, query), on="owner")
    return led.drop(columns="owner").rename(columns={"customer_id": "owner"})


def _rows(conn: sa.Connection, deriving: Deriving, touched: pd.DataFrame) -> pd.DataFrame:
    """Metrics of touched customers; one who has no order that counts has a row only where one is stored."""
    brand, policy = deriving.brand, deriving.basis.confirmation
    customers = columns.keys(touched.index.to_series())
    o = _ORDERS.c
    query = sa.select(*(o[name] for name in _COLUMNS)).where(o.brand == brand, among(conn, o.customer_id, customers))
    orders = read_frame(conn, query)
    orders = orders[confirmed(orders, policy)]
    found = tallies(orders, _returns(conn, brand, orders["order_id"], policy))
    _add_skus(conn, brand, found)
    m = _METRICS.c
    bare = [c for c in customers if c not in found]
    known = sa.select(m.customer_id).where(m.brand == brand, among(conn, m.customer_id, bare))
    found |= {customer: Tally() for customer in conn.execute(known).scalars()}
    frame = metrics_frame(found, base=deriving.basis.currency)
    of = touched.loc[frame["customer_id"]].reset_index(drop=True)
    newer = of["version"].where(~(frame["version"] > of["version"]), frame["version"])
    return frame.assign(version=newer, window_start=of["window_start"])


def _returns(conn: sa.Connection, brand: str, orders: pd.Series, policy: Confirmation) -> pd.DataFrame:
    """Refunds and credit notes that count against orders; a note that a live refund of its order names counts once."""
    r, n = _REFUNDS.c, _NOTES.c
    refunds = read_frame(
        conn,
        sa.select(r.order_id, r.credit_note_id, r.currency, r.total.label("amount"), r.version, r.live, r.status).where(
            r.brand == brand, among(conn, r.order_id, orders)
        ),
    )
    named = refunds.loc[columns.flags(refunds["live"]), ["order_id", "credit_note_id"]].dropna()
    notes = read_frame(
        conn,
        sa.select(n.order_id, n.credit_note_id, n.currency, n.value.label("amount"), n.version).where(
            n.brand == brand, n.live.is_(True), among(conn, n.order_id, orders)
        ),
    )
    if not (named.empty or notes.empty):
        pairs = pd.MultiIndex.from_frame(notes[["order_id", "credit_note_id"]])
        notes = notes[~pairs.isin(pd.MultiIndex.from_frame(named))]
    wanted = ["order_id", "currency", "amount", "version"]
    return pd.concat([refunds.loc[refund_counts(refunds, policy), wanted], notes[wanted]], ignore_index=True)


def _add_skus(conn: sa.Connection, brand: str, found: Mapping[str, Tally]) -> None:
    """Give tallies their SKUs, from no more orders than it takes to fill the history."""
    start, end = 0, _FIRST_ORDERS
    pending = list(found.values())
    while pending:
        blocks = {id(tally): tally.order_ids[::-1][start:end] for tally in pending}
        lines = _skus_by_order(conn, brand, (order for block in blocks.values() for order in block))
        for tally in pending:
            for order in blocks[id(tally)]:
                tally.add_lines(order, lines.get(order, []))
        pending = [tally for tally in pending if len(tally.skus) < SKUS and len(tally.order_ids) > end]
        start, end = end, end * 10


def _skus_by_order(conn: sa.Connection, brand: str, orders: Iterator[str]) -> dict[str, list[str]]:
    c = _LINES.c
    query = (
        sa.select(c.order_id, c.sku)
        .where(c.brand == brand, c.sku.is_not(None), among(conn, c.order_id, orders))
        .order_by(c.order_id, c.position, c.line_id)
    )
    lines = read_frame(conn, query)
    found: dict[str, list[str]] = {}
    for order, sku in zip(columns.keys(lines["order_id"]), columns.keys(lines["sku"]), strict=True):
        found.setdefault(order, []).append(sku)
    return found


def _note(conn: sa.Connection, deriving: Deriving, starts: pd.Series) -> None:
    """Let the windows of changed rows be owed; nobody reads these windows, so none of them counts as landed."""
    if starts.empty:
        return
    counts = starts.value_counts()
    moments = pd.DatetimeIndex(counts.index).to_pydatetime()
    windows.note_landed(
        conn,
        brand=deriving.brand,
        dataset=CUSTOMER_METRICS.name,
        counts=[
            WindowCount(window_at(at, deriving.windows_from), read=count, changed=count)
            for at, count in zip(moments, counts.tolist(), strict=True)
        ],
        run_id=deriving.run_id,
        state=WindowState.OPEN,
        more=True,
    )
