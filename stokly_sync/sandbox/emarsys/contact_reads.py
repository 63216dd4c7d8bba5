"""Reading contacts: getdata, checkids, query and last_change.

Belongs here: the calls that change nothing. Source: Emarsys API contract 1.7 (read).
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.emarsys.access import VIENNA
from stokly_sync.sandbox.emarsys.envelope import (
    Errors,
    RefusedError,
    RowError,
    as_text,
    body_object,
    reply,
    whole_number,
    with_errors,
)
from stokly_sync.sandbox.emarsys.guard import Row
from stokly_sync.sandbox.emarsys.keys import BATCH, call_key, external_ids, is_indexed, key_value, only_one
from stokly_sync.sandbox.emarsys.store import Contact

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

PAGE = 10_000


class ContactReads:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "EmarsysSandbox") -> None:
        self._system = system

    def table(self) -> list[Row]:
        """Their routes; the query also has a form with its parameters in the path."""
        return [
            ("POST", "/contact/getdata", "contact.getdata", self.getdata),
            ("POST", "/contact/checkids", "contact.checkids", self.checkids),
            ("POST", "/contact/last_change", "contact.last_change", self.last_change),
            ("GET", "/contact/query", "contact.query", self.query),
            ("GET", "/contact/query/{expression}", "contact.query", self.query),
        ]

    async def getdata(self, request: Request) -> Response:
        """Fields of up to 1,000 contacts; `result` is false when nobody was found."""
        system = self._system
        body = await body_object(request)
        key = call_key(system, body.get("keyId"))
        values = _batch(body, "keyValues")
        asked = body.get("fields") or list(system.store.fields.by_id)
        fields = [as_text(field) for field in asked] if isinstance(asked, list) else [None]
        wanted = [field for field in fields if field is not None and field in system.store.fields.by_id]
        if len(wanted) != len(fields):
            raise RefusedError(10001, "fields must be an array of existing field ids.")
        result, errors = [], []
        for given in values:
            try:
                result.append(only_one(system, key, key_value(key, given)).shown(wanted))
            except RowError as error:
                errors.append({"key": as_text(given) or "", "errorCode": str(error.code), "errorMsg": error.text})
        return reply({"errors": errors, "result": result or False})

    async def checkids(self, request: Request) -> Response:
        """Internal ids by key; with `get_multiple_ids` a key of several contacts has a list."""
        system = self._system
        body = await body_object(request)
        key = call_key(system, body.get("key_id"))
        several = body.get("get_multiple_ids", False)
        if not isinstance(several, bool):
            raise RefusedError(10001, "get_multiple_ids must be a boolean.")
        ids: dict[str, str | list[str]] = {}
        errors: Errors = {}
        for given in external_ids(body, limit=BATCH, code=2002):
            name = as_text(given) or ""
            try:
                value = key_value(key, given)
                found = system.store.find(key, value)
                if several and len(found) > 1:
                    ids[name] = [str(contact.id) for contact in found]
                else:
                    ids[name] = str(only_one(system, key, value).id)
            except RowError as error:
                errors[name] = error.entry()
        return reply(with_errors({"ids": ids}, errors, empty=system.switches.empty_errors))

    async def last_change(self, request: Request) -> Response:
        """Old and new value of one field and when it last changed (Vienna time, as all stamps of the suite)."""
        system = self._system
        body = await body_object(request)
        key = call_key(system, body.get("keyId"))
        field = as_text(body.get("fieldId"))
        if field not in system.store.fields.by_id:
            raise RefusedError(2006, f"Invalid field id: {field}")
        result: dict[str, Any] = {}
        errors: Errors = {}
        for given in _batch(body, "keyValues"):
            name = as_text(given) or ""
            try:
                contact = only_one(system, key, key_value(key, given))
            except RowError as error:
                errors[name] = error.entry()
                continue
            change = contact.changes.get(field)
            result[name] = {
                "old_value": change.old if change else None,
                "current_value": contact.fields.get(field),
                "time": change.at.astimezone(VIENNA).strftime("%Y-%m-%d %H:%M:%S") if change else None,
            }
        return reply(with_errors({"result": result}, errors, empty=system.switches.empty_errors))

    async def query(self, request: Request) -> Response:
        """Contacts page by page, or with no `return` the one internal id of a key."""
        expression = request.path_params.get("expression", request.url.query)
        asked = dict(parse_qsl(expression, keep_blank_values=True))
        filters = {name: value for name, value in asked.items() if name not in _PARAMETERS}
        if "return" not in asked:
            return self._one_id(filters)
        limit = whole_number(asked.get("limit"), PAGE)
        offset = whole_number(asked.get("offset"), 0)
        if limit is None or not 1 <= limit <= PAGE or offset is None:
            raise RefusedError(2016, f"limit must be between 1 and {PAGE}, offset zero or more.")
        rows = self._filtered(asked["return"], filters, without_empty=asked.get("excludeempty") == "true")
        return reply({"errors": [], "result": list(islice(rows, offset, offset + limit))})

    def _one_id(self, filters: dict[str, str]) -> Response:
        if len(filters) != 1:
            raise RefusedError(2014, "The return field is missing.")
        ((name, value),) = filters.items()
        key = call_key(self._system, name)
        try:
            return reply({"id": only_one(self._system, key, key_value(key, value)).id})
        except RowError as error:
            raise RefusedError(error.code, error.text) from error

    def _filtered(self, field: str, filters: dict[str, str], *, without_empty: bool) -> Iterator[dict[str, Any]]:
        system = self._system
        unknown = next((name for name in (field, *filters) if name not in system.store.fields.by_id), None)
        if unknown is not None:
            raise RefusedError(2006, f"Invalid field id: {unknown}", status=400)
        slow = next((name for name in filters if not is_indexed(system, name)), None)
        if slow is not None:
            raise RefusedError(2015, f"Field {slow} is not indexed.")
        contacts: Iterable[Contact] = system.store.contacts.values()
        for name, value in filters.items():
            contacts = self._matching(contacts, name, value)
        return (
            {"id": contact.id, field: contact.fields.get(field)}
            for contact in contacts
            if field in contact.fields or not without_empty
        )

    def _matching(self, contacts: Iterable[Contact], name: str, value: str) -> list[Contact]:
        # An empty filter value also matches null (section 1.7).
        if not value:
            return [contact for contact in contacts if name not in contact.fields]
        found = {contact.id for contact in self._system.store.find(name, value)}
        return [contact for contact in contacts if contact.id in found]


_PARAMETERS = frozenset({"return", "limit", "offset", "excludeempty"})


def _batch(body: dict[str, Any], name: str) -> list[Any]:
    given = body.get(name)
    if not isinstance(given, list) or len(given) > BATCH:
        raise RefusedError(10001, f"{name} must be an array of at most {BATCH} values.")
    return given
