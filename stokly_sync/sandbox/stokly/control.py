"""Test-only calls under `/_sandbox/`: mutate the account, arm page hooks, order drift, revoke tokens.

Belongs here: reading these calls. What they do is in `disturbances`. Switches, faults, limits and the
call count have their calls in the kit already.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode
from stokly_sync.sandbox.stokly.bodies import RefusedWriteError
from stokly_sync.sandbox.stokly.disturbances import Dispatch, Drift, Mutation, PageHook, Pages, dispatch, mutate
from stokly_sync.sandbox.stokly.grant import Grants
from stokly_sync.sandbox.stokly.store import Store, UnknownRecordError

Act = Callable[[Any], object]


def control_routes(
    *, store: Store, grants: Grants, pages: Pages, drifts: list[Drift], facts: Callable[[], Any], touched: Act
) -> list[Route]:
    """The routes: POST mutations, dispatches, page-hooks, drifts, tokens/revoke; DELETE page-hooks, drifts; GET seed.

    A body is a JSON list of the orders of `disturbances`. Answers 204, or 400 or 404 with `{"message"}`.
    """

    def mutations(body: Any) -> None:
        mutate(store, msgspec.convert(body, list[Mutation]))
        touched(body)

    def hooks(body: Any) -> None:
        for hook in msgspec.convert(body, list[PageHook]):
            pages.set(hook)

    def dispatches(body: Any) -> None:
        for order in msgspec.convert(body, list[Dispatch]):
            dispatch(store, order)
        touched(body)

    async def seed(_request: Request) -> Response:
        return JsonResponse(facts())

    return [
        Route("/_sandbox/mutations", _acting(mutations), methods=["POST"]),
        Route("/_sandbox/dispatches", _acting(dispatches), methods=["POST"]),
        Route("/_sandbox/page-hooks", _acting(hooks), methods=["POST"]),
        Route("/_sandbox/page-hooks", _acting(lambda _body: pages.clear()), methods=["DELETE"]),
        Route(
            "/_sandbox/drifts",
            _acting(lambda body: drifts.extend(msgspec.convert(body, list[Drift]))),
            methods=["POST"],
        ),
        Route("/_sandbox/drifts", _acting(lambda _body: drifts.clear()), methods=["DELETE"]),
        Route("/_sandbox/tokens/revoke", _acting(lambda _body: grants.revoke_all()), methods=["POST"]),
        Route("/_sandbox/seed", seed, methods=["GET"]),
    ]


def _acting(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        try:
            act(decode(body) if body else None)
        except UnknownRecordError as error:
            return JsonResponse({"message": str(error)}, 404)
        except RefusedWriteError as error:
            return JsonResponse({"message": str(error)}, error.status)
        except (msgspec.ValidationError, NotJsonError, ValueError, KeyError) as error:
            return JsonResponse({"message": str(error)}, 400)
        return Response(status_code=204)

    return answer
