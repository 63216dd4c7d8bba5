"""Sale orders as insight data, whole on every update (D4).

Belongs here: what an order says and when it may leave. Amounts are always floats and ids always texts, because the
first value of a field fixes its type for ever. An order that was removed gets a cancelling document and a problem at
once: whoever sends decides by whether Dotdigital ever had it. Source: Dotdigital API contract 3 (orders, refunds).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
import pandas as pd

from stokly_sync.contracts import columns, money
from stokly_sync.contracts.order_states import cancelled, not_confirmed, plain_status
from stokly_sync.contracts.refunded import Refunded, refunds_by_order
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.dotdigital import rules
from stokly_sync.systems.dotdigital.documents.common import (
    Buyer,
    buyers,
    floats,
    later,
    one,
    problems_where,
    with_optional,
    without,
)
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
    kept = _kept_back(frames, orders, keys, refunds, who, settings)
    removed = {problem.key for problem in kept if problem.rule == rules.ORDER_REMOVED.code}
    documents = _documents(frames, orders, keys, refunds, who, settings)
    # A cancelling document needs its owner like any other.
    ownerless = {key for key in keys if who[key].identity(settings.identifier) is None}
    return Built(without(documents, [p for p in kept if p.key not in removed or p.key in ownerless]), kept)


def order_contacts(frames: Frames) -> pd.DataFrame:
    """For the gate of orders: order id (`key`) and the customer id of its contact (`needs`); guests need none."""
    pairs = [(key, buyer.customer) for key, buyer in buyers(frames).items() if buyer.customer is not None]
    return pd.DataFrame(pairs, columns=["key", "needs"], dtype="str")


def order_products(frames: Frames) -> pd.DataFrame:
    """For the gate of orders: order id (`key`) and the SKU of each product that it sells (`needs`)."""
    skus, lines = _skus(frames), frames["stokly.order_lines"]
    named = zip(columns.keys(lines["order_id"]), columns.texts(lines["item_id"]), strict=True)
    pairs = [(order, skus[item]) for order, item in named if item in skus]
    return pd.DataFrame(pairs, columns=["key", "needs"], dtype="str")


def _skus(frames: Frames) -> dict[str | None, str]:
    known = frames["stokly.items"][frames["stokly.items"]["sku"].notna()]
    return dict(zip(columns.texts(known["item_id"]), columns.keys(known["sku"]), strict=True))


def _kept_back(
    frames: Frames,
    orders: pd.DataFrame,
    keys: list[str],
    refunds: dict[str, Refunded],
    who: dict[str, Buyer],
    settings: DotdigitalSettings,
) -> list[Problem]:
    removed = cancelled(orders, settings.order_status).removed
    kept = problems_where(keys, removed, rules.ORDER_REMOVED.code, "removed in Stokly")
    waiting = not_confirmed(orders, settings.confirmed)
    unknown, (_, uneven) = _unknown_lines(frames), _tax(orders)
    totals, currencies = columns.counts(orders["total"]).tolist(), columns.keys(orders["currency"])
    counts = columns.counts(orders["line_count"]).tolist()
    for index, key in enumerate(keys):
        buyer, refunded = who[key], refunds.get(key, _NOTHING)
        if removed[index]:
            continue
        if buyer.guest and settings.guests == "exclude":
            kept.append(Problem(key, rules.GUEST.code, "the order belongs to a guest"))
        elif buyer.identity(settings.identifier) is None:
            kept.append(Problem(key, rules.NO_IDENTITY.code, "neither a customer nor an e-mail address"))
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


def _unknown_lines(frames: Frames) -> set[str]:
    skus, lines = _skus(frames), frames["stokly.order_lines"]
    named = zip(columns.keys(lines["order_id"]), columns.texts(lines["item_id"]), strict=True)
    return {order for order, item in named if item not in skus}


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
    settings: DotdigitalSettings,
) -> list[Document]:
    ended = cancelled(orders, settings.order_status).either
    statuses = plain_status(orders, settings.order_status)
    lines, given_back = _lines(frames, orders, refunds), _given_back(frames, settings)
    heads = _heads(orders, settings)
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
        net = 0 if ended[index] else total - refunded.total
        body |= {"order_total": one(net, currency), "refund_total": one(refunded.total, currency)}
        body["order_status"] = statuses[index]
        if refunded.total and not ended[index]:
            whole = refunded.total + money.minor_unit(currency) * max(len(lines[key]), 1) > total
            status = settings.order_status
            body["order_status"] = status.refunded if whole else status.partly_refunded
        body["products"] = lines[key]
        if given_back[key]:
            body["refunds"] = given_back[key]
        identity = who[key].identity(settings.identifier) or NOBODY
        document = {"key": key, "contactIdentity": identity, "json": body}
        newest = later(version, refunded.version)
        if newest is None:
            raise ValueError(f"order {key} has no version; rows come from landing, which always sets one")
        documents.append(Document(key, document, newest, later(event, refunded.event_at), total, currency))
    return documents


def _heads(orders: pd.DataFrame, settings: DotdigitalSettings) -> list[Json]:
    currency, none = orders["currency"], orders["discount"].fillna(0)
    net = orders["subtotal"].fillna(orders["total"])
    heads = []
    for key, total, subtotal, less, tax, shipping, code, at in zip(
        columns.keys(orders["order_id"]),
        floats(columns.counts(orders["total"]), currency),
        # Stokly's subtotal is after discount; here subtotal - discount + delivery + tax = total.
        floats(columns.counts(net + none), currency),
        floats(columns.counts(none), currency),
        floats(columns.counts(_tax(orders)[0]), currency),
        floats(columns.counts(orders["shipping"]), currency),
        columns.keys(currency),
        columns.stamps(orders["created_at"]),
        strict=True,
    ):
        heads.append(
            {
                "id": key,
                "order_total_gross": total,
                "order_subtotal": subtotal,
                "discount_amount": less,
                "tax_total": tax,
                "delivery_total": shipping,
                "currency": code,
                "purchase_date": at,
            }
        )
    _add_texts(heads, orders, settings)
    return heads


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


def _lines(frames: Frames, orders: pd.DataFrame, refunds: dict[str, Refunded]) -> dict[str, list[Json]]:
    rows = frames["stokly.order_lines"].sort_values(["order_id", "position"], kind="stable")
    currency = rows["order_id"].map(pd.Series(orders["currency"].array, index=orders["order_id"].array))
    skus = _skus(frames)
    units = columns.counts(rows["quantity"])
    price, gross = columns.counts(rows["line_price"]), columns.counts(rows["line_total"])
    each = np.where(units != 0, units, 1)
    found: dict[str, list[Json]] = defaultdict(list)
    for order, line, item, sold, name, quantity, net, with_tax, total in zip(
        columns.keys(rows["order_id"]),
        columns.keys(rows["line_id"]),
        columns.texts(rows["item_id"]),
        columns.texts(rows["sku"]),
        columns.texts(rows["name"]),
        units.tolist(),
        floats(price // each, currency),
        floats(gross // each, currency),
        floats(gross, currency),
        strict=True,
    ):
        sku = skus.get(item) or sold or item or line
        returned = refunds.get(order, _NOTHING).lines.get(line, (0, 0))[0]
        found[order].append(
            {
                "name": name or sku,
                "sku": sku,
                "product_id": sku,
                "qty": quantity,
                "price": net,
                "price_inc_tax": with_tax,
                "line_total": total,
                "qty_refunded": returned,
            }
        )
    return found


def _given_back(frames: Frames, settings: DotdigitalSettings) -> dict[str, list[Json]]:
    """Each refund and each credit note without one, by order: id, date and total."""
    refunds, notes = frames["stokly.refunds"], frames["stokly.credit_notes"]
    live = columns.flags(refunds["live"])
    states = (refunds["status"].isna() | refunds["status"].isin(list(settings.refund_states))).to_numpy()
    named = refunds["credit_note_id"][live].dropna()
    loose = notes[columns.flags(notes["live"]) & ~notes["credit_note_id"].isin(named).to_numpy()]
    found: dict[str, list[Json]] = defaultdict(list)
    for rows, key, amount in ((refunds[live & states], "refund_id", "total"), (loose, "credit_note_id", "value")):
        for order, one_id, at, total in zip(
            columns.texts(rows["order_id"]),
            columns.keys(rows[key]),
            columns.stamps(rows["created_at"]),
            floats(columns.counts(rows[amount]), rows["currency"]),
            strict=True,
        ):
            if order is not None:
                found[order].append({"id": one_id, "date": at, "total": total})
    for some in found.values():
        some.sort(key=lambda entry: str(entry["id"]))
    return found
