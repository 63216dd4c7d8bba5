"""Customers as Dotdigital contacts, with what they have bought (D2, D3).

Neither a status nor any consent is part of a document: whether a contact is new is known only when it is sent, and
Stokly is not proven to hold consent (X19). Source: Dotdigital API contract 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.addresses import ContactRules, reachable_customers
from stokly_sync.contracts.consent import CONSENTS
from stokly_sync.contracts.guests import Guest
from stokly_sync.contracts.mapping import CONTACT_SOURCES
from stokly_sync.contracts.owners import names
from stokly_sync.contracts.problems import later
from stokly_sync.flow import Built, Choice, Document, Frames, Json
from stokly_sync.systems.dotdigital import rules
from stokly_sync.systems.dotdigital.documents.common import custom_fields, floats, with_optional
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings
from stokly_sync.systems.dotdigital.setup import field_name

METRICS: Final = "derived.customer_metrics"
SAME_ADDRESS: Final = "customers with the same address"
"""Frame of all customers that have the address of one of the feed's own."""
UNSUBSCRIBED: Final = "unsubscribed"
"""The status of a new contact whatever the settings say; it is no part of what an existing one is sent."""
_KEPT_BACK: Final = ContactRules(rules.CUSTOMER_DELETED.code, rules.CONTACT_EMAIL.code, rules.EMAIL_SHARED.code)
_LIST: Final = msgspec.json.Decoder(list[Any])


def build_contacts(frames: Frames, settings: DotdigitalSettings) -> Built:
    """Contacts from `stokly.customers`; the key is the customer id, an identifier beside the e-mail address.

    Keeps back customers without an address, those gone, and those whose address belongs to an earlier customer.
    Metrics come from `derived.customer_metrics` where that is among the frames.
    """
    customers = frames["stokly.customers"]
    keys = columns.keys(customers["customer_id"])
    emails, kept = reachable_customers(customers, frames.get(SAME_ADDRESS, customers), _KEPT_BACK)
    custom, misfits = custom_fields(customers, keys, settings.contact_fields, CONTACT_SOURCES)
    known = {problem.key for problem in kept}
    kept += [problem for problem in misfits if problem.key not in known]
    made = _documents(customers, emails, {p.key for p in kept}, frames.get(METRICS), custom, settings)
    out = _opted_out(frames)
    for document in made:
        if document.key in out:
            document.body["status"] = UNSUBSCRIBED
    return Built(made, kept)


def guest_contact(guest: Guest) -> Json:
    """A guest as a contact: the e-mail address alone."""
    return {"identifiers": {"email": guest.email}}


def _opted_out(frames: Frames) -> set[str]:
    """Customers who have opted out of e-mail anywhere, where that is among the frames."""
    consents = frames.get(CONSENTS.name)
    if consents is None:
        return set()
    return set(columns.keys(consents["customer_id"][consents["email_choice"].eq(Choice.OUT.value).to_numpy(bool)]))


def _documents(
    customers: pd.DataFrame,
    emails: list[str | None],
    bad: set[str],
    metrics: pd.DataFrame | None,
    custom: list[Json],
    settings: DotdigitalSettings,
) -> list[Document]:
    bought = _bought(metrics, settings) if metrics is not None else {}
    documents = []
    for key, email, own, (first, last), postcode, city, country, version, event in zip(
        columns.keys(customers["customer_id"]),
        emails,
        custom,
        names(customers),
        columns.texts(customers["postcode"]),
        columns.texts(customers["city"]),
        columns.texts(customers["country"]),
        columns.moments(customers["version"]),
        columns.moments(customers["updated_at"].fillna(customers["created_at"])),
        strict=True,
    ):
        if key in bad:
            continue
        fields = with_optional({}, FIRSTNAME=first, LASTNAME=last, POSTCODE=postcode)
        place = {field_name(settings, "CITY"): city, field_name(settings, "COUNTRY"): country}
        with_optional(fields, **place)
        mine, known = bought.get(key, ({}, None))
        # Where the customer's own place is not known, that of the newest order is told.
        fields = {**mine, **fields, **own}
        newest = later(version, known)
        if newest is None:
            raise ValueError(f"customer {key} has no version; rows come from landing, which always sets one")
        body: Json = {"identifiers": {"email": email, settings.identifier: key}}
        documents.append(Document(key, with_optional(body, dataFields=fields), newest, event_at=event))
    return documents


def _bought(metrics: pd.DataFrame, settings: DotdigitalSettings) -> Mapping[str, tuple[Json, datetime | None]]:
    """Data fields of what customers have bought, and since when that is so, by customer id."""
    names = {n: field_name(settings, n) for n in ("LTV", "CURRENCY", "ORDERS", "AOV", "FIRST_ORDER", "LAST_ORDER")}
    found, places = {}, columns.digits(metrics["currency"])
    for key, count, ltv, average, currency, first, last, skus, city, country, unknown, version in zip(
        columns.keys(metrics["customer_id"]),
        columns.counts(metrics["order_count"]).tolist(),
        floats(columns.counts(metrics["lifetime_value"]), places),
        floats(columns.counts(metrics["average_order_value"]), places),
        columns.keys(metrics["currency"]),
        columns.stamps(metrics["first_order_at"]),
        columns.stamps(metrics["last_order_at"]),
        columns.texts(metrics["last_order_skus"]),
        columns.texts(metrics["last_location_city"]),
        columns.texts(metrics["last_location_country"]),
        metrics["lifetime_value"].isna().tolist(),
        columns.moments(metrics["version"]),
        strict=True,
    ):
        # Nought is told too: what was refunded in full must not stay as it was.
        fields: Json = {names["LTV"]: ltv, names["ORDERS"]: count, names["AOV"]: average, names["CURRENCY"]: currency}
        with_optional(fields, **{names["FIRST_ORDER"]: first, names["LAST_ORDER"]: last})
        bought = [str(sku) for sku in _LIST.decode(skus)] if skus else []
        place = {field_name(settings, "CITY"): city, field_name(settings, "COUNTRY"): country}
        with_optional(fields, **{field_name(settings, "LAST_SKUS"): ",".join(bought)}, **place)
        if unknown:
            del fields[names["LTV"]]
        found[key] = (fields, version)
    return found
