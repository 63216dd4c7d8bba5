"""Invoices, refunds, credit notes and dispatches: Stokly's rows to ours.

Only invoices are proven; the members of the others are proposals that stand in `unverified`. Amounts are positive.
Source: Stokly API contract 3.3, 3.5, 5 (4, 5, 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from stokly_sync.contracts.sales import CREDIT_NOTES, DISPATCH_LINES, DISPATCHES, INVOICES, REFUND_LINES, REFUNDS
from stokly_sync.contracts.tables import Table
from stokly_sync.flow import Received, Rows
from stokly_sync.systems.rows.cells import Cells, texts
from stokly_sync.systems.rows.roots import (
    Sheet,
    child_frame,
    finish,
    live_unless,
    rows_of,
    sub_documents,
)
from stokly_sync.systems.rows.shapes import Shape, members
from stokly_sync.systems.rows.sums import product
from stokly_sync.systems.stokly.settings import StoklySettings

# `referenceType` of a credit note; anything else is tied to nothing. Source: Stokly API contract 5, row 5.
OF_ORDER: Final = 1
OF_CUSTOMER: Final = 2
REMOVED: Final = frozenset({"removed", "deleted"})
INVOICE_SHAPE: Final = Shape(
    INVOICES,
    key_member="saleInvoiceId",
    update_member="updatedAt",
    known=members(
        text=("saleInvoiceId", "saleOrderId", "currency", "status", "issueDate", "dueDate", "updatedAt"),
        other=("invoiceNumber", "niceId", "saleOrderNiceId"),
    ),
)
REFUND_SHAPE: Final = Shape(
    REFUNDS,
    key_member="refundId",
    update_member="updatedAt",
    known=members(
        text=(*("refundId", "saleOrderId", "creditNoteId", "status", "reason", "currency", "createdAt", "updatedAt"),),
        money=("displayTotal", "displayTax", "shippingRefund"),
        other=("niceId", "saleOrderNiceId"),
        lists={
            "items": members(
                text=("lineId", "referenceId", "itemSku"),
                money=("displayPrice", "displayTax"),
                whole=("quantity",),
            )
        },
    ),
)
CREDIT_NOTE_SHAPE: Final = Shape(
    CREDIT_NOTES,
    key_member="creditNoteId",
    update_member="updatedAt",
    # A voucher's barcode is money to whoever reads it: it is not kept.
    known=members(
        text=("creditNoteId", "barcode", "currency", "referenceId", "createdAt", "updatedAt"),
        money=("value", "balance"),
        whole=("referenceType",),
        other=("niceId", "status"),
    ),
)
DISPATCH_SHAPE: Final = Shape(
    DISPATCHES,
    key_member="dispatchId",
    update_member="updatedAt",
    known=members(
        text=(
            *("dispatchId", "saleOrderId", "locationId", "courier", "service", "trackingNumber", "trackingUrl"),
            *("dispatchedAt", "updatedAt"),
        ),
        other=("niceId", "status"),
        lists={"items": members(text=("lineId",), whole=("quantity",))},
    ),
)


def invoice_rows(documents: Sequence[Received], requested_at: datetime, *, settings: StoklySettings) -> Rows:
    """Invoices as rows of `stokly.invoices`; times UTC. Pure."""
    return rows_of(INVOICE_SHAPE, documents, requested_at, partial(_invoices, settings=settings))


def _invoices(made: Sheet, *, settings: StoklySettings) -> Rows:
    c = made.cells
    columns = {
        "number": c.text("invoiceNumber", "niceId", numbers=True),
        "order_id": c.text("saleOrderId"),
        "currency": c.text("currency", strip=True),
        "status": c.text("status"),
        "issued_at": c.time("issueDate"),
        "due_at": c.time("dueDate"),
        "live": live_unless(c.values("status"), REMOVED),
    }
    return finish(made, columns, {}, dropped=settings.dropped_members)


def refund_rows(documents: Sequence[Received], requested_at: datetime, *, settings: StoklySettings) -> Rows:
    """Refunds as rows of `stokly.refunds` and `stokly.refund_lines`; nano units of the refund's currency. Pure."""
    return rows_of(REFUND_SHAPE, documents, requested_at, partial(_refunds, settings=settings))


def _refunds(made: Sheet, *, settings: StoklySettings) -> Rows:
    c = made.cells
    columns = {
        "number": c.text("niceId", numbers=True),
        "order_id": c.text("saleOrderId"),
        "credit_note_id": c.text("creditNoteId"),
        "status": c.text("status"),
        "reason": c.text("reason"),
        "currency": c.text("currency", strip=True),
        "total": c.money("displayTotal"),
        "tax": c.money("displayTax"),
        "shipping": c.money("shippingRefund"),
        "created_at": c.time("createdAt"),
        "updated_at": c.time("updatedAt"),
        "live": live_unless(c.values("status"), REMOVED),
    }
    return finish(
        made, columns, {REFUND_LINES.name: lambda table: _refund_lines(table, made)}, dropped=settings.dropped_members
    )


def credit_note_rows(documents: Sequence[Received], requested_at: datetime, *, settings: StoklySettings) -> Rows:
    """Credit notes as rows of `stokly.credit_notes`; nano units of the note's currency. Pure."""
    return rows_of(CREDIT_NOTE_SHAPE, documents, requested_at, partial(_credit_notes, settings=settings))


def _credit_notes(made: Sheet, *, settings: StoklySettings) -> Rows:
    c = made.cells
    reference, tied_to = pd.Series(c.text("referenceId")), pd.Series(c.whole("referenceType")).fillna(0)
    columns = {
        "number": c.text("niceId", numbers=True),
        "order_id": reference.where(tied_to == OF_ORDER).array,
        "customer_id": reference.where(tied_to == OF_CUSTOMER).array,
        "currency": c.text("currency", strip=True),
        "value": c.money("value"),
        "balance": c.money("balance"),
        "status": c.text("status", numbers=True),
        "created_at": c.time("createdAt"),
        "live": live_unless(c.values("status"), REMOVED),
    }
    return finish(made, columns, {}, dropped=settings.dropped_members)


def dispatch_rows(documents: Sequence[Received], requested_at: datetime, *, settings: StoklySettings) -> Rows:
    """Dispatches as rows of `stokly.dispatches` and `stokly.dispatch_lines`. Pure."""
    return rows_of(DISPATCH_SHAPE, documents, requested_at, partial(_dispatchs, settings=settings))


def _dispatchs(made: Sheet, *, settings: StoklySettings) -> Rows:
    c = made.cells
    columns = {
        "number": c.text("niceId", numbers=True),
        "order_id": c.text("saleOrderId"),
        "location_id": c.text("locationId"),
        "courier": c.text("courier", strip=True),
        "service": c.text("service", strip=True),
        "tracking_number": c.text("trackingNumber", numbers=True),
        "tracking_url": c.text("trackingUrl"),
        "status": c.text("status", numbers=True),
        "dispatched_at": c.time("dispatchedAt"),
        "live": live_unless(c.values("status"), REMOVED),
    }
    return finish(
        made,
        columns,
        {DISPATCH_LINES.name: lambda table: _dispatch_lines(table, made)},
        dropped=settings.dropped_members,
    )


def _refund_lines(table: Table, made: Sheet) -> pd.DataFrame:
    cells, positions = _lines(made)
    quantity, price, tax = cells.whole("quantity"), cells.money("displayPrice"), cells.money("displayTax")
    total = product(price, quantity, cells, "displayPrice") + product(tax.fillna(0), quantity, cells, "displayTax")
    columns = {
        "refund_id": texts(cells.owners),
        "position": positions,
        "line_id": cells.text("lineId"),
        "item_id": cells.text("referenceId"),
        "sku": cells.text("itemSku", numbers=True),
        "quantity": quantity,
        "unit_price": price,
        "unit_tax": tax,
        # A line that gives back money and no goods has no quantity to multiply with.
        "line_total": total.where((quantity != 0).fillna(value=True), price + tax.fillna(0)),
        "restocked": cells.flag("restocked"),
    }
    return child_frame(table, columns)


def _dispatch_lines(table: Table, made: Sheet) -> pd.DataFrame:
    cells, positions = _lines(made)
    columns = {
        "dispatch_id": texts(cells.owners),
        "position": positions,
        "line_id": cells.text("lineId"),
        "quantity": cells.whole("quantity"),
    }
    return child_frame(table, columns)


def _lines(made: Sheet) -> tuple[Cells, np.ndarray[Any, np.dtype[np.int64]]]:
    found = sub_documents(made, "items")
    return made.children(found.documents, found.owners, prefix="items."), found.places
