"""The account: discovery, data fields, lists, custom identifiers and the number of contacts.

Belongs here: HTTP in and out of what is set up once. Source: Dotdigital API contract 1 (discovery), 2
(data fields, lists, identifier types) and 6 (contact count).
"""

import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stokly_sync.sandbox.dotdigital.bodies import decoded
from stokly_sync.sandbox.dotdigital.guard import api_endpoint
from stokly_sync.sandbox.dotdigital.identifiers import BUILT_IN, IDENTIFIER_NAME
from stokly_sync.sandbox.dotdigital.paging import select_page
from stokly_sync.sandbox.dotdigital.problems import v2, v3
from stokly_sync.sandbox.dotdigital.reading import show_list, show_time
from stokly_sync.sandbox.dotdigital.store import (
    ALL_CONTACTS,
    BUILT_IN_FIELDS,
    TEST_LIST,
    AddressBook,
    DataField,
    index_key,
)
from stokly_sync.sandbox.dotdigital.upserts import is_of_type
from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode

if TYPE_CHECKING:
    from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox

FIELD_NAME = re.compile(r"[a-zA-Z0-9_-]{1,20}")
FIELD_TYPES = ("String", "Numeric", "Date", "Boolean")
VISIBILITIES = ("Private", "Public")
LONGEST_LIST_NAME = 128


async def old_body(request: Request) -> dict[str, Any]:
    """The JSON object of a v2 request.

    Raises:
        ProblemError: 400 `ERROR_MALFORMED_REQUEST`.
    """
    try:
        body = decode(await request.body())
    except NotJsonError as error:
        raise v2(400, "ERROR_MALFORMED_REQUEST") from error
    if not isinstance(body, dict):
        raise v2(400, "ERROR_MALFORMED_REQUEST")
    return body


class AccountRoutes:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "DotdigitalSandbox") -> None:
        self._system = system

    async def info(self, request: Request) -> Response:
        """The account's properties, all of them text, with the host to use (section 1)."""
        system = self._system
        used = system.limits.hour.used()
        properties = {
            "AvailableEmailSendsCredits": ("Int", "1000"),
            "Name": ("String", "Sandbox"),
            "MainEmail": ("String", "sandbox@example.com"),
            "ApiCallsInLastHour": ("Int", str(used)),
            "ApiCallsRemaining": ("Int", str(max(0, system.switches.flat_per_hour - used))),
            "ApiEndpoint": ("String", api_endpoint(system, request)),
            "CurrencyCode": ("String", "GBP"),
            "TimeZoneIana": ("String", "Europe/London"),
        }
        rows = [{"name": name, "type": kind, "value": value} for name, (kind, value) in properties.items()]
        return JsonResponse({"id": 1, "properties": rows})

    async def server_time(self, _request: Request) -> Response:
        """The sandbox's time as text."""
        return PlainTextResponse(self._system.clock.now().isoformat(sep=" "))

    async def fields(self, _request: Request) -> Response:
        """Every data field, built-in ones first."""
        return JsonResponse(list(self._system.store.fields.values()))

    async def add_field(self, request: Request) -> Response:
        """Create a data field (section 2)."""
        store, body = self._system.store, await old_body(request)
        name, kind = body.get("name"), body.get("type")
        visibility, default = body.get("visibility", "Private"), body.get("defaultValue")
        named = isinstance(name, str) and FIELD_NAME.fullmatch(name)
        if not named or kind not in FIELD_TYPES or visibility not in VISIBILITIES:
            raise v2(400, "ERROR_DATAFIELD_INVALID")
        if default is not None and not is_of_type(kind, default):
            raise v2(400, "ERROR_DATAFIELD_INVALID")
        if store.find_field(str(name), exact=self._system.switches.exact_field_names) is not None:
            raise v2(400, "ERROR_NON_UNIQUE_DATAFIELD")
        field = store.fields[str(name)] = DataField(str(name), kind, visibility, default)
        self._system.touch()
        return JsonResponse(field, 201)

    async def drop_field(self, request: Request) -> Response:
        """Delete a data field and its values; a built-in one stays."""
        store = self._system.store
        field = store.find_field(request.path_params["name"], exact=self._system.switches.exact_field_names)
        if field is None:
            raise v2(404, "ERROR_DATAFIELD_NOTFOUND")
        if field.name in BUILT_IN_FIELDS:
            return JsonResponse({"dependencies": ["Built-in data field"], "result": False})
        del store.fields[field.name]
        for contact in store.contacts.values():
            contact.fields.pop(field.name, None)
        self._system.touch()
        return JsonResponse({"dependencies": None, "result": True})

    async def lists(self, request: Request) -> Response:
        """Every list with its size."""
        store = self._system.store
        page = select_page(request.query_params, list(store.lists.values()))
        return JsonResponse([show_list(store, book) for book in page])

    async def one_list(self, request: Request) -> Response:
        """One list with its size."""
        return JsonResponse(show_list(self._system.store, self._book(request)))

    async def add_list(self, request: Request) -> Response:
        """Create a list; names are taken once, `Test` and `All Contacts` by the account itself."""
        store, body = self._system.store, await old_body(request)
        name, visibility = body.get("name"), body.get("visibility", "Private")
        if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_LIST_NAME or visibility not in VISIBILITIES:
            raise v2(400, "ERROR_ADDRESSBOOK_INVALID")
        if any(book.name.lower() == name.lower() for book in store.lists.values()):
            raise v2(400, "ERROR_ADDRESSBOOK_DUPLICATE")
        book = AddressBook(store.next_number(), name, visibility)
        store.lists[book.id] = book
        self._system.touch()
        return JsonResponse(show_list(store, book), self._system.switches.list_created_status)

    async def drop_list(self, request: Request) -> Response:
        """Delete a list, but none of its contacts."""
        book = self._book(request)
        if book.id in (TEST_LIST, ALL_CONTACTS):
            raise v2(400, "ERROR_ADDRESSBOOK_NOTWRITABLE")
        del self._system.store.lists[book.id]
        for contact in self._system.store.contacts.values():
            if book.id in contact.lists:
                contact.lists.remove(book.id)
        self._system.touch()
        return Response(status_code=204)

    async def identifiers(self, _request: Request) -> Response:
        """Every custom identifier."""
        known = self._system.store.custom_identifiers
        return JsonResponse([_identifier(self._system, name) for name in known])

    async def add_identifier(self, request: Request) -> Response:
        """Create a custom identifier: 400 for the name, 409 if it exists, 412 at the account's limit."""
        known = self._system.store.custom_identifiers
        body = decoded(await request.body(), "customIdentifiers")
        name = body.get("name") if isinstance(body, dict) else None
        if isinstance(name, str) and len(name) > 50:
            text = "The custom identifier is too long. It must be at most 50 characters."
            raise v3(400, "customIdentifiers:nameTooLong", text)
        if not isinstance(name, str) or not IDENTIFIER_NAME.fullmatch(name):
            raise v3(400, "customIdentifiers:badJson", "The request JSON is badly formed", ("name", "Invalid value"))
        if name in known or name in BUILT_IN:
            raise v3(409, "customIdentifiers:nameAlreadyExists", "The custom identifier already exists.")
        if len(known) >= self._system.switches.custom_identifiers:
            return Response(status_code=412)
        known[name] = self._system.clock.now()
        self._system.touch()
        return JsonResponse(_identifier(self._system, name), 201)

    async def drop_identifier(self, request: Request) -> Response:
        """Delete a custom identifier from the account and from every contact."""
        store, name = self._system.store, request.path_params["name"]
        if name not in store.custom_identifiers:
            raise v3(404, "customIdentifiers:notExist", "The custom identifier does not exist.")
        del store.custom_identifiers[name]
        for contact in store.contacts.values():
            value = contact.identifiers.pop(name, None)
            if value is not None:
                store.index.pop(index_key(name, value), None)
        self._system.touch()
        return Response(status_code=204)

    async def count(self, _request: Request) -> Response:
        """The number of contacts, as text (section 6)."""
        return PlainTextResponse(str(len(self._system.store.contacts)))

    def _book(self, request: Request) -> AddressBook:
        book = self._system.store.lists.get(request.path_params["id"])
        if book is None:
            raise v2(404, "ERROR_ADDRESSBOOK_NOT_FOUND")
        return book


def _identifier(system: "DotdigitalSandbox", name: str) -> dict[str, str]:
    created = show_time(system.store.custom_identifiers[name])
    return {"name": name, "created": created, "updated": created}
