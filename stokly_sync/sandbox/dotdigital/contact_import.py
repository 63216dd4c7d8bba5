"""What a finished contact import did: each contact created, updated or refused, and the counts of it.

Belongs here: the order of the checks on a contact in an import, duplicates within one import, and the
report. The rules on a contact itself are in `upserts`. Source: Dotdigital API contract 2 (bulk import).
"""

from datetime import datetime
from typing import Any

from stokly_sync.sandbox.dotdigital.bodies import MERGE_IN_IMPORT, consents_are_good
from stokly_sync.sandbox.dotdigital.store import Contact, Record, bump, index_key
from stokly_sync.sandbox.dotdigital.switches import DotdigitalSwitches
from stokly_sync.sandbox.dotdigital.upserts import Failure, Upserts, failure

COUNTS = ("newContacts", "updatedContacts", "globallySuppressed", "invalidEntries", "duplicateIdentifiers")


class ContactImport:
    """One import at work; `report` is its answer once `run` is over."""

    def __init__(self, *, upserts: Upserts, switches: DotdigitalSwitches, now: datetime) -> None:
        self._upserts = upserts
        self._switches = switches
        self._now = now
        self._seen: set[str] = set()
        self.summary = dict.fromkeys(COUNTS, 0)
        self.created: list[Record] = []
        self.updated: list[Record] = []
        self.failures: list[Record] = []

    def run(self, body: Record) -> None:
        """Write every contact that can be written."""
        merge = MERGE_IN_IMPORT[body["mergeOption"]]
        for contact in body["contacts"]:
            self._one(contact, merge)

    def report(self) -> Record:
        """Summary, created, updated and failures; the counts add up to the contacts that were sent."""
        return {
            "summary": self.summary,
            "created": self.created,
            "updated": self.updated,
            "failures": self.failures,
        }

    def _one(self, body: Record, merge: str) -> None:
        match, given = body["matchIdentifier"], body["identifiers"]
        refused = self._value_failure(match, given)
        if refused is not None:
            self._refuse("invalidEntries", body, refused)
            return
        known = self._upserts.store.find(match, given[match])
        if known is None and "contactId" in given:
            self._refuse("invalidEntries", body, failure("contactNotFound", "The contact could not be found"))
            return
        double = self._double(given, known)
        if double is not None:
            text = f"Duplicate identifier detected for {double} '{given[double]}'"
            self._refuse("duplicateIdentifiers", body, failure("duplicateIdentifier", text), known)
            return
        if known is not None and known.email_status in self._switches.suppressed_statuses:
            self.summary["globallySuppressed"] += 1
            if self._switches.report_suppressed:
                self._fail(body, failure("globallySuppressed", "The contact is suppressed"), contact=known)
            return
        self._write(body, known, merge)

    def _value_failure(self, match: str, given: Record) -> Failure | None:
        if set(map(str, given.values())) & self._switches.failing_ids:
            return failure("unknown", "The contact could not be imported")
        return self._upserts.identifier_failure({match: given.get(match), **given})

    def _double(self, given: Record, known: Contact | None) -> str | None:
        """The first identifier used before in this import, or by another contact in the account."""
        for name, value in given.items():
            if index_key(name, str(value)) in self._seen:
                return name
        taken = self._upserts.taken(given, known)
        if taken is None:
            self._seen.update(index_key(name, str(value)) for name, value in given.items())
        return taken

    def _write(self, body: Record, known: Contact | None, merge: str) -> None:
        wrong_field = self._upserts.field_failure(body)
        partly = wrong_field is not None and self._only_reported(wrong_field)
        if wrong_field is not None and not partly:
            self._refuse("invalidEntries", body, wrong_field, known)
            return
        given = body["identifiers"]
        if known is None:
            known = self._upserts.create(body, given, now=self._now)
            self.summary["newContacts"] += 1
            self.created.append(reference(known))
        else:
            before = content(known)
            self._upserts.update(known, body, given, merge=merge, now=self._now)
            if content(known) == before:
                bump(self._upserts.store.unchanged, counter_key(body))
            self.summary["updatedContacts"] += 1
            self.updated.append(reference(known))
        self._report_parts(body, known, wrong_field if partly else None)

    def _only_reported(self, wrong: Failure) -> bool:
        return wrong["failureCode"] == "dataFieldNotFound" and self._switches.unknown_field == "report"

    def _report_parts(self, body: Record, contact: Contact, wrong_field: Failure | None) -> None:
        """Report what was left out of a contact that was otherwise saved."""
        parts = [part for part in (wrong_field, self._upserts.list_failure(body)) if part is not None]
        if "consentRecords" in body and not consents_are_good(body["consentRecords"]):
            text = "The provided consent records could not be applied as they were incorrectly formatted"
            parts.append(failure("consentRecordsNotApplied", text))
        if parts:
            self._fail(body, *parts, contact=contact)

    def _refuse(self, count: str, body: Record, why: Failure, contact: Contact | None = None) -> None:
        self.summary[count] += 1
        self._fail(body, why, contact=contact)

    def _fail(self, body: Record, *failures: Failure, contact: Contact | None = None) -> None:
        entry: Record = {} if contact is None else {"contactId": contact.contact_id}
        entry |= {"matchIdentifier": body["matchIdentifier"], "identifiers": body["identifiers"]}
        self.failures.append({**entry, "failures": list(failures)})


def reference(contact: Contact) -> Record:
    """How `created` and `updated` name a contact."""
    return {"contactId": contact.contact_id, "identifiers": dict(contact.identifiers)}


def content(contact: Contact) -> tuple[Any, ...]:
    """What an import can change of a contact, to compare before and after."""
    statuses = (contact.email_status, contact.sms_status, contact.whatsapp_status)
    kinds = (contact.email_type, contact.opt_in_type, len(contact.consents))
    return (
        dict(contact.identifiers),
        dict(contact.fields),
        list(contact.lists),
        statuses,
        kinds,
        contact.preferences.copy(),
    )


def counter_key(body: Record) -> str:
    """How a contact is named in the counters: `contact/<identifier>/<value>` of its match identifier."""
    match = body["matchIdentifier"]
    return f"contact/{match}/{body['identifiers'].get(match)}"
