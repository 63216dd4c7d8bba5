"""The vendor's routes below `/v2`: push, its errors, the lists, unsubscribes and deletion requests.

Belongs here: HTTP in and out. Rules on records are in `push`, `intake` and `validation`; what a list
shows, in `reading`. Source: Ometria API contract 2 (write path), 3 (deletion) and 4 (read-back).
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode
from stokly_sync.sandbox.ometria import reading
from stokly_sync.sandbox.ometria.checks import email as check_email
from stokly_sync.sandbox.ometria.guard import PREFIX, Handler, guarded, problem, too_many
from stokly_sync.sandbox.ometria.inspection import inspection_routes
from stokly_sync.sandbox.ometria.intake import count_pushed
from stokly_sync.sandbox.ometria.push import Record, RefusedError, is_named, read_push
from stokly_sync.sandbox.ometria.store import Stored
from stokly_sync.sandbox.ometria.validation import Problem

if TYPE_CHECKING:
    from stokly_sync.sandbox.ometria.system import OmetriaSandbox


def build_app(system: "OmetriaSandbox") -> Starlette:
    """The application of one sandbox."""
    data_api = DataApi(system)
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/push", data_api.push),
        ("GET", "/push/_errors", data_api.push_errors),
        ("GET", "/contacts", data_api.collections),
        ("GET", "/contacts/{collection}", data_api.contacts),
        ("GET", "/contacts/{collection}/{id}", data_api.contact),
        ("GET", "/products", data_api.products),
        ("GET", "/products/{id}", data_api.product),
        ("GET", "/orders", data_api.orders),
        ("GET", "/orders/{id}", data_api.order),
        ("GET", "/unsubscribes", data_api.unsubscribes),
        ("POST", "/data-deletion-requests", data_api.ask_deletion),
        ("GET", "/data-deletion-requests", data_api.deletions),
        ("GET", "/data-deletion-requests/{id}", data_api.deletion),
    ]
    routes = [Route(PREFIX + path, guarded(system, handler), methods=[verb]) for verb, path, handler in table]
    return Starlette(routes=[*routes, *inspection_routes(system)], exception_handlers={HTTPException: _not_served})


async def _not_served(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem(status, "Not found" if status == 404 else "Method not allowed")


class DataApi:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "OmetriaSandbox") -> None:
        self._system = system

    async def push(self, request: Request) -> Response:
        """Take up to 100 records of one type into the queue (sections 1, 2)."""
        try:
            answer = self._take(await request.body())
        except RefusedError as error:
            answer = problem(400, str(error))
        switches = self._system.switches
        if switches.queue_headers:
            free = max(0, switches.queue_limit - len(self._system.queue))
            answer.headers["X-QueueSize-Limit"] = str(switches.queue_limit)
            answer.headers["X-QueueSize-Remaining"] = str(free)
        return answer

    def _take(self, body: bytes) -> Response:
        system = self._system
        records = read_push(body, switches=system.switches)
        if len(system.queue) + len(records) > system.switches.queue_limit:
            return problem(429, "Too many records waiting")
        refused = [(record, found) for record in records if (found := self._refuses(record)) is not None]
        # By identity: two records of one batch may be equal.
        refused_ids = {id(record) for record, _ in refused}
        accepted = [record for record in records if id(record) not in refused_ids]
        request_id = str(uuid.uuid4())
        system.queue.add(request_id, accepted)
        count_pushed(system.store, accepted)
        system.touch()
        content: dict[str, Any] = {
            "status": "OK" if accepted else "ERROR",
            "request_id": request_id,
            "accepted": len(accepted),
            "rejected": len(refused),
        }
        if refused:
            content["rejected_items"] = [_rejected_item(record, found) for record, found in refused]
        return JsonResponse(content, system.switches.push_status)

    def _refuses(self, record: Record) -> Problem | None:
        """Why a record is refused inside a 2xx answer; only where a switch says that such things happen."""
        switches = self._system.switches
        if is_named(record, switches.reject_inside_ids):
            return Problem.at("id")
        return self._system.intake.check(record) if switches.reject_inside else None

    async def push_errors(self, _request: Request) -> Response:
        """The newest 100 records that failed after they were accepted (section 2)."""
        errors = self._system.errors.newest()
        if self._system.switches.error_shape == "reduced":
            return JsonResponse([error.message for error in errors])
        return JsonResponse(errors)

    async def collections(self, _request: Request) -> Response:
        """How many contacts each collection has (section 4)."""
        shelves = self._system.store.contacts.items()
        return JsonResponse([{"collection": name, "count": len(rows)} for name, rows in shelves if rows])

    async def contacts(self, request: Request) -> Response:
        """The contacts of one collection; 404 for one that nobody wrote to."""
        name = request.path_params["collection"]
        rows = self._system.store.contacts.get(name)
        if not rows:
            return problem(404, "Not found")
        page = reading.page(rows.values(), request.query_params)
        return JsonResponse([reading.show_contact(row, name) for row in page])

    async def contact(self, request: Request) -> Response:
        """One contact."""
        name = request.path_params["collection"]
        shelf = self._system.store.contacts.get(name, {})
        return _one(shelf, request, lambda row: reading.show_contact(row, name))

    async def products(self, request: Request) -> Response:
        """Products, without variants unless they are asked for (section 4)."""
        rows = reading.select_products(self._system.store, request.query_params)
        page = reading.page(rows, request.query_params)
        return JsonResponse([reading.show_product(row) for row in page])

    async def product(self, request: Request) -> Response:
        """One product, variant or not."""
        return _one(self._system.store.products, request, reading.show_product)

    async def orders(self, request: Request) -> Response:
        """Orders, valid or not."""
        page = reading.page(self._system.store.orders.values(), request.query_params)
        return JsonResponse([reading.show_order(row) for row in page])

    async def order(self, request: Request) -> Response:
        """One order."""
        return _one(self._system.store.orders, request, reading.show_order)

    async def unsubscribes(self, request: Request) -> Response:
        """Who opted out, by `since` (from), `before` (exclusive) and `type`; paged like every list."""
        query = request.query_params
        since, before = _instant(query.get("since")), _instant(query.get("before"))
        rows = [
            row
            for row in self._system.store.unsubscribes
            if (since is None or row.timestamp >= since)
            and (before is None or row.timestamp < before)
            and query.get("type", row.type) == row.type
        ]
        limit = min(reading.whole_number(query, "limit", reading.DEFAULT_LIMIT), reading.MAX_LIMIT)
        offset = reading.whole_number(query, "offset", 0)
        return JsonResponse(rows[offset : offset + limit])

    async def ask_deletion(self, request: Request) -> Response:
        """Ask that a person be made anonymous (section 3; at most 6 a minute)."""
        taken = self._system.deletion_limit.take()
        if not taken.allowed:
            return too_many(self._system, taken, "Too many requests")
        try:
            body = decode(await request.body())
        except NotJsonError:
            return problem(400, "Payload invalid: not a JSON document.")
        if not isinstance(body, dict) or check_email(body.get("email")) is not None:
            return problem(400, "Payload invalid: email is required.")
        asked = self._system.deletions.ask(
            email=body["email"],
            comment=str(body.get("comment") or ""),
            delay=self._system.switches.deletion_delay,
        )
        return JsonResponse(asked.show(), 201)

    async def deletions(self, _request: Request) -> Response:
        """Every deletion request."""
        return JsonResponse([request.show() for request in self._system.deletions.requests.values()])

    async def deletion(self, request: Request) -> Response:
        """One deletion request."""
        found = self._system.deletions.requests.get(request.path_params["id"])
        return problem(404, "Not found") if found is None else JsonResponse(found.show())


def _one(shelf: dict[str, Stored], request: Request, show: Callable[[Stored], Record]) -> Response:
    row = shelf.get(request.path_params["id"])
    return problem(404, "Not found") if row is None else JsonResponse(show(row))


def _rejected_item(record: Record, found: Problem) -> dict[str, Any]:
    return {
        "id": record.get("id"),
        "error_message": found.error_message,
        "error_path": found.error_path,
    }


def _instant(given: str | None) -> datetime | None:
    if not given:
        return None
    # A "+" in a query string arrives as a space when the caller did not encode it.
    try:
        instant = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError as error:
        raise reading.BadQueryError("A time must be ISO 8601.") from error
    if instant.tzinfo is None:
        raise reading.BadQueryError("A time must have an offset.")
    return instant
