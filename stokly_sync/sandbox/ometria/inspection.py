"""Test-only routes of the Ometria sandbox, below `/_sandbox/`: no key, no limit, no part of the vendor's API.

Belongs here: what tests and the demo may look at that the vendor would not show, and the one thing that
only a person inside Ometria could do (opt out).
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode
from stokly_sync.sandbox.ometria import reading
from stokly_sync.sandbox.ometria.checks import email as check_email
from stokly_sync.sandbox.ometria.totals import totals

if TYPE_CHECKING:
    from stokly_sync.sandbox.ometria.system import OmetriaSandbox


def inspection_routes(system: "OmetriaSandbox") -> list[Route]:
    """The routes: totals, events, pushes, unknown-lines, ignored, queue (all GET), unsubscribes (POST)."""

    async def opt_out(request: Request) -> Response:
        try:
            body = decode(await request.body())
        except NotJsonError:
            body = None
        if not isinstance(body, dict) or check_email(body.get("email")) is not None:
            return JsonResponse({"message": 'Send {"email": "..."}.'}, 400)
        system.unsubscribe(body["email"])
        return Response(status_code=204)

    views: dict[str, Callable[[], Any]] = {
        "totals": lambda: totals(system.store),
        "events": lambda: [reading.show_event(row) for row in system.store.events.values()],
        "pushes": lambda: {"pushed": system.store.pushed, "unchanged": system.store.unchanged},
        "unknown-lines": lambda: system.store.unknown_lines,
        "ignored": lambda: system.store.ignored,
        "queue": lambda: {"waiting": len(system.queue), "failed": len(system.errors.newest())},
    }
    looks = [Route(f"/_sandbox/{name}", _look(system, view)) for name, view in views.items()]
    return [*looks, Route("/_sandbox/unsubscribes", opt_out, methods=["POST"])]


def _look(system: "OmetriaSandbox", view: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        system.settle()
        return JsonResponse(view())

    return answer
