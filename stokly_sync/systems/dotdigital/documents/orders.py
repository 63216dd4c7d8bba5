"""Sale orders as insight data, whole on every update (D4).

Belongs here: what an order says and when it may leave. Amounts are always floats and ids always texts, because the
first value of a field fixes its type for ever. An order that was removed gets a cancelling document and a problem at
once: whoever sends decides by whether Dotdigital ever had it. Source: Dotdigital API contract 3 (orders, refunds).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from stokly_sync.contracts import columns, money
from stokly_sync.contracts.buyers import Buyer, buyers
from stokly_sync.contracts.confirmation import not_confirmed
from stokly_sync.contracts.mapping import ORDER_SOURCES
from stokly_sync.contracts.order_states import cancelled, plain_status
from stokly_sync.contracts.problems import later, problems_where, without
from stokly_sync.contracts.refunded import Refunded, refunds_by_order
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.dotdigital import rules
from stokly_sync.systems.dotdigital.documents.common import custom_fields, floats, identity, with_optional
from stokly_sync.systems.dotdigital.documents.lines import given_back, order_lines, unknown_lines
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings

TILL: Final = "epos"
NOBODY: Final = {"identifier": "email", "value": ""}
_NOTHING: Final = Refunded()


def build_orders(frames: Frames, settings: DotdigitalSettings) -> Built:
    """Orders from `stokly.orders` with lines, refunds, credit notes, items and customers; the key is the order id.

    `order_total` is what is left after refunds and nought for a cancelled order, `order_total_gross` the whole.
    """
    orders = frames["stokly.orders"].reset_index(drop=True)
    keys = columns.keys(orders["order_id"])
    refunds = refunds_by_order(frames, settings.refund_states)
    who = buyers(frames)
    ended, tax, uneven = cancelled(orders, settings.order_status), *_tax(orders)
    kept = _kept_back(frames, orders, keys, refunds, who, ended.removed, uneven, settings)
    removed = {problem.key for problem in kept if problem.rule == rules.ORDER_REMOVED.code}
    documents = _documents(frames, orders, keys, refunds, who, ended.either, tax, settings)
    custom, misfits = custom_fields(orders, keys, settings.order_fields, ORDER_SOURCES)
    for document, mine in zip(documents, custom, strict=True):
        with_optional(document.body["json"], custom=mine)
    kept += [problem for problem in misfits if problem.key not in removed]
    # A cancelling document needs its owner like any other.
    ownerless = {key for key in keys if who[key].nobody}
    return Built(without(documents, [p for p in kept if p.key not in removed or p.key in ownerless]), kept)


def _kept_back(
    frames: Frames,
    orders: pd.DataFrame,
    keys: list[str],
    refunds: dict[str, Refunded],
    who: dict[str, Buyer],
    removed: list[bool],
    uneven: list[bool],
    settings: DotdigitalSettings,
) -> list[Problem]:
    kept = problems_where(keys, removed, rules.ORDER_REMOVED.code, "removed in Stokly")
    waiting = not_confirmed(orders, settings.confirmed)
    unknown = unknown_lines(frames)
    totals, currencies = columns.counts(orders["total"]).tolist(), columns.keys(orders["currency"])
    counts = columns.counts(orders["line_count"]).tolist()
    for index, key in enumerate(keys):
        buyer, refunded = who[key], refunds.get(key, _NOTHING)
        if removed[index]:
            continue
        if buyer.nobody:
            kept.append(Problem(key, rules.NO_IDENTITY.code, "neither a customer nor an e-mail address"))
        elif not buyer.named and settings.guests == "exclude":
            kept.append(Problem(key, rules.GUEST.code, "the order belongs to a guest"))
        if index in waiting:
            kept.append(Problem(key, rules.ORDER_NOT_CONFIRMED.code, waiting[index]))
        if key in unknown:
            kept.append(Problem(key, rules.SKU_UNKNOWN.code, "a line names an item that has not been taken over"))
        if uneven[index]:
            kept.append(Problem(key, rules.ORDER_TOTAL.code, "total is not net + shipping + tax"))
        if totals[index] < 0:
            kept.append(Problem(key, rules.ORDER_NEGATIVE.code, "the total is negative"))
        if refunded.currencies - {currencies[index]}:
            detail = f"the order is in {currencies[index]}, a refund is not"
            kept.append(Problem(key, rules.REFUND_CURRENCY.code, detail))
        elif refunded.total > totals[index] + money.minor_unit(currencies[index]) * max(counts[index], 1):
            kept.append(Problem(key, rules.REFUND_TOO_LARGE.code, "the refunds come to more than the total"))
    return kept


def _tax(orders: pd.DataFrame) -> tuple[pd.Series, list[bool]]:
    """The whole tax of each order, and where the total is not net + shipping + tax within a minor unit a line.

    Whether Stokly's tax holds that on shipping is not proven: the reading by which the amounts add up is taken. Nothing
    is held against amounts that lack.
    """
    tolerance = columns.counts(orders["line_count"].fillna(0).clip(lower=1)) * columns.minor_units(orders["currency"])
    net = orders["subtotal"] + orders["shipping"].fillna(0)
    beside = orders["tax"] + orders["shipping_tax"].fillna(0)
    off = columns.counts((orders["total"] - net - orders["tax"]).abs().fillna(0))
    off_beside = columns.counts((orders["total"] - net - beside).abs().fillna(0))
    uneven: list[bool] = (np.minimum(off, off_beside) > tolerance).tolist()
    return orders["tax"].where(off <= off_beside, beside), uneven


def _documents(
    frames: Frames,
    orders: pd.DataFrame,
    keys: list[str],
    refunds: dict[str, Refunded],
    who: dict[str, Buyer],
    ended: list[bool],
    tax: pd.Series,
    settings: DotdigitalSettings,
) -> list[Document]:
    statuses = plain_status(orders, settings.order_status)
    lines, papers = order_lines(frames, orders, refunds), given_back(frames, settings)
    places = columns.digits(orders["currency"])
    heads = _heads(orders, tax, places, settings)
    _add_refunds(heads, orders, refunds, ended, places)
    documents = []
    for index, (key, body, currency, total, version, event) in enumerate(
        zip(
            keys,
            heads,
            columns.keys(orders["currency"]),
            columns.counts(orders["total"]).tolist(),
            columns.moments(orders["version"]),
            columns.moments(orders["updated_at"].fillna(orders["created_at"])),
            strict=True,
        )
    ):
        refunded = refunds.get(key, _NOTHING)
        body["order_status"] = statuses[index]
        if refunded.total and not ended[index]:
            whole = refunded.total + money.minor_unit(currency) * max(len(lines[key]), 1) > total
            status = settings.order_status
            body["order_status"] = status.refunded if whole else status.partly_refunded
        body["products"] = lines[key]
        if papers[key]:
            body["refunds"] = papers[key]
        owner = identity(who[key], settings.identifier) or NOBODY
        document = {"key": key, "contactIdentity": owner, "json": body}
        newest = later(version, refunded.version)
        if newest is None:
            raise ValueError(f"order {key} has no version; rows come from landing, which always sets one")
        documents.append(Document(key, document, newest, later(event, refunded.event_at), total, currency))
    return documents


def _heads(
    orders: pd.DataFrame, tax: pd.Series, places: npt.NDArray[np.int64], settings: DotdigitalSettings
) -> list[Json]:
    none = orders["discount"].fillna(0)
    net = orders["subtotal"].fillna(orders["total"])
    heads = []
    for key, total, subtotal, less, taxed, shipping, code, at in zip(
        columns.keys(orders["order_id"]),
        floats(columns.counts(orders["total"]), places),
        # Stokly's subtotal is after discount; here subtotal - discount + delivery + tax = total.
        floats(columns.counts(net + none), places),
        floats(columns.counts(none), places),
        floats(columns.counts(tax), places),
        floats(columns.counts(orders["shipping"]), places),
        columns.keys(orders["currency"]),
        columns.stamps(orders["created_at"]),
        strict=True,
    ):
        heads.append(
            {
                "id": key,
                "order_total_gross": total,
                "order_subtotal": subtotal,
                "discount_amount": less,
                "tax_total": taxed,
                "delivery_total": shipping,
                "currency": code,
                "purchase_date": at,
            }
        )
    _add_texts(heads, orders, settings)
    return heads


def _add_refunds(
    heads: list[Json],
    orders: pd.DataFrame,
    refunds: dict[str, Refunded],
    ended: Sequence[bool],
    places: npt.NDArray[np.int64],
) -> None:
    """What was given back, and what is left: nothing of an order that ended without a sale."""
    back = np.array([refunds.get(body["id"], _NOTHING).total for body in heads], dtype=np.int64)
    left = np.where(np.array(ended, dtype=np.bool_), 0, columns.counts(orders["total"]) - back)
    for body, net, refunded in zip(heads, floats(left, places), floats(back, places), strict=True):
        body["order_total"], body["refund_total"] = net, refunded


def _add_texts(heads: list[Json], orders: pd.DataFrame, settings: DotdigitalSettings) -> None:
    for body, number, kind, channel, reference, city, region, postcode, country, paid in zip(
        heads,
        columns.texts(orders["number"]),
        columns.texts(orders["source_type"]),
        columns.texts(orders["channel_name"]),
        columns.texts(orders["channel_reference"]),
        columns.texts(orders["city"]),
        columns.texts(orders["region"]),
        columns.texts(orders["postcode"]),
        columns.texts(orders["country"]),
        columns.texts(orders["payment_status"]),
        strict=True,
    ):
        address = with_optional(
            {}, delivery_city=city, delivery_region=region, delivery_postcode=postcode, delivery_country=country
        )
        with_optional(
            body,
            order_number=number,
            store_name=settings.stores.get(channel, channel) if channel else settings.default_store,
            channel=kind,
            # A till writes its location there, the same for every order of the shop.
            channel_reference=reference if kind != TILL else None,
            payment=paid,
            delivery_address=address,
        )
