"""A shop whose orders, refunds and credit notes land, for the tests of what is derived from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from stokly_sync.contracts.money import NANO
from stokly_sync.contracts.rules import Catalogue, Rule, catalogue
from stokly_sync.flow import Team, Window
from stokly_sync.landing import derived, grid
from stokly_sync.landing.derived import Basis, Deriving
from stokly_sync.landing.run import Reader, land_window
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.landing.source import Source

METRICS = "derived.customer_metrics"
T0 = grid.floor(datetime.now(UTC)) - timedelta(hours=8)
SPAN = Window(T0, T0 + timedelta(hours=6))
CODES = ("ST-ORDER-TOTAL", "ST-REFUND-OVER", "ST-REFUND-ORDER", "ST-TIME", "ST-MONEY", "ST-MEMBER-TYPE")
RULES: Catalogue = catalogue(Rule(c, "It is wrong.", "Mend it.", Team.FINANCE, "X2") for c in CODES)
# What only tells when a row was seen.
SEEN = ("window_start", "landed_at", "version")


class Shop:
    """Orders, refunds and credit notes at a source; each change is a minute later than the one before."""

    def __init__(self, warehouse: Warehouse, basis: Basis | None = None) -> None:
        self.warehouse = warehouse
        self.reader = Reader(warehouse, RULES, "run-1", T0 - timedelta(days=1), basis=basis or Basis())
        self.orders, self.refunds = Source("stokly.orders"), Source("stokly.refunds")
        self.notes = Source("stokly.credit_notes")
        self.minute = 0

    @property
    def now(self) -> datetime:
        self.minute += 1
        return T0 + timedelta(minutes=self.minute)

    def order(self, key: str, customer: str | None, *skus: str | None, total: int = 0, **more: Any) -> None:
        """An order of ten pounds a SKU, unless `total` says otherwise; known orders keep their time."""
        now, amount = self.now, 10 * max(len(skus), 1) * NANO
        before = self.orders.documents.get(key, {})
        line = {"quantity": 1, "line_price": 10 * NANO, "line_tax": 0, "line_total": 10 * NANO}
        lines = [{**line, "line_id": f"{key}-{n}", "position": n, "sku": sku} for n, sku in enumerate(skus or ("x",))]
        row = {
            "order_id": key,
            "customer_id": customer,
            "stage": "order",
            "payment_status": "paid",
            "live": True,
            "currency": "GBP",
            "total": total * NANO or amount,
            "lines_total": total * NANO or amount,
            "line_count": len(lines),
            "created_at": before.get("created_at", now),
            "updated_at": now,
            "country": "GB",
            "city": "Leeds",
            "lines": lines,
        }
        self.orders.put(**row | more)

    def refund(self, key: str, order: str | None, amount: int, **more: Any) -> None:
        now = self.now
        row = {"refund_id": key, "order_id": order, "status": "completed", "currency": "GBP", "total": amount * NANO}
        self.refunds.put(**row | {"live": True, "created_at": now, "updated_at": now} | more)

    def note(self, key: str, order: str | None, amount: int, **more: Any) -> None:
        now = self.now
        row = {"credit_note_id": key, "order_id": order, "currency": "GBP", "value": amount * NANO, "live": True}
        self.notes.put(**row | {"created_at": now, "updated_at": now} | more)

    def land(self) -> None:
        for source in (self.orders, self.refunds, self.notes):
            land_window(self.reader, source.extract(), None, SPAN)

    def rows(self, *, live: bool | None = None) -> dict[str, Any]:
        """Metrics by customer, without what only tells when a row was seen."""
        table = LANDED[METRICS]
        query = sa.select(*(c for c in table.c if c.name not in SEEN)).where(table.c.brand == self.warehouse.brand)
        query = query if live is None else query.where(table.c.live == live)
        with self.warehouse.reading() as connection:
            return {row.customer_id: row for row in connection.execute(query)}

    def one(self, customer: str) -> Any:
        table = LANDED[METRICS]
        with self.warehouse.reading() as connection:
            return connection.execute(sa.select(table).where(table.c.customer_id == customer)).one()

    def owed(self) -> dict[datetime, int]:
        with self.warehouse.reading() as connection:
            found = windows.owed(connection, brand=self.warehouse.brand, feed="f", datasets=[METRICS])
        return {o.window.start: o.revision for o in found}

    def recompute(self) -> int:
        deriving = Deriving(self.warehouse.brand, "run-2", self.reader.windows_from, self.reader.basis)
        return derived.recompute(self.warehouse, deriving, SPAN.start)

    def forget(self) -> None:
        with self.warehouse.transaction() as connection:
            connection.execute(sa.delete(LANDED[METRICS]))
