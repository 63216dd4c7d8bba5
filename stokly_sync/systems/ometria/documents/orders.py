"""Sale orders as Ometria orders, whole on every update (O2, O3).

Belongs here: what an order says and when it may leave. Lines and refunds are prepared in `lines` and `refunds`.
An order that was removed gets a cancelling document and a problem at once: whoever sends decides by whether Ometria
ever had it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stokly_sync.contracts import columns, money, written
from stokly_sync.contracts.confirmation import not_confirmed
from stokly_sync.contracts.mapping import ORDER_SOURCES, mapped
from stokly_sync.contracts.order_states import cancelled, plain_status
from stokly_sync.contracts.owners import accounts, departed, reachable
from stokly_sync.contracts.problems import later, problems_where, without
from stokly_sync.contracts.refunded import Refunded, refunds_by_order
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.ometria.documents.common import oversized
from stokly_sync.systems.ometria.documents.lines import Lines, build_lines, catalogue_of, show_refunds
from stokly_sync.systems.ometria.settings import OmetriaSettings

TILL: Final = "epos"
_COLUMNS: Final = (
    *("stage", "source_type", "channel_name", "channel_reference", "customer_id", "customer_email"),
    *("country", "region", "city", "postcode", "currency", "subtotal", "discount", "tax", "shipping", "total"),
    *("base_total", "payment_status", "tags", "item_statuses", "created_at", "updated_at", "live", "version"),
)


def order_columns(settings: OmetriaSettings) -> tuple[str, ...]:
    """Columns of `stokly.orders` that are looked at, beside the key."""
    return (*_COLUMNS, *(field.column for field in settings.order_properties.values()))


def build_orders(frames: Frames, settings: OmetriaSettings) -> Built:
    """Orders from `stokly.orders` with lines, refunds, credit notes, items and customers; key and id are the order id.

    Amounts are in the order's currency, rounded once, half-even. Keeps back what is not confirmed, guests where the
    settings say so, lines of unknown items, and refunds in another currency. Source: Ometria API contract 3 (order).
    """
    orders = frames["stokly.orders"].reset_index(drop=True)
    keys = columns.keys(orders["order_id"])
    refunds = refunds_by_order(frames, settings.refund_states)
    lines = _lines(frames, orders, settings)
    buyers = accounts(columns.texts(orders["customer_id"]), departed(frames))
    properties = mapped(orders, settings.order_properties, ORDER_SOURCES)
    kept = _kept_back(orders, keys, buyers, lines, refunds, settings)
    texts = _texts(orders, buyers, lines, properties.properties, settings)
    documents = _documents(orders, keys, texts, lines, refunds, settings)
    kept += [Problem(keys[i], rules.PROPERTY_TYPE.code, detail) for i, detail in properties.misfits.items()]
    kept += oversized(documents)
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
    sign = -1 if settings.discount_sign == "negative" else 1
    return build_lines(frames["stokly.order_lines"], orders, catalogue_of(frames["stokly.items"]), discount_sign=sign)


def _kept_back(
    orders: pd.DataFrame,
    keys: list[str],
    buyers: Sequence[str | None],
    lines: Lines,
    refunds: dict[str, Refunded],
    settings: OmetriaSettings,
) -> list[Problem]:
    removed = cancelled(orders, settings.order_status).removed
    kept = problems_where(keys, removed, rules.ORDER_REMOVED.code, "removed in Stokly")
    rest = [key for key, gone in zip(keys, removed, strict=True) if not gone]
    left = set(rest)
    if settings.guests == "exclude":
        guests = problems_where(
            keys, [buyer is None for buyer in buyers], rules.GUEST.code, "the order belongs to a guest"
        )
        kept += [problem for problem in guests if problem.key in left]
        left -= {problem.key for problem in guests}
    for index, detail in not_confirmed(orders, settings.confirmed).items():
        if keys[index] in left:
            kept.append(Problem(keys[index], rules.ORDER_NOT_CONFIRMED.code, detail))
    for key, currency in zip(keys, columns.keys(orders["currency"]), strict=True):
        if key in lines.unknown and key in left:
            kept.append(Problem(key, rules.SKU_UNKNOWN.code, "a line names an item that has not been taken over"))
        if key in refunds and key in left and refunds[key].currencies - {currency}:
            kept.append(Problem(key, rules.REFUND_CURRENCY.code, f"the order is in {currency}, a refund is not"))
    return kept


def _texts(
    orders: pd.DataFrame,
    buyers: Sequence[str | None],
    lines: Lines,
    properties: Sequence[Json],
    settings: OmetriaSettings,
) -> list[bytes]:
    """The orders as JSON, before refunds."""
    amounts = _amounts(orders, settings)
    online = orders["source_type"].ne(TILL).to_numpy(dtype=np.bool_)
    ended = cancelled(orders, settings.order_status)
    members = {
        "@type": '"order"',
        "id": written.texts(orders["order_id"]),
        "timestamp": written.stamps(orders["created_at"]),
        "status": written.texts(plain_status(orders, settings.order_status)),
        "is_valid": written.flags([not gone for gone in ended.either]),
        "currency": written.texts(orders["currency"]),
        **amounts,
        "totals": _totals(orders, amounts, settings.base_currency),
        "store": written.texts(_stores(orders["channel_name"], settings)),
        "channel": written.filled(orders["source_type"]),
        # A till writes its location there, the same for every order of the shop.
        "web_id": written.only(written.filled(orders["channel_reference"]), online),
        "customer": _customers(orders, buyers),
        "shipping_address": written.objects(
            {
                "city": written.filled(orders["city"]),
                "state": written.filled(orders["region"]),
                "postcode": written.filled(orders["postcode"]),
                "country_code": written.filled(orders["country"]),
            }
        ),
        "lineitems": lines.texts,
        "properties": written.encoded(properties),
    }
    return written.documents(written.objects(members))


def _amounts(orders: pd.DataFrame, settings: OmetriaSettings) -> dict[str, pa.Array]:
    places, discount = columns.digits(orders["currency"]), orders["discount"].fillna(0)
    sign = -1 if settings.discount_sign == "negative" else 1
    return {
        "grand_total": written.amounts(orders["total"], places),
        # Stokly's subtotal is after discount; here subtotal - discount + shipping + tax = grand_total.
        "subtotal": written.amounts(orders["subtotal"] + discount, places),
        "discount": written.amounts(sign * discount, places),
        "shipping": written.amounts(orders["shipping"], places),
        "tax": written.amounts(orders["tax"], places),
    }


def _totals(orders: pd.DataFrame, amounts: Mapping[str, pa.Array], base: str) -> pa.Array:
    """Totals in both currencies where they differ, because Ometria does not convert. Source: contract 6.6."""
    foreign = orders["currency"].ne(base).to_numpy(dtype=bool) & orders["base_total"].notna().to_numpy()
    if not foreign.any():
        return pa.nulls(len(orders), written.TEXT)
    places = columns.digits(pd.Series([base] * len(orders), dtype="str"))
    in_base = {"currency": f'"{base}"', "grand_total": written.amounts(orders["base_total"], places)}
    local = {"currency": written.texts(orders["currency"]), **amounts}
    both = written.objects({"base": written.objects(in_base), "local": written.objects(local)})
    return written.only(both, foreign)


def _stores(channels: pd.Series, settings: OmetriaSettings) -> list[str]:
    names = columns.texts(channels)
    stores = {name: settings.stores.get(name, name) if name else settings.default_store for name in {*names}}
    return [stores[name] for name in names]


def _customers(orders: pd.DataFrame, buyers: Sequence[str | None]) -> pa.Array:
    """Who bought, by account and address; missing where neither is known."""
    account = written.filled(buyers)
    email = written.texts([reachable(email) for email in columns.texts(orders["customer_email"])])
    known = pc.or_(account.is_valid(), email.is_valid())
    return written.only(written.objects({"id": account, "email": email}), known.to_numpy(zero_copy_only=False))


def _documents(
    orders: pd.DataFrame,
    keys: list[str],
    texts: Sequence[bytes],
    lines: Lines,
    refunds: Mapping[str, Refunded],
    settings: OmetriaSettings,
) -> list[Document]:
    documents = []
    versions = columns.moments(orders["version"])
    events = columns.moments(orders["updated_at"].fillna(orders["created_at"]))
    currencies, totals = columns.keys(orders["currency"]), columns.counts(orders["total"]).tolist()
    for row, (key, text, currency, total, version, event) in enumerate(
        zip(keys, texts, currencies, totals, versions, events, strict=True)
    ):
        if version is None:
            raise ValueError(f"order {key} has no version; rows come from landing, which always sets one")
        document = Document(key, text, version, event, total, currency)
        refunded = refunds.get(key)
        documents.append(_refunded(document, refunded, lines.ids_of(row), settings) if refunded else document)
    return documents


def _refunded(document: Document, refunded: Refunded, line_ids: Sequence[str], settings: OmetriaSettings) -> Document:
    """The document with what was refunded of it."""
    body, currency = document.body, document.currency or ""
    _show(body, line_ids, refunded, currency, document.value or 0, settings)
    version, event = later(document.version, refunded.version), later(document.event_at, refunded.event_at)
    return document._replace(content=body, version=version or document.version, event_at=event)


def _show(
    body: Json, line_ids: Sequence[str], refunded: Refunded, currency: str, total: int, settings: OmetriaSettings
) -> None:
    """Write refunds on an order: on its lines, the rest as a property, and its status. Source: contract 3; O3."""
    beside = show_refunds(body["lineitems"], line_ids, refunded, currency)
    if beside > 0:
        body.setdefault("properties", {})["refunded_other"] = money.text(beside)
    if not body["is_valid"] or not (refunded.total or refunded.lines):
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
