"""Writing contacts: create, update, delete, merge.

Belongs here: the calls that change contacts and their rules row by row. Rows are taken in order, so that
two rows with one key are a creation and an update. Source: Emarsys API contract 1.7 (create or update,
delete and merge), 6 (checklist).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.emarsys.envelope import (
    Errors,
    RefusedError,
    RowError,
    as_text,
    body_object,
    reply,
    with_errors,
)
from stokly_sync.sandbox.emarsys.fields import EMAIL
from stokly_sync.sandbox.emarsys.guard import Row
from stokly_sync.sandbox.emarsys.keys import BATCH, INTERNAL, NO_KEY, call_key, key_of, key_value, list_for, only_one
from stokly_sync.sandbox.emarsys.store import Contact
from stokly_sync.sandbox.emarsys.values import Value, stored_form

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

COMMANDS = frozenset({"key_id", "contact_list_id", "source_id"})
"""Members beside the fields, in a row or in the single form."""


class ContactWrites:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "EmarsysSandbox") -> None:
        self._system = system

    def table(self) -> list[Row]:
        """Their routes."""
        return [
            ("POST", "/contact", "contact.create", self.create),
            ("PUT", "/contact", "contact.update", self.update),
            ("POST", "/contact/delete", "contact.delete", self.delete),
            ("POST", "/contact/merge", "contact.merge", self.merge),
        ]

    async def create(self, request: Request) -> Response:
        """Create only: rows that exist fail with 2009."""
        return self._write(await body_object(request), create=True, update=False)

    async def update(self, request: Request) -> Response:
        """Update, and with `create_if_not_exists=1` create too."""
        create = request.query_params.get("create_if_not_exists", "0")
        if create not in ("0", "1"):
            raise RefusedError(10001, "create_if_not_exists must be 0 or 1.")
        return self._write(await body_object(request), create=create == "1", update=True)

    def _write(self, body: dict[str, Any], *, create: bool, update: bool) -> Response:
        rows = body.get("contacts")
        if rows is not None and (not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows)):
            raise RefusedError(10001, "contacts must be an array of objects.")
        if rows is not None and len(rows) > BATCH:
            raise RefusedError(1000, f"Batch size limit of {BATCH} contacts exceeded.")
        list_for(self._system, body)
        if rows is None:
            return self._write_single(body, create=create, update=update)
        try:
            key = self._write_key(body, update=update)
        except RowError as error:
            return self._written([], {NO_KEY: error.entry()})
        ids: list[int | str] = []
        errors: Errors = {}
        for row in rows:
            try:
                ids.append(self._row(key, row, body, create=create, update=update))
            except RowError as error:
                errors[as_text(row.get(key)) or ""] = error.entry()
                self._system.store.count("failed")
        return self._written(ids, errors)

    def _write_single(self, body: dict[str, Any], *, create: bool, update: bool) -> Response:
        try:
            key = self._write_key(body, update=update)
            number = self._row(key, body, body, create=create, update=update)
        except RowError as error:
            raise RefusedError(error.code, error.text) from error
        return reply({"id": number})

    def _written(self, ids: list[int | str], errors: Errors) -> Response:
        return reply(with_errors({"ids": ids}, errors, empty=self._system.switches.empty_errors))

    def _write_key(self, body: dict[str, Any], *, update: bool) -> str:
        key = key_of(self._system, body.get("key_id"))
        if key in INTERNAL and not update:
            raise RowError(2004, f"Invalid key field id: {key}")
        return key

    def _row(self, key: str, row: dict[str, Any], body: dict[str, Any], *, create: bool, update: bool) -> int | str:
        """Write one row; the id is text for a contact that was there, a number for a new one (section 1.7)."""
        system = self._system
        value = key_value(key, row.get(key))
        if value in system.switches.refused:
            raise RowError(2007, "The row holds an invalid value.")
        source = self._source(row.get("source_id", body.get("source_id")))
        found = system.store.find(key, value)
        if not found and (not create or key in INTERNAL):
            raise RowError(2008, f"No contact found with the external id: {key}")
        if value in system.switches.racing and not found:
            system.switches.racing.discard(value)
            raise RowError(2009, f"Contact with the external id already exists: {key}")
        if found and not update:
            raise RowError(2009, f"Contact with the external id already exists: {key}")
        values = self._values(key, row)
        contact = only_one(system, key, value) if found else system.store.create(at=system.clock.now(), source=source)
        self._set(contact, values, fresh=not found)
        wanted = list_for(system, body)
        if wanted is not None:
            wanted.members[str(contact.id)] = True
        system.touch()
        return str(contact.id) if found else contact.id

    def _source(self, given: Any) -> str | None:
        if given is None:
            return None
        source = as_text(given)
        if source not in self._system.switches.contact_sources:
            raise RowError(2013, "The contact source does not exist.")
        return source

    def _values(self, key: str, row: dict[str, Any]) -> dict[str, Value | None]:
        fields = self._system.store.fields.by_id
        values: dict[str, Value | None] = {}
        for name, value in row.items():
            if name in COMMANDS or (name == key and key in INTERNAL):
                continue
            field = fields.get(name)
            if field is None:
                raise RowError(2006, f"Invalid field id: {name}")
            values[name] = stored_form(field, value, long_text=self._system.switches.long_text)
        return values

    def _set(self, contact: Contact, values: dict[str, Value | None], *, fresh: bool) -> None:
        system = self._system
        at = system.clock.now()
        changed = [system.store.write(contact, field, value, at=at) for field, value in values.items()]
        contact.writes += 1
        system.store.count("created" if fresh else "updated" if any(changed) else "unchanged")
        email = contact.fields.get(EMAIL)
        if fresh and isinstance(email, str) and email.lower() in {twin.lower() for twin in system.switches.twins}:
            system.twin(contact)

    async def delete(self, request: Request) -> Response:
        """Delete by key; keys that are not unique are skipped. The name of the count is a guess."""
        system = self._system
        body = await body_object(request)
        key = call_key(system, body.get("key_id"))
        list_for(system, body)
        given = body.get(str(body.get("key_id", EMAIL)))
        if not isinstance(given, list):
            raise RefusedError(10001, "The key values must be an array.")
        if len(given) > BATCH:
            raise RefusedError(1000, f"Batch size limit of {BATCH} contacts exceeded.")
        found, errors = self._all_of(key, given)
        for contact in found:
            system.store.remove(contact)
        system.touch()
        status = system.switches.delete_missing_status
        if status != 200 and not found and any("2008" in entry for entry in errors.values()):
            raise RefusedError(2008, f"No contact found with the external id: {key}", status=status)
        return reply(with_errors({"deleted_contacts": len(found)}, errors, empty=system.switches.empty_errors))

    def _all_of(self, key: str, given: Iterable[Any]) -> tuple[list[Contact], Errors]:
        found: dict[int, Contact] = {}
        errors: Errors = {}
        for value in given:
            try:
                contact = only_one(self._system, key, key_value(key, value))
            except RowError as error:
                errors[as_text(value) or ""] = error.entry()
            else:
                found[contact.id] = contact
        return list(found.values()), errors

    async def merge(self, request: Request) -> Response:
        """Overwrite the named fields of the target by the source's; delete the source if asked."""
        system = self._system
        body = await body_object(request)
        key = call_key(system, body.get("key_id"))
        rules = body.get("merge_rules", {})
        if not isinstance(rules, dict) or any(rule != "overwrite" for rule in rules.values()):
            raise RefusedError(10001, "merge_rules must map field ids to overwrite.")
        if not isinstance(body.get("delete_source", False), bool):
            raise RefusedError(10001, "delete_source must be a boolean.")
        try:
            source = only_one(system, key, key_value(key, body.get("source_key_value")))
            target = only_one(system, key, key_value(key, body.get("target_key_value")))
        except RowError as error:
            raise RefusedError(error.code, error.text) from error
        if source is target:
            raise RefusedError(10001, "Source and target are the same contact.")
        unknown = next((field for field in rules if field not in system.store.fields.by_id), None)
        if unknown is not None:
            raise RefusedError(2006, f"Invalid field id: {unknown}")
        at = system.clock.now()
        for field in rules:
            system.store.write(target, field, source.fields.get(field), at=at)
        if body.get("delete_source"):
            system.store.remove(source)
        system.store.count("merged")
        system.touch()
        return reply("")
