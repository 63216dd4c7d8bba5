"""A call of the API as a route: matching its path, and everything in front of and behind its handler.

Belongs here: the order of the checks (store, media type of the answer, caller, body), the three ways of
processing, `fields`, and how answers and refusals are written. Source: Magento API contract 3, 5, 12.
"""

import re
import secrets
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode
from stokly_sync.sandbox.magento.address import DEFAULT, Address, Mode, address_of
from stokly_sync.sandbox.magento.answers import as_xml
from stokly_sync.sandbox.magento.bulk import queue_bulk, queue_one
from stokly_sync.sandbox.magento.call import Call, Spec
from stokly_sync.sandbox.magento.errors import CRASH, NO_ROUTE, NOT_PROCESSED, CrashError, MagentoError
from stokly_sync.sandbox.magento.figures import wire
from stokly_sync.sandbox.magento.oauth import Asked
from stokly_sync.sandbox.magento.query import parse_fields, parse_query, trimmed
from stokly_sync.sandbox.magento.shapes import arguments

if TYPE_CHECKING:
    from starlette.datastructures import URLPath

    from stokly_sync.sandbox.magento.system import MagentoSandbox

_PARAMETER = re.compile(r"\{(\w+)\}")
_JSON = ("*/*", "application/*", "application/json")
_PREFIX: dict[Mode, str] = {"sync": "/V1/", "async": "/async/V1/", "bulk": "/async/bulk/V1/"}


class Endpoint(BaseRoute):
    """One call in one way of processing; `path` is the name under which it is counted."""

    def __init__(self, system: "MagentoSandbox", spec: Spec, mode: Mode) -> None:
        pattern = spec.path
        if mode == "bulk":
            pattern = _PARAMETER.sub(lambda found: f"by{found.group(1)[:1].upper()}{found.group(1)[1:]}", pattern)
        self.path = _PREFIX[mode] + pattern
        self._parts = ("V1", *pattern.split("/"))
        self._system = system
        self._spec = spec
        self._mode = mode

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the request is for this call; wrong methods match nothing (section 5)."""
        address = address_of(scope) if scope["type"] == "http" else None
        if address is None or address.mode != self._mode or scope["method"] != self._spec.method:
            return Match.NONE, {}
        if len(address.parts) != len(self._parts):
            return Match.NONE, {}
        params: dict[str, str] = {}
        for part, wanted in zip(address.parts, self._parts, strict=True):
            if wanted.startswith("{"):
                params[wanted.strip("{}")] = part
            elif part != wanted:
                return Match.NONE, {}
        return Match.FULL, {"path_params": params, "route": self}

    def url_path_for(self, name: str, /, **path_params: Any) -> "URLPath":
        """No address is ever made from a name here."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await answer(self._system, request, self._do)
        await response(scope, receive, send)

    async def _do(self, request: Request, address: Address) -> tuple[Any, int]:
        spec, system = self._spec, self._system
        user = 0
        if spec.resource:
            asked = Asked(
                method=spec.method,
                origin=f"{request.url.scheme}://{request.headers['host']}",
                path=address.raw_path,
                query=request.scope["query_string"].decode("latin-1"),
            )
            later = spec.later_resource if system.switches.release == "2.4.8" else ""
            header = request.headers.get("Authorization", "")
            user = system.access.check(header, asked, resource=later or spec.resource)
        body = await _body(request)
        query = parse_query(request.scope["query_string"].decode("latin-1"))
        store = address.store or DEFAULT
        if self._mode == "bulk":
            return queue_bulk(system, spec, body, store=store, user=user), 202
        if self._mode == "async":
            return queue_one(system, spec, body, dict(request.path_params), store=store, user=user), 202
        checked = arguments(body, spec.body, limit=system.switches.array_limit)
        done = spec.handler(Call(system, dict(request.path_params), checked, query, store, user))
        if spec.method != "GET":
            system.touch()
        return done, 200


async def not_found(system: "MagentoSandbox", request: Request) -> Response:
    """The answer to a path or method that is no call."""

    async def refuse(request: Request, address: Address) -> tuple[Any, int]:
        if address.mode != "sync" and request.method == "GET":
            raise MagentoError(NOT_PROCESSED)
        raise MagentoError(NO_ROUTE, status=404)

    if address_of(request.scope) is None:
        return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", 404)
    return await answer(system, request, refuse)


async def answer(system: "MagentoSandbox", request: Request, do: Any) -> Response:
    """The response to a request below `/rest`, whatever becomes of it."""
    address = address_of(request.scope)
    kind = _media_type(request)
    if kind is None or address is None:
        return HTMLResponse("<html><body><h1>An error has happened</h1></body></html>", 500)
    try:
        if address.store is not None and address.store not in system.store_codes:
            raise MagentoError(NOT_PROCESSED)
        content, status = await do(request, address)
    except MagentoError as error:
        return _written(error.body(), error.status, kind)
    except CrashError:
        return PlainTextResponse(CRASH, 500)
    wanted = request.query_params.get("fields")
    if wanted is not None and isinstance(content, dict | list):
        names = parse_fields(wanted)
        content = trimmed(content, names) if names is not None else []
    return _written(content, status, kind)


def _media_type(request: Request) -> str | None:
    accepted = [part.partition(";")[0].strip() for part in request.headers.get("Accept", "*/*").split(",")]
    for kind in accepted:
        if kind in _JSON:
            return "json"
        if kind == "application/xml":
            return "xml"
    return None


async def _body(request: Request) -> Any:
    content = await request.body()
    if not content:
        return None
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise MagentoError(f"Server cannot understand Content-Type HTTP header media type {kind}")
    try:
        return decode(content)
    except NotJsonError as error:
        raise MagentoError("Decoding error.") from error


def _written(content: Any, status: int, kind: str) -> Response:
    headers = {
        "Cache-Control": "no-store",
        "Set-Cookie": f"PHPSESSID={secrets.token_hex(13)}; path=/; HttpOnly; SameSite=Lax",
    }
    if kind == "xml":
        return Response(as_xml(wire(content)), status, headers, media_type="application/xml; charset=utf-8")
    return JsonResponse(wire(content), status, headers, media_type="application/json; charset=utf-8")
