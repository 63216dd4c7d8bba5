"""What every vendor route has in front of it: credentials, region, permission and the call limits.

Belongs here: 401, 403, 429 and the flat scheme's 400. Source: Dotdigital API contract 1 (connection,
rate limits, errors).
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stokly_sync.sandbox.dotdigital.problems import ProblemError
from stokly_sync.sandbox.dotdigital.tiers import Tier
from stokly_sync.sandbox.kit import JsonResponse

if TYPE_CHECKING:
    from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox

Handler = Callable[[Request], Awaitable[Response]]

DISCOVERY = "/v2/account-info"
MOVED_HOST = "localhost"
"""How a region elsewhere is reached: the same server under its other name."""


def api_endpoint(system: "DotdigitalSandbox", request: Request) -> str:
    """The host that discovery names for the account, with the trailing slash of the vendor."""
    url = request.base_url
    return str(url.replace(hostname=MOVED_HOST) if system.switches.region == "moved" else url)


def guarded(system: "DotdigitalSandbox", handler: Handler, tier: Tier) -> Handler:
    """The handler behind credentials, region and limits, with the jobs worked before it looks."""

    async def answer(request: Request) -> Response:
        system.settle()
        path = request.url.path
        if not _is_known(system, request.headers.get("Authorization", "")):
            return _unauthorised(path)
        if path != DISCOVERY and _is_elsewhere(system, request):
            return PlainTextResponse("Forbidden - Access is denied", 403)
        if any(path.startswith(denied) for denied in system.switches.denied):
            return JsonResponse({"message": "The API user lacks the permission"}, 403)
        try:
            headers = system.limits.take(tier)
        except ProblemError as problem:
            return problem.answer()
        if isinstance(headers, Response):
            return headers
        try:
            response = await handler(request)
        except ProblemError as problem:
            response = problem.answer()
        response.headers.update(headers)
        return response

    return answer


def _is_known(system: "DotdigitalSandbox", given: str) -> bool:
    scheme, _, encoded = given.partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    wanted = f"{system.switches.username}:{system.switches.password}".encode()
    return scheme.lower() == "basic" and hmac.compare_digest(pair, wanted)


def _unauthorised(path: str) -> Response:
    """401: v2 says why, for v3 no body is documented."""
    headers = {"WWW-Authenticate": "Basic"}
    if path.startswith("/v2/"):
        message = "Authorization has been denied for this request."
        return JsonResponse({"message": message}, 401, headers)
    return Response(status_code=401, headers=headers)


def _is_elsewhere(system: "DotdigitalSandbox", request: Request) -> bool:
    region = system.switches.region
    return region == "closed" or (region == "moved" and request.url.hostname != MOVED_HOST)
