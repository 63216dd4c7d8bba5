"""What every vendor route has in front of it: the key, the rate limit, and the shape of an error.

Belongs here: 403, 429 and the body of every answer that is no success. Source: Ometria API contract 1
(auth, limits) and 5 (HTTP errors).
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.kit import JsonResponse, Taken, retry_after_header
from stokly_sync.sandbox.ometria.push import RefusedError
from stokly_sync.sandbox.ometria.reading import BadQueryError

if TYPE_CHECKING:
    from stokly_sync.sandbox.ometria.system import OmetriaSandbox

Handler = Callable[[Request], Awaitable[Response]]
PREFIX = "/v2"


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """An answer that is no success; the body's shape is not documented by the vendor."""
    return JsonResponse({"status": "ERROR", "message": message}, status, headers)


def too_many(system: "OmetriaSandbox", taken: Taken, message: str) -> Response:
    """A 429, with `Retry-After` in the form that is switched on (documented is none)."""
    headers = retry_after_header(system.switches.retry_after, taken.retry_after, system.clock.now())
    return problem(429, message, headers)


def guarded(system: "OmetriaSandbox", handler: Handler) -> Handler:
    """The handler behind the key and the rate limit, with the queue worked before it looks."""

    async def answer(request: Request) -> Response:
        system.settle()
        path = request.url.path.removeprefix(PREFIX)
        key = request.headers.get("X-Ometria-Auth", "")
        if not hmac.compare_digest(key.encode(), system.switches.api_key.encode()):
            return problem(403, "Forbidden")
        if any(path.startswith(denied) for denied in system.switches.denied):
            return problem(403, "Forbidden")
        taken = system.rate_limit.take()
        if not taken.allowed:
            return too_many(system, taken, "Too many requests")
        try:
            return await handler(request)
        except (BadQueryError, RefusedError) as error:
            return problem(400, str(error))

    return answer
