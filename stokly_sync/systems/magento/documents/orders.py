"""Orders with their lines: Magento's documents to our rows, in the order's currency.

What a line comes to is told twice, and one of the two depends on the release: `row_total` and `row_total_incl_tax` are
sums before the discount in the database and after it on the wire. So the line is computed from its unit price, and the
wire's sum is taken where the two agree to the rounding. Discounts of prices that include tax hold tax themselves;
`discount_tax_compensation_amount` gives it back. Pure. Source: Magento API contract 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from stokly_sync.contracts.channels import MAGENTO, ORDERS
from stokly_sync.contracts.columns import minor_units
from stokly_sync.flow import Json, Received, Rows
from stokly_sync.systems.magento.documents.common import identity, joined, numbers, objects, part
from stokly_sync.systems.magento.documents.lines import Line, flatten, number
from stokly_sync.systems.rows.cells import texts
from stokly_sync.systems.rows.roots import Sheet, SubDocuments, child_frame, finish, live_unless, sheet, sub_documents
from stokly_sync.systems.rows.shapes import Shape, members
from stokly_sync.systems.rows.sums import product

DATASET: Final = ORDERS[MAGENTO]
LINES: Final = DATASET.children[0]
_STATES: Final = {
    "new": "pending",
    "pending_payment": "pending",
    "payment_review": "pending",
    "processing": "open",
    "complete": "shipped",
    "closed": "refunded",
    "canceled": "cancelled",
    "holded": "held",
}
OVER: Final = frozenset({"shipped", "cancelled", "refunded"})
_ADDRESS: Final = ("name", "company", "line1", "line2", "city", "region", "postcode", "country", "phone")
_TEXTS: Final = (
    *("number", "state", "status", "store", "customer_key", "customer_email", "customer_forename"),
    *("customer_surname", "customer_tax_number", "payment_method", "shipping_method", "currency"),
    *(f"{kind}_{name}" for kind in ("billing", "shipping") for name in _ADDRESS),
)
_MONEY: Final = (
    *("discount_amount", "tax_amount", "shipping_amount", "shipping_tax_amount", "shipping_discount_amount"),
    *("shipping_discount_tax_compensation_amount", "grand_total", "total_paid", "total_invoiced", "total_refunded"),
)
_LINE_NUMBERS: Final = (
    *("qty_ordered", "qty_canceled", "qty_shipped", "qty_refunded", "price", "discount_amount", "tax_amount"),
    *("discount_tax_compensation_amount", "row_total_incl_tax", "tax_percent"),
)
SHAPE: Final = Shape(
    DATASET,
    key_member="entity_id",
    update_member="updated_at",
    known=members(text=("entity_id", *_TEXTS, "created_at", "updated_at"), money=_MONEY, other=("lines",)),
)


def order_rows(documents: Sequence[Received], requested_at: datetime) -> Rows:
    """Orders as rows of `magento.orders` and `magento.order_lines`; nano units of the order's currency, times UTC.

    Members that cannot be converted are problems of the order under MG-MEMBER-TYPE, MG-MONEY or MG-TIME; so is a state
    that nobody knows.
    """
    made = sheet(SHAPE, [_plain(document) for document in documents], requested_at)
    columns = _columns(made)
    lines = _lines(made, columns)
    by_order = lines.groupby("order_id", sort=False)
    keys = pd.Series(texts(made.keys))
    columns["line_count"] = keys.map(by_order.size()).fillna(0).astype("Int64")
    for column, amount in (("lines_total", "line_total"), ("subtotal", "line_price")):
        columns[column] = keys.map(by_order[amount].sum()).fillna(0).astype("Int64")
    return finish(made, columns, {LINES.name: lambda _table: lines}, dropped=())


def state_of(document: Received, lines: Sequence[Line]) -> str | None:
    """The state in our words, None for one that nobody knows."""
    state = _STATES.get(str(document.get("state")))
    if state != "open" or not any(number(line.item, "qty_shipped") for line in lines):
        return state
    return "part_shipped" if any(line.open for line in lines) else "shipped"


def _plain(document: Received) -> Json:
    """An order as a flat document, its lines under `lines`."""
    items = objects(document.get("items"))
    lines = flatten(items or [])
    shipping = _shipping(document)
    return {
        "entity_id": identity(document.get("entity_id")),
        "number": identity(document.get("increment_id")),
        "state": state_of(document, lines),
        "status": document.get("status"),
        "store": identity(document.get("store_id")),
        "customer_key": identity(document.get("customer_id")),
        "customer_email": document.get("customer_email"),
        "customer_forename": document.get("customer_firstname"),
        "customer_surname": document.get("customer_lastname"),
        "customer_tax_number": document.get("customer_taxvat"),
        "payment_method": part(document, "payment").get("method"),
        "shipping_method": shipping.get("method"),
        "currency": document.get("order_currency_code"),
        **_address("billing", part(document, "billing_address")),
        **_address("shipping", part(shipping, "address")),
        **{name: document.get(name) for name in ("created_at", "updated_at", *_MONEY)},
        "lines": document.get("items") if items is None else [_line(line) for line in lines],
    }


def _shipping(document: Received) -> Json:
    """Where an order goes and how; it stands with the first of the shipping assignments."""
    assignments = objects(part(document, "extension_attributes").get("shipping_assignments"))
    return part(assignments[0], "shipping") if assignments else {}


def _address(kind: str, address: Json) -> Json:
    street = address.get("street")
    lines: list[Any] = street if isinstance(street, list) else [street]
    return {
        f"{kind}_name": joined((address.get("firstname"), address.get("lastname")), " "),
        f"{kind}_company": address.get("company"),
        f"{kind}_line1": joined(lines[:1], ""),
        f"{kind}_line2": joined(lines[1:], ", "),
        f"{kind}_city": address.get("city"),
        f"{kind}_region": address.get("region"),
        f"{kind}_postcode": address.get("postcode"),
        f"{kind}_country": address.get("country_id"),
        f"{kind}_phone": address.get("telephone"),
    }


def _line(line: Line) -> Json:
    bundle = line.bundle
    return {
        "line_id": identity(line.item.get("item_id")),
        "sku": line.item.get("sku"),
        "name": line.item.get("name"),
        "kind": line.item.get("product_type"),
        "bundle_sku": None if bundle is None else bundle.get("sku"),
        "ships_as": None if bundle is None else identity(bundle.get("item_id")),
        "ships_units": line.units_in_bundle,
        "virtual": line.virtual,
        **numbers(line.item, _LINE_NUMBERS),
    }


def _columns(made: Sheet) -> dict[str, pd.Series]:
    c = made.cells
    for i, state in enumerate(c.values("state")):
        if state is None:
            c.problem(i, DATASET.type_rule, "state", "is a word that nobody knows")
    money = {name: c.money(name) for name in _MONEY}
    cut = money["shipping_discount_amount"].fillna(0)
    given_back = money["shipping_discount_tax_compensation_amount"].fillna(0)
    columns: dict[str, Any] = {name: c.text(name, strip=True) for name in _TEXTS} | {
        "parent_number": texts([None] * len(made.keys)),
        # Magento keeps it with the address.
        "customer_phone": c.text("billing_phone", strip=True),
        "discount": -money["discount_amount"],
        "tax": money["tax_amount"],
        "shipping": money["shipping_amount"] - cut + given_back,
        "shipping_tax": money["shipping_tax_amount"],
        "total": money["grand_total"],
        "amount_paid": money["total_paid"],
        "amount_invoiced": money["total_invoiced"],
        "amount_refunded": money["total_refunded"],
        "placed_at": c.time("created_at"),
        "paid_at": None,
        "updated_at": c.time("updated_at"),
        "live": live_unless(c.values("state"), ()),
        "commission": None,
        "commission_tax": None,
    }
    size = len(made.keys)
    return {name: pd.Series(v if v is not None else [None] * size) for name, v in columns.items()}


def _lines(made: Sheet, order: dict[str, pd.Series]) -> pd.DataFrame:
    found = sub_documents(made, "lines")
    c = made.children(found.documents, found.owners, prefix="items.")
    quantity = c.whole("qty_ordered")
    discount, tax = c.money("discount_amount"), c.money("tax_amount")
    given_back = c.money("discount_tax_compensation_amount").fillna(0)
    computed = product(c.money("price"), quantity, c, "price") - discount.fillna(0) + given_back + tax.fillna(0)
    total = _agreed(computed, c.money("row_total_incl_tax"), quantity, _minor(found, order))
    states = order["state"].take(found.roots).reset_index(drop=True)
    missing = pd.Series([None] * len(found.owners))
    columns = {
        "order_id": texts(found.owners),
        "line_id": c.text("line_id"),
        "position": found.places,
        **{name: c.text(name) for name in ("sku", "bundle_sku", "name", "kind", "ships_as")},
        "quantity": quantity,
        "quantity_cancelled": c.whole("qty_canceled"),
        "quantity_shipped": c.whole("qty_shipped"),
        "quantity_refunded": c.whole("qty_refunded"),
        "line_price": total - tax.fillna(0),
        "line_discount": discount,
        "line_tax": tax,
        "line_total": total,
        "tax_rate": c.money("tax_percent"),
        "commission": missing,
        "commission_tax": missing,
        "ships_units": c.whole("ships_units"),
        "virtual": c.flag("virtual"),
        "open": ~states.isin(OVER),
    }
    return child_frame(LINES, columns)


def _agreed(computed: pd.Series, told: pd.Series, quantity: pd.Series, minor: pd.Series) -> pd.Series:
    """The wire's sum where it is the computed one but for rounding, a minor unit a piece; else the computed one."""
    close = (computed - told).abs() <= minor * quantity.fillna(0).clip(lower=1)
    return told.where(close.fillna(value=False).astype(bool), computed)


def _minor(found: SubDocuments, order: dict[str, pd.Series]) -> pd.Series:
    units = pd.Series(minor_units(order["currency"]))
    return units.take(np.asarray(found.roots)).reset_index(drop=True)
