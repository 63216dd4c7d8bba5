"""`POST /graphql`: what stands in front of the query, and the HTTP layer of errors.

Belongs here: credentials, rate windows, the body of the call. Source: Marketplacer API contract 2.1, 2.2, 2.5; the
bodies of 429 and 503 and of a call without a query are not documented.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from stokly_sync.sandbox.kit import JsonResponse, Taken, retry_after_header
from stokly_sync.sandbox.marketplacer.call import Call
from stokly_sync.sandbox.marketplacer.inspection import inspection_routes
from stokly_sync.sandbox.marketplacer.query import run

if TYPE_CHECKING:
    from stokly_sync.sandbox.marketplacer.system import MarketplacerSandbox

PATH = "/graphql"


def build_app(system: "MarketplacerSandbox") -> Starlette:
    """The application of one sandbox: the one route, and the test-only ones."""

    async def graphql(request: Request) -> Response:
        return _answer(system, request, await request.body())

    return Starlette(
        routes=[Route(PATH, graphql, methods=["POST"]), *inspection_routes(system)],
        exception_handlers={HTTPException: _not_served},
    )


def _answer(system: "MarketplacerSandbox", request: Request, body: bytes) -> Response:
    counted = system.access.count_address(request.client.host if request.client is not None else "")
    if not counted.allowed:
        return _too_many(system, counted)
    if not system.access.basic_passes(request.headers):
        return PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="Application"'})
    principal = system.access.principal(request.headers)
    if principal is None:
        return PlainTextResponse("API Token has expired", 401)
    counted = system.access.count_key(principal)
    if not counted.allowed:
        return _too_many(system, counted)
    return _graphql(Call(system, principal), request, body)


def _too_many(system: "MarketplacerSandbox", taken: Taken) -> Response:
    status = system.switches.too_many
    headers = retry_after_header(system.switches.retry_after, taken.retry_after, system.clock.now())
    return PlainTextResponse(HTTPStatus(status).phrase, status, headers)


def _graphql(call: Call, request: Request, body: bytes) -> Response:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        # Fractions stay floats here: GraphQL's Float takes nothing else, and money comes as text.
        asked: Any = msgspec.json.decode(body) if kind == "application/json" else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return PlainTextResponse("Bad Request", 400)
    asked = asked if isinstance(asked, dict) else {}
    text, variables = asked.get("query"), asked.get("variables") or {}
    if not isinstance(text, str) or not text.strip() or not isinstance(variables, dict):
        return JsonResponse({"errors": [{"message": "No query string was present"}]})
    return JsonResponse(run(call, text, variables, asked.get("operationName")))


async def _not_served(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse(HTTPStatus(status).phrase, status)
