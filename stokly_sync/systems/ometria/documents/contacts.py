"""Customers as Ometria contacts, one collection for our source (O1).

Consent is never part of a contact: Stokly is not proven to hold any, and an absent member leaves Ometria's own record
of it alone (X19).
"""

from __future__ import annotations

import re
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.mapping import CONTACT_SOURCES, mapped
from stokly_sync.contracts.owners import names
from stokly_sync.contracts.problems import problems_where, without
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.ometria.documents.common import oversized, with_optional
from stokly_sync.systems.ometria.settings import OmetriaSettings

_NOT_DIALLED: Final = re.compile(r"\(0\)|[\s().\-/]")
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_GB_NATIONAL: Final = re.compile(r"0[1-9]\d{8,9}")


def build_contacts(frames: Frames, settings: OmetriaSettings) -> Built:
    """Contacts from `stokly.customers`; key and id are the customer id.

    Keeps back customers without an e-mail address and those deleted or merged away. Source: Ometria API contract 3
    (contact); O1.
    """
    customers = frames["stokly.customers"]
    keys = columns.keys(customers["customer_id"])
    merged = customers["merged_into"].notna().to_numpy()
    gone = ~columns.flags(customers["live"]) | merged
    no_email = customers["email"].fillna("").str.strip().eq("").to_numpy(dtype=bool) & ~gone
    kept = problems_where(keys, gone & ~merged, rules.CUSTOMER_DELETED.code, "deleted in Stokly")
    kept += problems_where(keys, merged, rules.CUSTOMER_DELETED.code, "merged into another customer in Stokly")
    kept += problems_where(keys, no_email, rules.CONTACT_EMAIL.code, "the customer has no e-mail address")
    rest = customers[~gone & ~no_email]
    documents, misfits = _documents(rest, settings)
    kept += misfits + oversized(documents)
    return Built(without(documents, kept), kept)


def _documents(customers: pd.DataFrame, settings: OmetriaSettings) -> tuple[list[Document], list[Problem]]:
    keys = columns.keys(customers["customer_id"])
    properties = mapped(customers, settings.contact_properties, CONTACT_SOURCES)
    versions = columns.moments(customers["version"])
    events = columns.moments(customers["updated_at"].fillna(customers["created_at"]))
    bodies = _bodies(customers, settings.collection)
    documents = []
    for key, body, mine, version, event in zip(keys, bodies, properties.properties, versions, events, strict=True):
        if version is None:
            raise ValueError(f"customer {key} has no version; rows come from landing, which always sets one")
        documents.append(Document(key, with_optional(body, properties=mine), version, event_at=event))
    misfits = [Problem(keys[i], rules.PROPERTY_TYPE.code, detail) for i, detail in properties.misfits.items()]
    return documents, misfits


def _bodies(customers: pd.DataFrame, collection: str) -> list[Json]:
    return [
        with_optional(
            {"@type": "contact", "@collection": collection, "@merge": True, "id": key, "customer_id": key},
            email=(email or "").strip(),
            firstname=first,
            lastname=last,
            phone_number=e164(phone, country),
            country_id=country,
            timestamp_acquired=created,
        )
        for key, email, (first, last), phone, country, created in zip(
            columns.keys(customers["customer_id"]),
            columns.texts(customers["email"]),
            names(customers),
            columns.texts(customers["phone"]),
            columns.texts(customers["country"]),
            columns.stamps(customers["created_at"]),
            strict=True,
        )
    ]


def e164(phone: str | None, country: str | None) -> str | None:
    """The number in E.164 form, or None where that would be a guess.

    Certain are numbers with a plus and their country code, and British national ones of a British customer.
    """
    if not phone:
        return None
    dialled = _NOT_DIALLED.sub("", phone)
    if country == "GB" and _GB_NATIONAL.fullmatch(dialled):
        dialled = f"+44{dialled[1:]}"
    return dialled if _E164.fullmatch(dialled) else None
