"""Records of insight data: the rules on one record, for single calls and imports alike.

Belongs here: owners, keys, types and replacement. The rules on values are in `schema`.
Source: Dotdigital API contract 3 (insight data).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stokly_sync.sandbox.dotdigital import identifiers
from stokly_sync.sandbox.dotdigital.schema import Field, JsonRefused, check, grown
from stokly_sync.sandbox.dotdigital.store import Collection, InsightRecord, Record, Store, bump
from stokly_sync.sandbox.dotdigital.switches import DotdigitalSwitches

COLLECTION_NAME = re.compile(r"[-A-Za-z_][-A-Za-z0-9_]{1,255}")
SCOPES = ("account", "contact")
TYPES = (
    "cartInsight",
    "catalog",
    "consentInsight",
    "custom",
    "easyEditorExtensions",
    "nostoEmailCampaigns",
    "orders",
    "productCategories",
    "webInsight",
    "wishList",
)
LONGEST_KEY = 255
MISSING_OWNER = {
    "email": "ContactEmailDoesNotExist",
    "contactId": "ContactIdDoesNotExist",
    "mobileNumber": "ContactPhoneNumberDoesNotExist",
}
"""Why a record has no owner, by identifier; a custom one has a reason of its own."""


class RecordRefused(Exception):
    """A record is refused; `reason` is the vendor's failureReason."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class InsightWriter:
    """Checks and writes of insight records in one account."""

    def __init__(self, *, store: Store, switches: DotdigitalSwitches) -> None:
        self.store = store
        self._switches = switches

    def owner(self, identity: Any) -> int:
        """The contact id that a `contactIdentity` names.

        Raises:
            RecordRefused: if it is no identity, or nobody has it.
        """
        if not isinstance(identity, Mapping):
            raise RecordRefused("InvalidContactIdentifier", "contactIdentity")
        name, value = identity.get("identifier"), identity.get("value")
        if not isinstance(name, str) or not identifiers.is_known(self.store, name):
            raise RecordRefused("InvalidContactIdentifierType", str(name))
        if not identifiers.is_possible(name, value):
            raise RecordRefused("InvalidContactIdentifier", name)
        contact = self.store.find(name, value)
        if contact is None:
            raise RecordRefused(MISSING_OWNER.get(name, "ContactCustomIdentifierValueDoesNotExist"), name)
        return contact.contact_id

    def write(
        self, collection: Collection, key: Any, json: Any, *, owner: int | None, now: datetime, merge: bool
    ) -> bool:
        """Create or replace a record, extend the schema, and say whether the record is new.

        Raises:
            RecordRefused: for a key, an owner or a value that cannot be; nothing is changed then.
        """
        if not isinstance(key, str) or not key.strip() or len(key) > LONGEST_KEY:
            raise RecordRefused("InvalidClientKey", "key")
        if not isinstance(json, dict):
            raise RecordRefused("InvalidJson", "json must be an object")
        known = collection.records.get(key)
        if known is not None and known.owner != owner:
            raise RecordRefused("KeyExistingForDifferentContact", key)
        collection.schema = self._schema_with(collection, json)
        if known is None:
            collection.records[key] = InsightRecord(self.store.next_number(), json, now, now, owner)
            return True
        fresh = {**known.json, **json} if merge else json
        if fresh == known.json:
            bump(self.store.unchanged, counter_key(collection.name, key))
        known.json, known.updated = fresh, now
        return False

    def _schema_with(self, collection: Collection, json: Record) -> dict[str, Field]:
        switches = self._switches
        try:
            check(json, key_length=switches.key_length, text_length=switches.text_length)
            return grown(collection.schema, json, numbers=switches.numbers, nulls=switches.nulls)
        except JsonRefused as refused:
            raise RecordRefused(refused.reason, refused.path) from refused


def counter_key(collection: str, key: Any) -> str:
    """How a record is named in the counters: `insight/<collection>/<key>`."""
    return f"insight/{collection}/{key}"


def import_records(
    writer: InsightWriter, collection: Collection, body: Record, *, switches: DotdigitalSwitches, now: datetime
) -> Record:
    """Carry out an insight import and say its report: summary, and failures if there are any."""
    failures: list[Record] = []
    seen: set[str] = set()
    for record in body["records"]:
        key, identity = record.get("key"), record.get("contactIdentity")
        try:
            if str(key) in switches.failing_ids:
                raise RecordRefused("Unknown", "The record could not be imported")
            if isinstance(key, str) and key in seen:
                raise RecordRefused("DuplicateKey", key)
            if collection.scope == "account" and identity is not None:
                raise RecordRefused("InvalidContactIdentifier", "An account collection has no owners")
            owner = writer.owner(identity) if collection.scope == "contact" else None
            merge = switches.bulk_upsert == "merge"
            writer.write(collection, key, record.get("json"), owner=owner, now=now, merge=merge)
            seen.add(str(key))
        except RecordRefused as refused:
            failures.append(_failure(collection, record, refused))
    total = len(body["records"])
    summary = {"totalRecords": total, "totalImported": total - len(failures), "totalRejected": len(failures)}
    report: Record = {"collectionName": collection.name, "summary": summary}
    return {**report, "failures": failures} if failures else report


def _failure(collection: Collection, record: Record, refused: RecordRefused) -> Record:
    owner: Record = {"ownerType": collection.scope}
    if collection.scope == "contact":
        owner["contactIdentity"] = record.get("contactIdentity")
    return {
        "key": record.get("key"),
        "json": record.get("json"),
        "collectionOwner": owner,
        "failureReason": refused.reason,
        "details": [refused.detail],
    }
