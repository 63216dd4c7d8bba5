"""Test-only routes of the Ometria sandbox, below `/_sandbox/`: no key, no limit, no part of the vendor's API.

Belongs here: what tests and the demo may look at that the vendor would not show, and the one thing that
only a person inside Ometria could do (opt out).
"""

from typing import TYPE_CHECKING

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

    async def show_totals(_request: Request) -> Response:
        system.settle()
        return JsonResponse(totals(system.store))

    async def show_events(_request: Request) -> Response:
        system.settle()
        return JsonResponse([reading.show_event(row) for row in system.store.events.values()])

    async def show_pushes(_request: Request) -> Response:
        system.settle()
        return JsonResponse({"pushed": system.store.pushed, "unchanged": system.store.unchanged})

    async def show_unknown_lines(_request: Request) -> Response:
        system.settle()
        return JsonResponse(system.store.unknown_lines)

    async def show_ignored(_request: Request) -> Response:
        system.settle()
        return JsonResponse(system.store.ignored)

    async def show_queue(_request: Request) -> Response:
        system.settle()
        return JsonResponse({"waiting": len(system.queue), "failed": len(system.errors.newest())})

    async def opt_out(request: Request) -> Response:
        try:
            body = decode(await request.body())
        except NotJsonError:
            body = None
        if not isinstance(body, dict) or check_email(body.get("email")) is not None:
            return JsonResponse({"message": 'Send {"email": "..."}.'}, 400)
        system.unsubscribe(body["email"])
        return Response(status_code=204)

    return [
        Route("/_sandbox/totals", show_totals),
        Route("/_sandbox/events", show_events),
        Route("/_sandbox/pushes", show_pushes),
        Route("/_sandbox/unknown-lines", show_unknown_lines),
        Route("/_sandbox/ignored", show_ignored),
        Route("/_sandbox/queue", show_queue),
        Route("/_sandbox/unsubscribes", opt_out, methods=["POST"]),
    ]
