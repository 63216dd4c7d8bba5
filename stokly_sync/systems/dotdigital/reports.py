"""What the failures of an import say, record by record, in words that quote nobody's data (D7).

Belongs here: the vendor's two forms of a failure. Source: Dotdigital API contract 2 and 3 (bulk import, failures).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from stokly_sync.flow import Json
from stokly_sync.systems.transport import excerpt

SAVED_ALL_THE_SAME: Final = frozenset({"consentRecordsNotApplied"})
"""Failures of a part: the contact itself was saved. Source: Dotdigital API contract 2."""
OTHER_OWNER: Final = "KeyExistingForDifferentContact"
NO_CONTACT: Final = frozenset(
    {"ContactEmailDoesNotExist", "ContactIdDoesNotExist", "ContactCustomIdentifierValueDoesNotExist"}
)
"""The owner is not there, or not there yet: a contact may need a moment after its import has ended."""

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\S+@\S+")


@dataclass
class ContactFailures:
    """Reasons by our customer id, and by digest of the address."""

    by_customer: dict[str, str] = field(default_factory=dict)
    by_email: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """Why a record of insight data was refused: the vendor's word and the whole reason; the record, if it was given."""

    word: str
    reason: str
    record: Json | None


def contact_failures(failures: Sequence[Json], identifier: str) -> ContactFailures:
    """Failures of a contact import; those that concern a part of a contact that was saved are left out."""
    found = ContactFailures()
    for entry in failures:
        why = [f for f in entry.get("failures") or [] if isinstance(f, Mapping)]
        codes = [str(f.get("failureCode")) for f in why]
        if codes and set(codes) <= SAVED_ALL_THE_SAME:
            continue
        reason = "; ".join(f"{f.get('failureCode')}: {explain(f.get('description'))}" for f in why) or "refused"
        held = entry.get("identifiers")
        identifiers = held if isinstance(held, Mapping) else {}
        if identifiers.get(identifier):
            found.by_customer[str(identifiers[identifier])] = reason
        if identifiers.get("email"):
            text = str(identifiers["email"]).strip().lower().encode()
            found.by_email[blake2b(text, digest_size=6).hexdigest()] = reason
    return found


def insight_failures(failures: Sequence[Json]) -> dict[str, Refusal]:
    """Refusals of an insight import by key."""
    found = {}
    for entry in failures:
        word = str(entry.get("failureReason") or "Unknown")
        given = entry.get("details")
        details = [explain(detail) for detail in given if detail] if isinstance(given, list) else []
        reason = f"{word} ({', '.join(details)})" if details else word
        owner = entry.get("collectionOwner")
        identity = owner.get("contactIdentity") if isinstance(owner, Mapping) else None
        json = entry.get("json")
        whole = isinstance(json, dict) and isinstance(identity, dict)
        record = {"key": entry.get("key"), "contactIdentity": identity, "json": json} if whole else None
        found[str(entry.get("key"))] = Refusal(word, reason, record)
    return found


def explain(text: Any) -> str:
    """The vendor's words without what they quote, which may be somebody's address."""
    return excerpt(_QUOTED.sub("…", str(text or "no reason given")))
