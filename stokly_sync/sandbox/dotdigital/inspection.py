"""Test-only routes of the Dotdigital sandbox, below `/_sandbox/`: no credentials, no limit, no vendor's API.

Belongs here: what tests and the demo may look at that the vendor would not show, and what only a person
outside the API could do (opt out, complain).
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.dotdigital.totals import totals
from stokly_sync.sandbox.dotdigital.upserts import GONE
from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode

if TYPE_CHECKING:
    from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox


def inspection_routes(system: "DotdigitalSandbox") -> list[Route]:
    """The routes: totals, imports, events, jobs (all GET), unsubscribes (POST)."""

    async def opt_out(request: Request) -> Response:
        system.settle()
        try:
            body = decode(await request.body())
        except NotJsonError:
            body = None
        status = body.get("status", "unsubscribed") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(body.get("email"), str) or status not in GONE:
            return JsonResponse({"message": 'Send {"email": "...", "status": "unsubscribed" or "suppressed"}.'}, 400)
        try:
            system.unsubscribe(body["email"], status=str(status))
        except LookupError as error:
            return JsonResponse({"message": str(error)}, 404)
        return Response(status_code=204)

    views: dict[str, Callable[[], Any]] = {
        "totals": lambda: totals(system.store),
        "imports": lambda: {"imported": system.store.imported, "unchanged": system.store.unchanged},
        "events": lambda: system.store.events,
        "jobs": system.jobs.counts,
    }
    looks = [Route(f"/_sandbox/{name}", _look(system, view)) for name, view in views.items()]
    return [*looks, Route("/_sandbox/unsubscribes", opt_out, methods=["POST"])]


def _look(system: "DotdigitalSandbox", view: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        system.settle()
        return JsonResponse(view())

    return answer
