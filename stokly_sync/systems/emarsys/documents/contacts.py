"""Customers as Emarsys contacts, with what they have bought, and the customers that were merged into them (E1, E2, E7).

Opt-in (field 31) is never part of a document: whoever owns consent is another flow's matter, and an absent field leaves
Emarsys' own record of it alone (X19). Source: Emarsys API contract 1.7, 5.5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.addresses import ContactRules, reachable_customers
from stokly_sync.contracts.guests import Guest
from stokly_sync.contracts.mapping import CONTACT_SOURCES
from stokly_sync.contracts.owners import names
from stokly_sync.flow import Built, Document, Frames, Json
from stokly_sync.systems.emarsys import rules
from stokly_sync.systems.emarsys.documents.common import custom_fields, guest_id, plain, versioned
from stokly_sync.systems.emarsys.settings import EmarsysSettings

MAPPED: Final = "mapped."
"""Start of our names of the fields that are mapped by configuration."""
METRICS: Final = "derived.customer_metrics"
SAME_ADDRESS: Final = "customers with the same address"
"""Frame of all customers that have the address of one of the feed's own."""
MERGED_AWAY: Final = "customers that were merged away"
"""Frame of the customers that were merged into one of the feed's own, over two steps."""
SHORT: Final = 60
"""Characters of a short text. Source: Emarsys API contract 1.7 (value rules)."""
_KEPT_BACK: Final = ContactRules(rules.CUSTOMER_DELETED.code, rules.CONTACT_EMAIL.code, rules.EMAIL_SHARED.code)
_LIST: Final = msgspec.json.Decoder(list[Any])


def build_contacts(frames: Frames, settings: EmarsysSettings) -> Built:
    """Contacts from `stokly.customers`; the key is the customer id.

    Body: `customer`, `email`, `fields` by our names, and `merged`, the ids that went up in this customer. Keeps back
    customers without an address, those gone, and those whose address belongs to an earlier customer.
    """
    customers = frames["stokly.customers"]
    keys = columns.keys(customers["customer_id"])
    emails, kept = reachable_customers(customers, frames.get(SAME_ADDRESS, customers), _KEPT_BACK)
    custom, misfits = custom_fields(customers, keys, settings.contact_fields, CONTACT_SOURCES)
    bad = {problem.key for problem in kept}
    kept += [problem for problem in misfits if problem.key not in bad]
    return Built(_documents(frames, emails, custom, {problem.key for problem in kept}), kept)


def guest_contact(guest: Guest) -> Json:
    """A guest as a contact: an address and an id of ours that says nothing.

    `former` are customers that are gone: the contact that one of them has left at the address is the guest's.
    """
    body: Json = {"customer": guest_id(guest.email), "email": guest.email, "fields": {}}
    return {**body, "former": list(guest.former)} if guest.former else body


def _documents(frames: Frames, emails: list[str | None], custom: list[dict[str, str]], bad: set[str]) -> list[Document]:
    customers = frames["stokly.customers"]
    bought = _bought(frames.get(METRICS))
    losers, lost_at = _merged(frames.get(MERGED_AWAY))
    documents = []
    for key, email, others, (first, last), postcode, city, country, phone, version, event in zip(
        columns.keys(customers["customer_id"]),
        emails,
        custom,
        names(customers),
        columns.texts(customers["postcode"]),
        columns.texts(customers["city"]),
        columns.texts(customers["country"]),
        columns.texts(customers["phone"]),
        columns.moments(customers["version"]),
        columns.moments(customers["updated_at"].fillna(customers["created_at"])),
        strict=True,
    ):
        if key in bad:
            continue
        own = {"first_name": first, "last_name": last, "zip_code": postcode, "city": city, "phone": phone}
        fields: Json = {name: text for name, value in own.items() if (text := plain(value, SHORT))}
        if country:
            fields["country"] = country
        mine, known = bought.get(key, ({}, None))
        body: Json = {
            "customer": key,
            "email": email,
            "fields": {**fields, **mine, **{f"{MAPPED}{n}": v for n, v in others.items()}},
        }
        if key in losers:
            body["merged"] = losers[key]
        newest = versioned(f"customer {key}", version, known, lost_at.get(key))
        documents.append(Document(key, body, newest, event_at=event))
    return documents


def _merged(gone: pd.DataFrame | None) -> tuple[dict[str, list[str]], dict[str, datetime]]:
    """Ids merged into each customer, over two steps, and since when that is so."""
    if gone is None or gone.empty:
        return {}, {}
    into = dict(zip(columns.keys(gone["customer_id"]), columns.texts(gone["merged_into"]), strict=True))
    versions = dict(zip(into, columns.moments(gone["version"]), strict=True))
    losers: dict[str, list[str]] = defaultdict(list)
    since: dict[str, datetime] = {}
    for loser, winner in sorted(into.items()):
        for survivor in (winner, into.get(winner or "")):
            version = versions[loser]
            if survivor is not None and survivor != loser:
                losers[survivor].append(loser)
                since[survivor] = max(filter(None, (version, since.get(survivor))))
    return losers, since


def _bought(metrics: pd.DataFrame | None) -> Mapping[str, tuple[Json, datetime | None]]:
    """Fields of what customers have bought, and since when that is so, by customer id. Source: E7."""
    if metrics is None:
        return {}
    found = {}
    for key, count, ltv, average, currency, first, last, skus, history, version in zip(
        columns.keys(metrics["customer_id"]),
        columns.counts(metrics["order_count"]).tolist(),
        columns.amounts(metrics["lifetime_value"], metrics["currency"]),
        columns.amounts(metrics["average_order_value"], metrics["currency"]),
        columns.keys(metrics["currency"]),
        columns.stamps(metrics["first_order_at"]),
        columns.stamps(metrics["last_order_at"]),
        columns.texts(metrics["last_order_skus"]),
        columns.texts(metrics["sku_history"]),
        columns.moments(metrics["version"]),
        strict=True,
    ):
        # Nought is told too: what was refunded in full must not stay as it was.
        fields: Json = {"order_count": str(count), "currency": currency}
        fields |= {name: _number(value) for name, value in (("lifetime_value", ltv), ("average_order_value", average))}
        fields |= {"first_order": _date(first), "last_order": _date(last)}
        fields |= {"last_order_skus": _listed(skus), "sku_history": _listed(history)}
        found[key] = ({name: value for name, value in fields.items() if value is not None}, version)
    return found


def _number(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _date(stamp: str | None) -> str | None:
    """A time as a date field takes it: without zone, in UTC."""
    return None if stamp is None else stamp.replace("T", " ").removesuffix("Z")


def _listed(skus: str | None) -> str | None:
    return ",".join(str(sku) for sku in _LIST.decode(skus)) or None if skus else None
