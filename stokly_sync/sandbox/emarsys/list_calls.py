"""The calls about contact lists.

Belongs here: making lists, filling them, counting and paging them. Source: Emarsys API contract 1.7
(contact lists), 1.6 (10,000 ids a call). That an unknown list is 404, and the pages' shape, are guesses.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

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
from stokly_sync.sandbox.emarsys.guard import BEARER_ON_V2, Row
from stokly_sync.sandbox.emarsys.keys import call_key, external_ids, key_value, only_one
from stokly_sync.sandbox.emarsys.store import ContactList

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

T = TypeVar("T")

IDS = 10_000
PAGE = 1_000_000
TOP = 100_000


class ListCalls:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "EmarsysSandbox") -> None:
        self._system = system

    def table(self) -> list[Row]:
        """Their routes."""
        return [
            ("GET", "/contactlist", "contactlist.list", self.lists),
            ("POST", "/contactlist", "contactlist.create", self.create),
            ("POST", "/contactlist/{id}/add", "contactlist.add", self.add),
            ("POST", "/contactlist/{id}/delete", "contactlist.delete", self.take_out),
            ("POST", "/contactlist/{id}/replace", "contactlist.replace", self.replace),
            ("POST", "/contactlist/{id}/deletelist", "contactlist.deletelist", self.delete_list),
            ("POST", "/contactlist/{id}/rename", "contactlist.rename", self.rename),
            ("GET", "/contactlist/{id}/count", "contactlist.count", self.count),
            ("GET", BEARER_ON_V2, "contactlist.get", self.contact_ids),
            ("GET", "/contactlist/{id}/contacts/data", "contactlist.get", self.data),
            ("GET", "/contactlist/{id}", "contactlist.get", self.members),
        ]

    async def lists(self, _request: Request) -> Response:
        """Every list, its id as text."""
        found = self._system.store.lists.values()
        return reply([{"id": str(row.id), "name": row.name, "created": _stamp(row)} for row in found])

    async def create(self, request: Request) -> Response:
        """Make a list, with contacts if they are named; 3005 if the name is taken."""
        system = self._system
        body = await body_object(request)
        name = body.get("name")
        if not isinstance(name, str) or not name.strip():
            raise RefusedError(3001, "The name of the list is missing.")
        key = call_key(system, body.get("key_id"))
        ids = external_ids({"external_ids": [], **body}, limit=IDS, code=3002)
        if any(row.name == name for row in system.store.lists.values()):
            raise RefusedError(3005, "A contact list of that name exists.")
        number = system.store.next_id()
        made = ContactList(number, name, str(body.get("description") or ""), system.clock.now())
        system.store.lists[number] = made
        system.touch()
        _, errors = self._each(key, ids, lambda contact: _put_in(made, contact))
        return reply(with_errors({"id": number}, errors, empty=system.switches.empty_errors))

    async def add(self, request: Request) -> Response:
        """Put contacts into a list; `inserted_contacts` counts those that were not in it."""
        found = self._list(request, missing=400)
        return await self._edit(request, "inserted_contacts", lambda contact: _put_in(found, contact))

    async def take_out(self, request: Request) -> Response:
        """Take contacts out of a list."""
        found = self._list(request, missing=400)
        return await self._edit(
            request, "deleted_contacts", lambda contact: found.members.pop(contact, None) is not None
        )

    async def replace(self, request: Request) -> Response:
        """Make the named contacts the only ones of a list."""
        found = self._list(request, missing=400)
        fresh = ContactList(found.id, found.name, found.description, found.created)
        answer = await self._edit(request, "inserted_contacts", lambda contact: _put_in(fresh, contact))
        found.members = fresh.members
        return answer

    async def _edit(self, request: Request, count: str, change: Callable[[str], bool]) -> Response:
        system = self._system
        body = await body_object(request)
        key = call_key(system, body.get("key_id"))
        done, errors = self._each(key, external_ids(body, limit=IDS, code=3002), change)
        system.touch()
        return reply(with_errors({count: done}, errors, empty=system.switches.empty_errors))

    def _each(self, key: str, ids: list[Any], change: Callable[[str], bool]) -> tuple[int, Errors]:
        done = 0
        errors: Errors = {}
        for given in ids:
            try:
                done += change(str(only_one(self._system, key, key_value(key, given)).id))
            except RowError as error:
                errors[as_text(given) or ""] = error.entry()
        return done, errors

    async def delete_list(self, request: Request) -> Response:
        """Delete a list; its contacts stay."""
        del self._system.store.lists[self._list(request).id]
        self._system.touch()
        return reply("")

    async def rename(self, request: Request) -> Response:
        """Give a list another name."""
        found = self._list(request)
        name = (await body_object(request)).get("name")
        if not isinstance(name, str) or not name.strip():
            raise RefusedError(3001, "The name of the list is missing.")
        if any(row.name == name and row is not found for row in self._system.store.lists.values()):
            raise RefusedError(3005, "A contact list of that name exists.")
        found.name = name
        self._system.touch()
        return reply({"id": found.id, "name": name})

    async def count(self, request: Request) -> Response:
        """How many contacts a list has, as a bare number."""
        return reply(len(self._list(request).members))

    async def members(self, request: Request) -> Response:
        """Contact ids of a list, as texts."""
        return reply(_page(list(self._list(request).members), request))

    async def contact_ids(self, request: Request) -> Response:
        """Contact ids page by page; `next` is null on the last page."""
        found = self._list(request)
        top = whole_number(request.query_params.get("$top"), TOP - 1)
        skip = whole_number(request.query_params.get("$skiptoken"), 0)
        if top is None or not 1 <= top < TOP or skip is None:
            raise RefusedError(10001, f"$top must be below {TOP}.")
        ids = list(found.members)
        after = skip + top
        following = f"{request.url.path}?$skiptoken={after}&$top={top}" if after < len(ids) else None
        return reply({"value": ids[skip:after], "next": following})

    async def data(self, request: Request) -> Response:
        """Field values of the contacts of a list, by contact id."""
        found = self._list(request)
        fields = [field for field in request.query_params.get("fields", "").split(",") if field]
        if not fields or any(field not in self._system.store.fields.by_id for field in fields):
            raise RefusedError(10001, "fields must name existing field ids.")
        contacts = _page(list(self._system.store.members(found)), request)
        return reply({str(contact.id): {"fields": contact.shown(fields)} for contact in contacts})

    def _list(self, request: Request, *, missing: int = 404) -> ContactList:
        given: str = request.path_params["id"]
        if not (given.isascii() and given.isdecimal()):
            action = request.url.path.rsplit("/", maxsplit=1)[-1]
            raise RefusedError(1, f"Action {action} is invalid.")
        found = self._system.store.lists.get(int(given))
        if found is None:
            raise RefusedError(3004, "No contact list found with the given id.", status=missing)
        return found


def _put_in(found: ContactList, contact: str) -> bool:
    before = len(found.members)
    found.members[contact] = True
    return len(found.members) > before


def _page(rows: list[T], request: Request) -> list[T]:
    limit = whole_number(request.query_params.get("limit"), PAGE)
    offset = whole_number(request.query_params.get("offset"), 0)
    if limit is None or not 1 <= limit <= PAGE or offset is None:
        raise RefusedError(10001, f"limit must be between 1 and {PAGE}, offset zero or more.")
    return rows[offset : offset + limit]


def _stamp(row: ContactList) -> str:
    return row.created.strftime("%Y-%m-%d %H:%M:%S")
