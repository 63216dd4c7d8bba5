"""Sale orders with their lines: Stokly's rows to ours, in the document's currency.

Members with the prefix `display` are in the document's currency and come first. Whether a line's price is a unit's or
the line's is not proven: explicit `displayLine...` members decide; without them both readings are computed and the one
that adds up to the order's own total is taken, order by order (or a setting says it). Component lines of composites
are left out. Source: Stokly API contract 2.4, 3.2, 4.2, 5 (1, 17).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from stokly_sync.contracts.columns import minor_units
from stokly_sync.contracts.owners import person, reachable
from stokly_sync.contracts.sales import ORDER_LINES, ORDERS
from stokly_sync.flow import Received, Rows
from stokly_sync.systems.rows.cells import Cells, texts
from stokly_sync.systems.rows.roots import (
    Sheet,
    SubDocuments,
    child_frame,
    finish,
    live_unless,
    rows_of,
    sub_documents,
)
from stokly_sync.systems.rows.shapes import Shape, members
from stokly_sync.systems.rows.sums import product, quotient
from stokly_sync.systems.stokly.documents.papers import REMOVED
from stokly_sync.systems.stokly.settings import StoklySettings

_ADDRESS_PARTS = ("Line1", "Line2", "City", "Region", "Postcode", "Country")
_AMOUNTS = ("subtotal", "tax", "discount", "shippingCost", "shippingTax", "total")
SHAPE: Final = Shape(
    ORDERS,
    key_member="saleOrderId",
    update_member="updatedAt",
    known=members(
        text=(
            *("saleOrderId", "stage", "sourceType", "sourceId", "channelName", "sourceReferenceId", "locationId"),
            *("customerReference", "customerId", "customerName", "customerEmail", "customerPhone", "currency"),
            *("paymentStatus", "createdAt", "updatedAt", "accountkey"),
            *(f"{kind}Address{part}" for kind in ("billing", "shipping") for part in _ADDRESS_PARTS),
        ),
        money=(*_AMOUNTS, *(f"display{a[0].upper()}{a[1:]}" for a in _AMOUNTS), "amountPaid", "exchangeRate"),
        texts=("tags", "itemStatuses"),
        other=("niceId",),
        lists={
            "items": members(
                text=("lineId", "parentId", "referenceId", "itemSku", "itemName", "status", "fulfilmentType"),
                money=(
                    *("price", "tax", "displayPrice", "displayTax", "displayDiscount"),
                    *("displayLinePrice", "displayLineTax", "displayLineDiscount", "displayLineTotal"),
                ),
                whole=("quantity",),
            )
        },
    ),
)


def order_rows(documents: Sequence[Received], requested_at: datetime, *, settings: StoklySettings) -> Rows:
    """Orders as rows of `stokly.orders` and `stokly.order_lines`; nano units of the order's currency, times UTC.

    A document holds its lines under `items`. Members that cannot be converted are problems of the order under
    ST-MEMBER-TYPE, ST-MONEY or ST-TIME. Pure.
    """
    return rows_of(SHAPE, documents, requested_at, partial(_rows, settings=settings))


def _rows(made: Sheet, *, settings: StoklySettings) -> Rows:
    columns = _columns(made)
    lines = _lines(made, columns, settings)
    by_order = lines.groupby("order_id", sort=False)["line_total"]
    keys = pd.Series(texts(made.keys))
    columns["line_count"] = keys.map(by_order.size()).fillna(0).astype("Int64")
    columns["lines_total"] = keys.map(by_order.sum()).fillna(0).astype("Int64")
    return finish(made, columns, {ORDER_LINES.name: lambda _table: lines}, dropped=settings.dropped_members)


def _columns(made: Sheet) -> dict[str, pd.Series]:
    c = made.cells
    columns = {
        "number": c.text("niceId", numbers=True),
        "stage": c.text("stage"),
        "source_type": c.text("sourceType"),
        "channel_id": c.text("sourceId"),
        "channel_name": c.text("channelName"),
        "channel_reference": c.text("sourceReferenceId", numbers=True),
        "customer_reference": c.text("customerReference", numbers=True),
        "customer_id": c.text("customerId"),
        "customer_name": c.text("customerName", strip=True),
        "customer_email": c.text("customerEmail", strip=True),
        "customer_phone": c.text("customerPhone", strip=True),
        "country": c.text("shippingAddressCountry", strip=True),
        "region": c.text("shippingAddressRegion", strip=True),
        "city": c.text("shippingAddressCity", strip=True),
        "postcode": c.text("shippingAddressPostcode", strip=True),
        "address_line1": c.text("shippingAddressLine1", strip=True),
        "address_line2": c.text("shippingAddressLine2", strip=True),
        "currency": c.text("currency", strip=True),
        "subtotal": c.money("displaySubtotal", "subtotal"),
        "discount": c.money("displayDiscount", "discount"),
        "tax": c.money("displayTax", "tax"),
        "shipping": c.money("displayShippingCost", "shippingCost"),
        "shipping_tax": c.money("displayShippingTax", "shippingTax"),
        "total": c.money("displayTotal", "total"),
        "base_total": c.money("total"),
        "amount_paid": c.money("amountPaid"),
        "payment_status": c.text("paymentStatus"),
        "location_id": c.text("locationId"),
        "tags": c.json("tags", of=list),
        "item_statuses": c.json("itemStatuses", of=list),
        "created_at": c.time("createdAt"),
        "updated_at": c.time("updatedAt"),
        "live": live_unless(c.values("stage"), REMOVED),
    }
    found = {name: pd.Series(column) for name, column in columns.items()}
    return {**found, "guest": _guests(found["customer_id"], found["customer_email"])}


def _guests(customers: pd.Series, emails: pd.Series) -> pd.Series:
    """The digest of the address of each order without a customer, where it could be written to."""
    found: list[str | None] = [None] * len(emails)
    alone = (customers.isna() & emails.notna()).to_numpy(dtype=bool)
    for index in np.flatnonzero(alone).tolist():
        email = reachable(str(emails.iloc[index]))
        found[index] = person(email) if email else None
    return pd.Series(texts(found))


@dataclass(frozen=True)
class _Amounts:
    """Net, tax and discount of lines under one reading, nano units."""

    price: pd.Series
    tax: pd.Series
    discount: pd.Series

    def where(self, use: pd.Series, other: _Amounts) -> _Amounts:
        """These amounts where `use` is true, the other's elsewhere."""
        return _Amounts(
            self.price.where(use, other.price), self.tax.where(use, other.tax), self.discount.where(use, other.discount)
        )


def _lines(made: Sheet, order: dict[str, pd.Series], settings: StoklySettings) -> pd.DataFrame:
    found = _real_lines(made, sub_documents(made, "items"))
    c = made.children(found.documents, found.owners, prefix="items.")
    quantity = c.whole("quantity")
    unit_price = c.money("displayPrice", "price")
    minor = _minor(order).take(found.roots).reset_index(drop=True)
    amounts = _read_amounts(c, quantity, unit_price, _expected(found, order, minor), settings)
    stated = c.money("displayLineTotal")
    columns = {
        "order_id": texts(found.owners),
        "line_id": c.text("lineId"),
        "position": found.places,
        "item_id": c.text("referenceId"),
        "sku": c.text("itemSku", numbers=True),
        "name": c.text("itemName"),
        "quantity": quantity,
        "unit_price": _unit(amounts.price, quantity, unit_price, minor),
        "unit_discount": c.money("displayDiscount"),
        "line_price": amounts.price,
        "line_tax": amounts.tax,
        "line_discount": amounts.discount,
        "line_total": stated.fillna(amounts.price + amounts.tax),
        "status": c.text("status"),
        "fulfilment": c.text("fulfilmentType"),
    }
    return child_frame(ORDER_LINES, columns)


def _real_lines(made: Sheet, found: SubDocuments) -> SubDocuments:
    """Lines that are no component of another one, each once: a list that shifts may repeat a row."""
    cells = made.children(found.documents, found.owners, prefix="items.")
    seen: dict[tuple[str, object], int] = {}
    for i, (owner, parent, line) in enumerate(
        zip(found.owners, cells.values("parentId"), cells.values("lineId"), strict=True)
    ):
        if parent is None:
            # Without an id nothing is known to be the same; the contract names what is wrong with it.
            seen[owner, line if isinstance(line, str) and line else i] = i
    return found.only(list(seen.values()))


def _read_amounts(
    c: Cells, quantity: pd.Series, unit_price: pd.Series, expected: pd.DataFrame, settings: StoklySettings
) -> _Amounts:
    """Amounts of lines: explicit where given, else by the reading that fits (see the module)."""
    explicit = _Amounts(c.money("displayLinePrice"), c.money("displayLineTax"), c.money("displayLineDiscount"))
    given = explicit.price.notna() & explicit.tax.notna()
    if given.all() and len(given):
        return explicit
    bare = _Amounts(unit_price, c.money("displayTax", "tax"), c.money("displayDiscount"))
    by_unit = _Amounts(
        product(bare.price, quantity, c, "displayPrice"),
        product(bare.tax, quantity, c, "displayTax"),
        product(bare.discount, quantity, c, "displayDiscount"),
    )
    if settings.line_amounts == "auto":
        by_line = _line_reading_fits(by_unit, bare, expected)
    else:
        by_line = pd.Series(np.full(len(quantity), settings.line_amounts == "line"))
    return explicit.where(given, bare.where(by_line, by_unit))


def _line_reading_fits(by_unit: _Amounts, by_line: _Amounts, expected: pd.DataFrame) -> pd.Series:
    """True for the lines of orders whose total fits the sum of line amounts, and not the sum of unit amounts."""
    sums = pd.DataFrame(
        {"owner": expected["owner"], "unit": by_unit.price + by_unit.tax, "line": by_line.price + by_line.tax}
    )
    grouped = sums.groupby("owner", sort=False)[["unit", "line"]].transform("sum")
    off_unit = (grouped["unit"] - expected["lines"]).abs()
    off_line = (grouped["line"] - expected["lines"]).abs()
    fits_line = (off_line <= expected["tolerance"]) & (off_unit > expected["tolerance"])
    return fits_line.fillna(value=False).astype(bool)


def _expected(found: SubDocuments, order: dict[str, pd.Series], minor: pd.Series) -> pd.DataFrame:
    """For each line: its order's row, what the order's lines should add up to, and by how much they may miss it."""
    lines = order["total"] - order["shipping"].fillna(0) - order["shipping_tax"].fillna(0)
    count = np.bincount(found.roots, minlength=len(lines))
    return pd.DataFrame(
        {
            "owner": found.roots,
            "lines": lines.take(found.roots).reset_index(drop=True),
            "tolerance": minor * count[found.roots],
        }
    )


def _unit(price: pd.Series, quantity: pd.Series, unit_price: pd.Series, minor: pd.Series) -> pd.Series:
    """The stated unit price where it makes the line's price to a minor unit, else the line's price by its units."""
    off = (unit_price.astype("Float64") * quantity.astype("Float64") - price.astype("Float64")).abs()
    fits = (off <= minor.astype("Float64")).fillna(value=False).astype(bool)
    return unit_price if fits.all() else unit_price.where(fits, quotient(price, quantity))


def _minor(order: dict[str, pd.Series]) -> pd.Series:
    """One minor unit of each order's currency, nano units."""
    return pd.Series(minor_units(order["currency"]))
