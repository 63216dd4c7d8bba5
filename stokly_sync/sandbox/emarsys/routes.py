"""The application: token endpoint, Core API under both versions, Sales Data API, and the test-only routes.

Belongs here: which path leads where. v2 and v3 differ in credentials alone, and a trailing slash makes no
difference, but for the token URL, which must not have one. Source: Emarsys API contract 1.1, 1.3.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from stokly_sync.sandbox.emarsys.access import basic_credentials, is_client
from stokly_sync.sandbox.emarsys.contact_reads import ContactReads
from stokly_sync.sandbox.emarsys.contact_writes import ContactWrites
from stokly_sync.sandbox.emarsys.envelope import reply
from stokly_sync.sandbox.emarsys.event_calls import EventCalls
from stokly_sync.sandbox.emarsys.export_calls import ExportCalls
from stokly_sync.sandbox.emarsys.field_calls import FieldCalls
from stokly_sync.sandbox.emarsys.guard import V2, V3, guarded
from stokly_sync.sandbox.emarsys.inspection import inspection_routes
from stokly_sync.sandbox.emarsys.list_calls import ListCalls
from stokly_sync.sandbox.emarsys.sales_calls import sales_routes
from stokly_sync.sandbox.kit import JsonResponse

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox


def build_app(system: "EmarsysSandbox") -> Starlette:
    """The application of one sandbox."""
    parts = (ContactWrites, ContactReads, FieldCalls, ListCalls, EventCalls, ExportCalls)
    routes: list[Route] = []
    for row in [row for part in parts for row in part(system).table()]:
        method, path, _permission, _handler = row
        for prefix in (V2, V3):
            handler = guarded(system, row, prefix=prefix)
            routes += [Route(prefix + path + end, handler, methods=[method]) for end in ("", "/")]
    app = Starlette(
        routes=[*routes, *_open_routes(system), *sales_routes(system), *inspection_routes(system)],
        exception_handlers={HTTPException: _not_served},
    )
    app.router.redirect_slashes = False
    return app


def _open_routes(system: "EmarsysSandbox") -> list[Route]:
    async def token(request: Request) -> Response:
        if not is_client(basic_credentials(request.headers.get("Authorization", "")), system.switches):
            return _oauth_error("invalid_client", 401, {"WWW-Authenticate": "Basic"})
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return _oauth_error("invalid_request", 400)
        if dict(parse_qsl((await request.body()).decode("latin-1"))).get("grant_type") != "client_credentials":
            return _oauth_error("unsupported_grant_type", 400)
        content: dict[str, Any] = {"access_token": system.access.issue(), "token_type": "bearer"}
        if system.switches.announce_expiry:
            content["expires_in"] = system.switches.token_lifetime
        return JsonResponse(content, headers={"Cache-Control": "no-store"})

    async def health(_request: Request) -> Response:
        return PlainTextResponse("OK")

    return [Route("/oauth2/token", token, methods=["POST"]), Route("/healthcheck", health)]


def _oauth_error(error: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return JsonResponse({"error": error}, status, headers)


async def _not_served(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if not request.url.path.startswith("/api/"):
        return PlainTextResponse("Not Found" if status == 404 else "Method Not Allowed", status)
    return reply("", code=1, text=f"Action {request.url.path.rsplit('/', maxsplit=1)[-1]} is invalid.", status=status)
