"""What every Core API route has in front of it: credentials, the counter, permissions and sizes.

Belongs here: 401, 403, 413, 429, and the headers of every answer. Source: Emarsys API contract 1.2 to
1.6; the bodies of 403 and 413 are not documented and are plain text here.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stokly_sync.sandbox.emarsys.access import Counted
from stokly_sync.sandbox.emarsys.envelope import RefusedError, reply
from stokly_sync.sandbox.kit import retry_after_header

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

Handler = Callable[[Request], Awaitable[Response]]
Row = tuple[str, str, str, Handler]
"""Method, path below the version, permission, handler."""

V2, V3 = "/api/v2", "/api/v3"
BODY_BYTES = 10_000_000
UPDATE_BYTES = 8_000_000
BEARER_ON_V2 = "/contactlist/{id}/contactIds"
"""The one path of v2 that the vendor's v3 collection still uses (section 1.1)."""


def guarded(system: "EmarsysSandbox", row: Row, *, prefix: str) -> Handler:
    """The handler of a route behind everything that can refuse a call before it is looked at."""
    _method, path, permission, handler = row

    async def answer(request: Request) -> Response:
        begun = time.monotonic()
        user = _user(system, request, bearer=prefix == V3 or path == BEARER_ON_V2, wsse=prefix == V2)
        if user is None:
            return reply("", code=1, text="Credentials are invalid", status=401)
        counted = system.access.count(user)
        response = await _allowed(system, request, counted, permission, handler)
        response.headers.update(
            {
                "X-RateLimit-Limit": str(counted.limit),
                "X-Ratelimit-Remaining": str(counted.remaining),
                "X-RateLimit-Reset": str(counted.reset),
                "X-Suite-Response-Time": str(int((time.monotonic() - begun) * 1000)),
            }
        )
        return response

    return answer


def _user(system: "EmarsysSandbox", request: Request, *, bearer: bool, wsse: bool) -> str | None:
    user = None
    if wsse:
        user = system.access.wsse_user(request.headers.get("X-WSSE") or request.headers.get("WSSE", ""))
    if user is None and bearer:
        user = system.access.bearer_user(request.headers.get("Authorization", ""))
    return user


async def _allowed(
    system: "EmarsysSandbox", request: Request, counted: Counted, permission: str, handler: Handler
) -> Response:
    if not counted.allowed:
        return _too_many(system, counted)
    if not needed(request, permission).isdisjoint(system.switches.denied):
        return PlainTextResponse("Forbidden", 403)
    limit = UPDATE_BYTES if permission == "contact.update" else BODY_BYTES
    if len(await request.body()) > limit:
        return PlainTextResponse("Request Entity Too Large", 413)
    try:
        return await handler(request)
    except RefusedError as error:
        return error.response()


def needed(request: Request, permission: str) -> set[str]:
    """The permissions of a call: an update that may create needs the one to create as well."""
    creates = permission == "contact.update" and request.query_params.get("create_if_not_exists") == "1"
    return {permission, "contact.create"} if creates else {permission}


def _too_many(system: "EmarsysSandbox", counted: Counted) -> Response:
    headers = retry_after_header(system.switches.retry_after, counted.wait, system.clock.now())
    text = "Your application has made too many requests in too short a time."
    if system.switches.too_many == "text":
        return PlainTextResponse(text, 429, headers)
    response = reply("", code=7003, text=text, status=429)
    response.headers.update(headers)
    return response
