"""Sale orders as Ometria orders, whole on every update (O2, O3).

Belongs here: what an order says and when it may leave. Lines and refunds are prepared in `lines` and `refunds`.
An order that was removed gets a cancelling document and a problem at once: whoever sends decides by whether Ometria
ever had it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import pandas as pd

from stokly_sync.contracts import columns, money
from stokly_sync.contracts.confirmation import not_confirmed
from stokly_sync.contracts.mapping import ORDER_SOURCES, mapped
from stokly_sync.contracts.order_states import cancelled, plain_status
from stokly_sync.contracts.owners import accounts, departed, reachable
from stokly_sync.contracts.problems import problems_where, without
from stokly_sync.contracts.refunded import Refunded, refunds_by_order
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.ometria.documents.common import (
    RECORD_BYTES,
    WORST_ESCAPE,
    oversized,
    pruned,
    text_bytes,
    with_optional,
)
from stokly_sync.systems.ometria.documents.lines import Lines, build_lines, catalogue_of, show_refunds
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync.systems.transport import decode

TILL: Final = "epos"
ORDER_BYTES: Final = 2_000
"""More than an order takes apart from its texts and lines; properties are measured on their own."""
_TEXTS: Final = (
    "order_id",
    "channel_reference",
    "source_type",
    "channel_name",
    "customer_id",
    "customer_email",
    "city",
    "region",
    "postcode",
)
_NOTHING: Final = Refunded()


@dataclass(frozen=True)
class Parts:
    """What the bodies of a chunk's orders are put together from, one element an order."""

    bodies: list[Json]
    currencies: list[str]
    totals: list[int]
    invalid: list[bool]
    guests: list[bool]


def build_orders(frames: Frames, settings: OmetriaSettings) -> Built:
    """Orders from `stokly.orders` with lines, refunds, credit notes, items and customers; key and id are the order id.

    Amounts are in the order's currency, rounded once, half-even. Keeps back what is not confirmed, guests where the
    settings say so, lines of unknown items, and refunds in another currency. Source: Ometria API contract 3 (order).
    """
    orders = frames["stokly.orders"].reset_index(drop=True)
    keys = columns.keys(orders["order_id"])
    refunds = refunds_by_order(frames, settings.refund_states)
    lines = _lines(frames, orders, settings)
    parts = _parts(frames, orders, settings)
    kept = _kept_back(orders, keys, parts, lines, refunds, settings)
    documents = _documents(orders, keys, parts, lines, refunds, settings)
    properties = mapped(orders, settings.order_properties, ORDER_SOURCES)
    for document, mine in zip(documents, properties.properties, strict=True):
        if mine:
            document.body["properties"] = {**mine, **document.body.get("properties", {})}
    kept += [Problem(keys[i], rules.PROPERTY_TYPE.code, detail) for i, detail in properties.misfits.items()]
    kept += oversized(documents, _suspects(orders, keys, lines))
    removed = {problem.key for problem in kept if problem.rule == rules.ORDER_REMOVED.code}
    return Built(without(documents, [problem for problem in kept if problem.key not in removed]), kept)


def order_accounts(frames: Frames) -> pd.DataFrame:
    """For the gate of orders: order id (`key`) and the customer id of its contact (`needs`); guests need none."""
    orders = frames["stokly.orders"]
    needs = orders["customer_id"]
    if gone := departed(frames):
        needs = pd.Series(accounts(columns.texts(needs), gone), dtype=needs.dtype, index=needs.index)
    pairs = pd.DataFrame({"key": orders["order_id"], "needs": needs})
    return pairs[pairs["needs"].notna()]


def _lines(frames: Frames, orders: pd.DataFrame, settings: OmetriaSettings) -> Lines:
    rows = frames["stokly.order_lines"].reset_index(drop=True)
    currency = rows["order_id"].map(pd.Series(orders["currency"].array, index=orders["order_id"].array))
    sign = -1 if settings.discount_sign == "negative" else 1
    return build_lines(rows, currency, catalogue_of(frames["stokly.items"]), discount_sign=sign)


def _kept_back(
    orders: pd.DataFrame,
    keys: list[str],
    parts: Parts,
    lines: Lines,
    refunds: dict[str, Refunded],
    settings: OmetriaSettings,
) -> list[Problem]:
    removed = cancelled(orders, settings.order_status).removed
    kept = problems_where(keys, removed, rules.ORDER_REMOVED.code, "removed in Stokly")
    rest = [key for key, gone in zip(keys, removed, strict=True) if not gone]
    left = set(rest)
    if settings.guests == "exclude":
        guests = problems_where(keys, parts.guests, rules.GUEST.code, "the order belongs to a guest")
        kept += [problem for problem in guests if problem.key in left]
        left -= {problem.key for problem in guests}
    for index, detail in not_confirmed(orders, settings.confirmed).items():
        if keys[index] in left:
            kept.append(Problem(keys[index], rules.ORDER_NOT_CONFIRMED.code, detail))
    for key, currency in zip(keys, parts.currencies, strict=True):
        if key in lines.unknown and key in left:
            kept.append(Problem(key, rules.SKU_UNKNOWN.code, "a line names an item that has not been taken over"))
        if key in refunds and key in left and refunds[key].currencies - {currency}:
            kept.append(Problem(key, rules.REFUND_CURRENCY.code, f"the order is in {currency}, a refund is not"))
    return kept


def _parts(frames: Frames, orders: pd.DataFrame, settings: OmetriaSettings) -> Parts:
    ids = accounts(columns.texts(orders["customer_id"]), departed(frames))
    ended = cancelled(orders, settings.order_status)
    statuses = plain_status(orders, settings.order_status)
    currencies = columns.keys(orders["currency"])
    bodies = _amounts(orders, settings, statuses, [not gone for gone in ended.either])
    _add_texts(bodies, orders, ids, settings)
    _add_base(bodies, orders, currencies, settings.base_currency)
    return Parts(bodies, currencies, columns.counts(orders["total"]).tolist(), ended.either, [i is None for i in ids])


def _amounts(
    orders: pd.DataFrame, settings: OmetriaSettings, statuses: Sequence[str], valid: Sequence[bool]
) -> list[Json]:
    currency, discount = orders["currency"], orders["discount"].fillna(0)
    sign = -1 if settings.discount_sign == "negative" else 1
    bodies: list[Json] = [
        {
            "@type": "order",
            "id": key,
            "timestamp": at,
            "status": status,
            "is_valid": good,
            "currency": code,
            "grand_total": total,
            "subtotal": subtotal,
            "discount": less,
            "shipping": shipping,
            "tax": tax,
        }
        for key, at, status, good, code, total, subtotal, less, shipping, tax in zip(
            columns.keys(orders["order_id"]),
            columns.stamps(orders["created_at"]),
            statuses,
            valid,
            columns.keys(currency),
            columns.amounts(orders["total"], currency),
            # Stokly's subtotal is after discount; here subtotal - discount + shipping + tax = grand_total.
            columns.amounts(orders["subtotal"] + discount, currency),
            columns.amounts(sign * discount, currency),
            columns.amounts(orders["shipping"], currency),
            columns.amounts(orders["tax"], currency),
            strict=True,
        )
    ]
    for index in orders.index[orders[["subtotal", "shipping", "tax"]].isna().any(axis=1)]:
        bodies[index] = pruned(bodies[index])
    return bodies


def _add_texts(bodies: list[Json], orders: pd.DataFrame, ids: Sequence[str | None], settings: OmetriaSettings) -> None:
    for body, account, email, kind, channel, reference, city, region, postcode, country in zip(
        bodies,
        ids,
        columns.texts(orders["customer_email"]),
        columns.texts(orders["source_type"]),
        columns.texts(orders["channel_name"]),
        columns.texts(orders["channel_reference"]),
        columns.texts(orders["city"]),
        columns.texts(orders["region"]),
        columns.texts(orders["postcode"]),
        columns.texts(orders["country"]),
        strict=True,
    ):
        body["store"] = settings.stores.get(channel, channel) if channel else settings.default_store
        if kind:
            body["channel"] = kind
        # A till writes its location there, the same for every order of the shop.
        if reference and kind != TILL:
            body["web_id"] = reference
        customer = {"id": account} if account else {}
        if reached := reachable(email):
            customer["email"] = reached
        if customer:
            body["customer"] = customer
        body["shipping_address"] = with_optional({}, city=city, state=region, postcode=postcode, country_code=country)


def _add_base(bodies: list[Json], orders: pd.DataFrame, currencies: Sequence[str], base: str) -> None:
    """Totals in both currencies where they differ, because Ometria does not convert. Source: contract 6.6."""
    rows = orders.index[orders["currency"].ne(base).to_numpy(dtype=bool) & orders["base_total"].notna().to_numpy()]
    for index, nanos in zip(rows.tolist(), columns.counts(orders["base_total"][rows]).tolist(), strict=True):
        body = bodies[index]
        members = ("grand_total", "subtotal", "discount", "shipping", "tax")
        local = {name: body[name] for name in members if name in body}
        body["totals"] = {
            "base": {"currency": base, "grand_total": money.rounded(nanos, base)},
            "local": {"currency": currencies[index], **local},
        }


def _documents(
    orders: pd.DataFrame,
    keys: list[str],
    parts: Parts,
    lines: Lines,
    refunds: dict[str, Refunded],
    settings: OmetriaSettings,
) -> list[Document]:
    documents = []
    versions = columns.moments(orders["version"])
    events = columns.moments(orders["updated_at"].fillna(orders["created_at"]))
    for index, (key, body, currency, total, version, event) in enumerate(
        zip(keys, parts.bodies, parts.currencies, parts.totals, versions, events, strict=True)
    ):
        written = lines.texts.get(key, b"[]")
        body["lineitems"] = msgspec.Raw(written)
        refunded = refunds.get(key)
        if refunded is not None:
            version, event = _later(version, refunded.version), _later(event, refunded.event_at)
            start, end = lines.spans.get(key, (0, 0))
            ids = lines.line_ids[start:end]
            body["lineitems"] = decode(written)
            _show(body, ids, refunded, currency, total, ended=parts.invalid[index], settings=settings)
        if version is None:
            raise ValueError(f"order {key} has no version; rows come from landing, which always sets one")
        documents.append(Document(key, body, version, event, total, currency))
    return documents


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _show(
    body: Json,
    line_ids: Sequence[str],
    refunded: Refunded,
    currency: str,
    total: int,
    *,
    ended: bool,
    settings: OmetriaSettings,
) -> None:
    """Write refunds on an order: on its lines, the rest as a property, and its status. Source: contract 3; O3."""
    beside = show_refunds(body["lineitems"], line_ids, refunded, currency)
    if beside > 0:
        body["properties"] = {"refunded_other": money.text(beside)}
    if ended or not (refunded.total or refunded.lines):
        return
    if _in_full(body["lineitems"], refunded, total, currency):
        body["status"], body["is_valid"] = settings.order_status.refunded, False
    else:
        body["status"] = settings.order_status.partly_refunded


def _in_full(lineitems: Sequence[Json], refunded: Refunded, total: int, currency: str) -> bool:
    """Refunded to within a minor unit a line; an order for nothing, when every unit came back."""
    if total > 0:
        return refunded.total + money.minor_unit(currency) * max(len(lineitems), 1) > total
    return all(line.get("quantity_refunded", 0) >= line["quantity"] for line in lineitems)


def _suspects(orders: pd.DataFrame, keys: list[str], lines: Lines) -> list[bool]:
    """Which orders could be larger than a record may be: a bound that is never too low and costs no encoding."""
    own = ORDER_BYTES + WORST_ESCAPE * text_bytes(orders, _TEXTS).to_numpy()
    return [room + lines.room.get(key, 0) > RECORD_BYTES - 6_000 for key, room in zip(keys, own.tolist(), strict=True)]
