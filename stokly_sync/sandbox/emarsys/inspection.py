"""Test-only routes of the Emarsys sandbox, below `/_sandbox/`: no credentials, no limit, no part of the API.

Belongs here: what tests and the demo may look at that the vendor would not show, and what only a person
or the vendor's support could do (opt out, plant a duplicate, revoke tokens, run the catalogue import).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.emarsys.catalogue import catalogue_totals, fetch_catalogue, import_catalogue
from stokly_sync.sandbox.emarsys.fields import OPTIN
from stokly_sync.sandbox.emarsys.sales import sales_totals
from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox


class _Person(msgspec.Struct, forbid_unknown_fields=True):
    email: str


class _Duplicate(msgspec.Struct, forbid_unknown_fields=True):
    key_id: str
    value: str


class _ChoiceField(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    choices: dict[str, str]
    several: bool = False


class _Poll(msgspec.Struct, forbid_unknown_fields=True):
    source: str | None = None


def totals(system: "EmarsysSandbox") -> dict[str, Any]:
    """Counts of everything, with the sums of sales."""
    contacts = system.store.contacts.values()
    counted = [trigger for trigger in system.store.triggers if not trigger.dropped]
    return {
        "contacts": len(contacts),
        "opted_in": sum(1 for contact in contacts if contact.fields.get(OPTIN) == "1"),
        "opted_out": sum(1 for contact in contacts if contact.fields.get(OPTIN) == "2"),
        "rows": system.store.rows,
        "lists": {row.name: len(row.members) for row in system.store.lists.values()},
        "triggers": len(counted),
        "triggers_dropped": len(system.store.triggers) - len(counted),
        "sales": sales_totals(system.sales),
        "catalogue": catalogue_totals(system.catalogue),
    }


def inspection_routes(system: "EmarsysSandbox") -> list[Route]:
    """The routes; GET: totals, contacts, triggers, sales/..., catalogue/...; POST: the deeds of a person."""
    views: dict[str, Callable[[Request], Any]] = {
        "totals": lambda _: totals(system),
        "contacts": lambda _: list(system.store.contacts.values()),
        "triggers": lambda _: system.store.triggers,
        "sales/totals": lambda request: sales_totals(system.sales, request.query_params.get("merchant")),
        "sales/lines": lambda _: system.sales.shown(),
        "sales/uploads": lambda _: system.sales.uploads,
        "catalogue/products": lambda _: list(system.catalogue.products.values()),
        "catalogue/imports": lambda _: system.catalogue.imports,
    }
    deeds: dict[str, Callable[[Any], Any]] = {
        "unsubscribes": lambda body: system.unsubscribe(msgspec.convert(body, _Person).email),
        "duplicates": lambda body: _duplicate(system, msgspec.convert(body, _Duplicate)),
        "choice-fields": lambda body: _choice_field(system, msgspec.convert(body, _ChoiceField)),
        "tokens/revoke": lambda _: system.access.revoke_tokens(),
    }

    async def poll(request: Request) -> Response:
        try:
            asked = msgspec.convert(decode(await request.body() or b"{}"), _Poll)
        except (msgspec.ValidationError, NotJsonError) as error:
            return JsonResponse({"message": str(error)}, 400)
        # Fetched in a thread, since the file may be served by this very loop; imported in the loop, like every change.
        fetched = await asyncio.to_thread(fetch_catalogue, system, asked.source)
        return JsonResponse(import_catalogue(system, fetched))

    return [
        *(Route(f"/_sandbox/{name}", _look(view)) for name, view in views.items()),
        *(Route(f"/_sandbox/{name}", _do(deed), methods=["POST"]) for name, deed in deeds.items()),
        Route("/_sandbox/catalogue/poll", poll, methods=["POST"]),
    ]


def _duplicate(system: "EmarsysSandbox", asked: _Duplicate) -> dict[str, int]:
    return {"id": system.plant_duplicate(asked.key_id, asked.value)}


def _choice_field(system: "EmarsysSandbox", asked: _ChoiceField) -> dict[str, int]:
    kind = "multichoice" if asked.several else "singlechoice"
    return {"id": int(system.store.fields.add(asked.name, kind, choices=asked.choices).id)}


def _look(view: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return JsonResponse(view(request))

    return answer


def _do(deed: Callable[[Any], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            done = deed(decode(await request.body() or b"{}"))
        except (msgspec.ValidationError, NotJsonError, LookupError) as error:
            return JsonResponse({"message": str(error)}, 400)
        return JsonResponse(done) if done is not None else Response(status_code=204)

    return answer
