"""Doors and hands of asynchronous work: what is refused before a job is accepted, and what a job does.

Belongs here: whole-request checks, limits on active jobs, ordered misbehaviour of whole imports, and the
dispatch of a due job. Source: Dotdigital API contract 2 and 3 (bulk import, delete, empty).
"""

from collections.abc import Callable, Sequence
from typing import Any

from stokly_sync.sandbox.dotdigital import identifiers
from stokly_sync.sandbox.dotdigital.bodies import check_import, decoded
from stokly_sync.sandbox.dotdigital.contact_import import ContactImport, counter_key
from stokly_sync.sandbox.dotdigital.insight import COLLECTION_NAME, SCOPES, TYPES, InsightWriter, import_records
from stokly_sync.sandbox.dotdigital.insight import counter_key as insight_key
from stokly_sync.sandbox.dotdigital.jobs import Job, Jobs, Kind
from stokly_sync.sandbox.dotdigital.problems import bad_json, invalid_id, v3
from stokly_sync.sandbox.dotdigital.store import Collection, Record, bump
from stokly_sync.sandbox.dotdigital.switches import DotdigitalSwitches
from stokly_sync.sandbox.dotdigital.upserts import Upserts, failure
from stokly_sync.sandbox.kit import Clock

MAX_DELETES = 5000


class Imports:
    """Accepting jobs and working those that are due."""

    def __init__(
        self,
        *,
        upserts: Upserts,
        writer: InsightWriter,
        jobs: Jobs,
        switches: DotdigitalSwitches,
        clock: Clock,
        touch: Callable[[], None],
    ) -> None:
        self._upserts = upserts
        self._writer = writer
        self._jobs = jobs
        self._switches = switches
        self._clock = clock
        self._touch = touch

    def accept_contacts(self, raw: bytes) -> str:
        """Take a contact import and say its id.

        Raises:
            ProblemError: 413, 400 `contacts:badJson`, or 429 `contacts:tooManyActiveImports`.
        """
        self._check_size("contacts", raw)
        body = check_import(decoded(raw, "contacts"))
        self._check_active("contacts", self._switches.active_contact_imports)
        return self._accept("contacts", body, [counter_key(contact) for contact in body["contacts"]])

    def accept_insight(self, raw: bytes) -> str:
        """Take an insight import and say its id.

        Raises:
            ProblemError: 413, 400 `insightData:badJson` or `insightData:invalidId`, or 429
                `insightData:tooManyActiveImports` (the contract does not say what is answered there).
        """
        self._check_size("insightData", raw)
        body = decoded(raw, "insightData")
        records = body.get("records") if isinstance(body, dict) else None
        if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
            raise bad_json("insightData", ("records", "At least one record is expected"))
        name = check_collection(body.get("collectionName"), body.get("collectionScope"), body.get("collectionType"))
        known = self._writer.store.collections.get(name)
        if known is not None and (known.scope, known.type) != (body["collectionScope"], body["collectionType"]):
            raise bad_json("insightData", (name, f"The collection holds {known.type} of scope {known.scope}"))
        self._check_active("insight", self._switches.active_insight_imports)
        return self._accept("insight", body, [insight_key(name, record.get("key")) for record in records])

    def accept_delete(self, raw: bytes) -> str:
        """Take a bulk delete of contacts and say its id.

        Raises:
            ProblemError: 400 `contacts:noContactsSpecified` or `contacts:badJson`, 429 `tooManyBulkDeleteJobs`.
        """
        body = decoded(raw, "contacts")
        if not isinstance(body, list) or not body:
            text = "You must specify 1 or more contacts to be deleted!"
            raise v3(400, "contacts:noContactsSpecified", text)
        if len(body) > MAX_DELETES or not all(isinstance(one, dict) and len(one) == 1 for one in body):
            raise bad_json("contacts", ("contacts", f"1 to {MAX_DELETES} objects with one identifier are expected"))
        if self._jobs.active("delete") >= self._switches.active_deletes:
            raise v3(429, "contacts:tooManyBulkDeleteJobs", "Too many bulk delete jobs are being processed")
        self._touch()
        return self._jobs.add("delete", body, records=len(body))

    def accept_collection(self, name: str, *, owner: int | None = None, drop: bool = False) -> str:
        """Take the order to empty a collection (of one contact), or to delete it, and say the job's id."""
        self._touch()
        return self._jobs.add("collection", {"name": name, "owner": owner, "drop": drop}, records=0)

    def work(self) -> None:
        """Carry out every job that is due."""
        for job in self._jobs.due():
            self._touch()
            match job.kind:
                case "contacts":
                    self._import_contacts(job)
                case "insight":
                    self._import_insight(job)
                case "delete":
                    self._delete(job)
                case _:
                    self._empty(job)

    def _check_size(self, service: str, raw: bytes) -> None:
        if len(raw) > self._switches.body_bytes:
            raise v3(413, f"{service}:tooLarge", "The request is larger than 50 MB")

    def _check_active(self, kind: Kind, limit: int) -> None:
        if self._jobs.active(kind) >= limit:
            service = "contacts" if kind == "contacts" else "insightData"
            text = "Your import request cannot be accepted as too many imports are being processed for your account"
            raise v3(429, f"{service}:tooManyActiveImports", text)

    def _accept(self, kind: Kind, body: Record, counted: Sequence[str]) -> str:
        self._touch()
        for key in counted:
            bump(self._upserts.store.imported, key)
        switches = self._switches
        if switches.lost_imports > 0:
            switches.lost_imports -= 1
            return "00000000-0000-4000-8000-000000000000"
        stuck = switches.stuck_imports > 0
        switches.stuck_imports -= stuck
        return self._jobs.add(kind, body, records=len(counted), stuck=stuck)

    def _import_contacts(self, job: Job) -> None:
        contacts: list[Record] = job.body["contacts"]
        given = {str(value) for contact in contacts for value in contact["identifiers"].values()}
        limit = self._switches.contact_limit
        if given & self._switches.poison_ids:
            job.status = self._switches.poison_status
        elif limit is not None and len(self._upserts.store.contacts) + len(contacts) > limit:
            job.status = "ExceedsAllowedContactLimit"
        else:
            work = ContactImport(upserts=self._upserts, switches=self._switches, now=self._clock.now())
            work.run(job.body)
            job.status, job.result = "Finished", work.report()
            self._count([counter_key(contact) for contact in contacts])

    def _import_insight(self, job: Job) -> None:
        body, store = job.body, self._writer.store
        if {str(record.get("key")) for record in body["records"]} & self._switches.poison_ids:
            job.status = "Failed"
            return
        name = body["collectionName"]
        if name not in store.collections and len(store.collections) >= self._switches.collections:
            job.status = "Failed"
            return
        fresh = Collection(name, body["collectionScope"], body["collectionType"])
        collection = store.collections.setdefault(name, fresh)
        job.result = import_records(self._writer, collection, body, switches=self._switches, now=self._clock.now())
        job.status = "Finished"
        self._count([insight_key(name, record.get("key")) for record in body["records"]])

    def _count(self, keys: Sequence[str]) -> None:
        for key in keys:
            bump(self._upserts.store.carried_out, key)

    def _delete(self, job: Job) -> None:
        store = self._upserts.store
        found, failures = {}, []
        deleted: list[Record] = []
        for one in job.body:
            ((name, value),) = one.items()
            possible = identifiers.is_known(store, name) and identifiers.is_possible(name, value)
            contact = store.find(name, value) if possible else None
            if contact is not None and contact.contact_id not in found:
                found[contact.contact_id] = contact
                deleted.append(one)
                continue
            code = "contactNotFound" if possible else identifiers.failure_code(name)
            text = "The contact could not be found" if possible else f"Invalid value for '{name}'"
            failures.append({"identifier": one, "failures": [failure(code, text)]})
        store.remove(list(found.values()))
        unknown = sum(entry["failures"][0]["failureCode"] == "contactNotFound" for entry in failures)
        summary = {
            "requestedContacts": len(job.body),
            "deletedContacts": len(deleted),
            "unknownContacts": unknown,
            "invalidEntries": len(failures) - unknown,
        }
        job.status, job.result = "Finished", {"summary": summary, "deleted": deleted, "failures": failures}

    def _empty(self, job: Job) -> None:
        collection = self._writer.store.collections.get(job.body["name"])
        owner = job.body["owner"]
        total = 0
        if collection is not None:
            keys = [key for key, row in collection.records.items() if owner in (None, row.owner)]
            for key in keys:
                del collection.records[key]
            total = len(keys)
            if job.body["drop"]:
                del self._writer.store.collections[collection.name]
        summary = {"totalRecords": total, "totalProcessed": total, "totalFailed": 0}
        job.status, job.result = "Finished", {"summary": summary}


def check_collection(name: Any, scope: Any, kind: Any) -> str:
    """The name of a collection, when it, its scope and its type are possible.

    Raises:
        ProblemError: 400 `insightData:invalidId` for the name, `insightData:badJson` for the other two.
    """
    if not isinstance(name, str) or not COLLECTION_NAME.fullmatch(name):
        raise invalid_id("insightData", "collectionName", str(name))
    if scope not in SCOPES:
        raise bad_json("insightData", ("collectionScope", "Invalid value"))
    if kind not in TYPES:
        raise bad_json("insightData", ("collectionType", "Invalid value"))
    return name
