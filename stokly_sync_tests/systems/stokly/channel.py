"""A sales channel that exists only as landed rows, and a Stokly account on loopback that its documents go to.

The channel's rows are made from its contract and landed as its extracts would land them, so these tests know nothing of
any shop's API. Stokly's own rows come in through its real extracts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS, TABLES
from stokly_sync.contracts.money import NANO, nano
from stokly_sync.contracts.tables import DTYPES, Kind, Table, empty
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.delivery.options import Options
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.flow import Feed, Window
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.landing.run import Reader, land_baseline, land_window
from stokly_sync.pipeline.declared import all_rules
from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.seeds.account import MAGENTO, account_tables
from stokly_sync.sandbox.seeds.items import Levels, item_row
from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.words import make_id
from stokly_sync.sandbox.stokly import StoklySandbox
from stokly_sync.systems import SYSTEMS
from stokly_sync.systems.stokly.client import StoklyClient
from stokly_sync.systems.stokly.extracts import extracts
from stokly_sync.systems.stokly.feeds import feeds
from stokly_sync.warehouse.bulk import delete_by, merge
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED, LEDGER, LINKS
from stokly_sync.warehouse.windows import WindowCount, note_landed, set_baseline

CHANNEL: Final = "magento"
PLACED: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RULES: Final = all_rules(SYSTEMS)
SKUS: Final = ("MUG", "PLATE", "BOWL")
Row = dict[str, Any]
_FILLERS: Final = {Kind.TEXT: "x", Kind.JSON: "[]", Kind.MONEY: 0, Kind.WHOLE: 0, Kind.FLAG: True, Kind.TIME: PLACED}


def line(number: int, sku: str, quantity: int, price: str, **changes: Any) -> Row:
    """A line of `quantity` units at a net price each, with 20 % tax."""
    net = nano(price) * quantity
    money = {"line_price": net, "line_tax": net // 5, "line_total": net + net // 5}
    known = {"line_id": str(number), "position": number, "sku": sku, "name": sku.title(), "kind": "simple"}
    counts = {"quantity": quantity, "quantity_shipped": 0, "quantity_cancelled": 0, "quantity_refunded": 0}
    return {**known, **counts, **money, "virtual": False, **changes}


def order(key: int, *lines: Row, **changes: Any) -> Row:
    """A paid order of Magento with 5.00 + 1.00 shipping; its lines stand under `lines`."""
    own = [{**one, "order_id": str(key)} for one in lines or (line(1, "MUG", 2, "10.00"), line(2, "PLATE", 1, "5.00"))]
    goods = sum(one["line_total"] for one in own)
    tax = sum(one["line_tax"] or 0 for one in own) + NANO
    address = {"name": f"Customer {key}", "line1": "1 High Street", "city": "Leeds", "postcode": "LS1 0AA"}
    both = {f"{kind}_{name}": value for kind in ("billing", "shipping") for name, value in address.items()}
    return {
        "order_id": str(key),
        "number": f"1{key:08d}",
        "state": "open",
        "store": "1",
        "customer_key": str(key),
        "customer_email": f"{key}@example.com",
        "customer_forename": "Customer",
        "customer_surname": str(key),
        **both,
        "billing_country": "GB",
        "shipping_country": "GB",
        "payment_method": "checkmo",
        "shipping_method": "flatrate_flatrate",
        "currency": "GBP",
        "tax": tax,
        "shipping": 5 * NANO,
        "shipping_tax": NANO,
        "total": goods + 6 * NANO,
        "amount_paid": goods + 6 * NANO,
        "line_count": len(own),
        "lines_total": goods,
        "placed_at": PLACED + timedelta(minutes=key),
        "paid_at": PLACED + timedelta(minutes=key),
        "updated_at": PLACED + timedelta(minutes=key),
        "live": True,
        "lines": own,
        **changes,
    }


def refund(key: int, of: Row, *lines: Row, **changes: Any) -> Row:
    """A completed credit memo for lines of an order."""
    own = [{**one, "refund_id": str(key), "position": n, "returned": True} for n, one in enumerate(lines)]
    total = sum(one["line_total"] for one in own)
    return {
        "refund_id": str(key),
        "order_id": of["order_id"],
        "number": f"CM{key}",
        "state": "completed",
        "currency": of["currency"],
        "total": total,
        "tax": sum(one["line_tax"] for one in own),
        "created_at": PLACED + timedelta(days=1, minutes=key),
        "live": True,
        "lines": own,
        **changes,
    }


@dataclass
class Done:
    """What one load did, by the feed's kind (`orders`, `refunds`...)."""

    plans: dict[str, PlanFigures] = field(default_factory=dict)
    sent: dict[str, DeliveryFigures] = field(default_factory=dict)

    def to_send(self) -> dict[str, int]:
        """Records to send by kind, where there were any."""
        return {kind: figures.to_send for kind, figures in self.plans.items() if figures.to_send}


@dataclass
class Desk:
    """The warehouse between a channel's rows and a Stokly account."""

    warehouse: Warehouse
    account: StoklySandbox
    client: StoklyClient
    clock: ManualClock
    version: datetime = PLACED + timedelta(days=30)
    first_read: datetime = PLACED
    """When the channel's history was first read."""

    @property
    def options(self) -> Options:
        """No patience at all: waiting moves the account's clock instead."""
        return Options(look_up_delay=0, settle_pause=0, sleep=self.clock.advance)

    def feed(self, kind: str) -> Feed:
        """A feed into Stokly from the channel."""
        return next(f for f in feeds(self.client.settings) if f.name == f"{CHANNEL}_{kind}")

    def shop(self, *orders: Row) -> None:
        """Land orders of the channel, as they are now."""
        self._land("orders", "order_lines", "order_id", orders)

    def credit(self, *refunds: Row) -> None:
        """Land refunds of the channel."""
        self._land("refunds", "refund_lines", "refund_id", refunds)

    def read(self) -> None:
        """Read Stokly's own rows through its extracts."""
        self.clock.advance(2)
        now = datetime.now(UTC)
        reader = Reader(self.warehouse, RULES, "read", now - timedelta(days=1))
        for extract in extracts(self.client.settings):
            if not extract.snapshot:
                land_baseline(reader, extract, self.client, now - timedelta(hours=1))
                land_window(reader, extract, self.client, Window(floor(now) - 2 * STEP, floor(now) + 3 * STEP))

    def plan(self, kind: str) -> PlanFigures:
        """Decide on every record of a feed."""
        scope = PlanScope(everything=True)
        return plan(self.warehouse, self.feed(kind), catalogue=RULES, scope=scope, run_id="run")

    def send(self, kind: str, client: StoklyClient | None = None) -> DeliveryFigures:
        """Send what a feed has planned."""
        given = client or self.client
        return deliver(
            *(self.warehouse, self.feed(kind), given),
            catalogue=RULES,
            run_id="run",
            calls=lambda c: int(c.calls),
            options=self.options,
        )

    def sync(self) -> Done:
        """Read Stokly, then plan and send every feed of the channel in order."""
        self.read()
        done = Done()
        for feed in feeds(self.client.settings):
            if feed.name.startswith(f"{CHANNEL}_"):
                kind = feed.name.removeprefix(f"{CHANNEL}_")
                done.plans[kind] = self.plan(kind)
                done.sent[kind] = self.send(kind)
        self.clock.advance(2)
        return done

    def held(self, collection: str) -> list[Row]:
        """What the account keeps of a kind, once all writes can be seen."""
        self.account.store.settle(everything=True)
        return self.account.store.rows(collection)

    def orders(self) -> dict[str, Row]:
        """Sale orders in the account by the channel's number; each number once."""
        rows = self.held("saleorders")
        numbers = [row["sourceReferenceId"] for row in rows]
        assert len(numbers) == len(set(numbers)), f"an order is there twice: {sorted(numbers)}"
        return dict(zip(numbers, rows, strict=True))

    def states(self, kind: str) -> dict[str, tuple[str, str | None]]:
        """State and rule of the ledger's records of a feed, by key."""
        c = LEDGER.c
        query = sa.select(c.key, c.state, c.rule).where(c.feed == f"stokly/{CHANNEL}_{kind}")
        with self.warehouse.reading() as connection:
            return {key: (state, rule) for key, state, rule in connection.execute(query)}

    def exceptions(self) -> dict[tuple[str, str], Row]:
        """Open exceptions by key and rule."""
        query = sa.select(EXCEPTIONS).where(EXCEPTIONS.c.state == "open")
        with self.warehouse.reading() as connection:
            return {(row["key"], row["rule"]): dict(row) for row in connection.execute(query).mappings()}

    def links(self, entity: str) -> dict[str, str]:
        """Ids in Stokly by the channel's key."""
        c = LINKS.c
        query = sa.select(c.key, c.external_id).where(c.entity == f"{CHANNEL}.{entity}", c.system == "stokly")
        with self.warehouse.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _land(self, root: str, child: str, key: str, rows: Iterable[Row]) -> None:
        self.version += timedelta(minutes=1)
        dataset = DATASETS[f"{CHANNEL}.{root}"]
        now = datetime.now(UTC)
        observed = Window(floor(now), floor(now) + STEP)
        chosen = list(rows)
        frame = frame_of(dataset.root, chosen, self.version).assign(window_start=observed.start, landed_at=observed.end)
        lines = frame_of(TABLES[f"{CHANNEL}.{child}"], [one for row in chosen for one in row["lines"]], self.version)
        brand = self.warehouse.brand
        with self.warehouse.transaction() as connection:
            merge(connection, LANDED[dataset.name], frame, fixed={"brand": brand})
            keys = [row[key] for row in chosen]
            delete_by(connection, LANDED[f"{CHANNEL}.{child}"], brand=brand, column=key, values=keys)
            merge(connection, LANDED[f"{CHANNEL}.{child}"], lines, fixed={"brand": brand})
            counts = [WindowCount(observed, read=len(frame), changed=len(frame))]
            note_landed(connection, brand=brand, dataset=dataset.name, counts=counts, run_id="landing")
            set_baseline(connection, brand=brand, dataset=dataset.name, to=self.first_read, cursor=None, done=True)


MakeDesk = Callable[..., Desk]


def account_rows() -> dict[str, list[Row]]:
    """An account with three items and no order."""
    at = "2025-01-01T00:00:00.000Z"
    items = [
        item_row(
            Product(make_id("item", sku), sku, sku.title()),
            format_=0,
            type_name="Homeware",
            price=None,
            created=at,
            updated=at,
            levels=Levels(on_hand=100),
        )
        for sku in SKUS
    ]
    return {**account_tables(), "items": items}


def imported(key: int, number: str, **changes: Any) -> Row:
    """A sale order that Stokly has imported from the channel by itself."""
    return {
        "saleOrderId": make_id("own import", key),
        "niceId": key,
        "stage": "order",
        "itemStatuses": ["unprocessed"],
        "sourceType": MAGENTO.source_type,
        "sourceId": MAGENTO.channel_id,
        "sourceReferenceId": number,
        "channelName": MAGENTO.name,
        "currency": "GBP",
        "displayTotal": 36,
        "displayShippingCost": 5,
        "displayShippingTax": 1,
        "createdAt": "2026-01-05T12:01:00.000Z",
        **changes,
    }


def frame_of(contract: Table, rows: list[Row], version: datetime) -> pd.DataFrame:
    """Rows of a table as its contract has them; required columns that are not given say nothing."""
    columns = {}
    for column in contract.all_columns:
        filler: Any = version if column.name == "version" else _FILLERS[column.kind] if column.required else None
        values = [_value(row, column.name, filler) for row in rows]
        columns[column.name] = pd.Series(values, dtype=DTYPES[column.kind])  # type: ignore[call-overload]
    return pd.DataFrame(columns) if rows else empty(contract)


def _value(row: Mapping[str, Any], name: str, filler: Any) -> Any:
    return row.get(name, filler)
