"""The ASGI layer in front of every sandbox system: test-only routes, faults, and the call count.

Belongs here: everything about a call that is the same for all systems. `/_sandbox/stats`, `/faults`,
`/switches` and `/limits` are answered here and neither counted nor hit by faults; whatever else comes
goes to the system's own app.
"""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stokly_sync.sandbox.kit.calls import CUT
from stokly_sync.sandbox.kit.codec import JsonResponse, NotJsonError, decode
from stokly_sync.sandbox.kit.faults import Fault, retry_after_header
from stokly_sync.sandbox.kit.protocol import cut_connection
from stokly_sync.sandbox.kit.system import SandboxSystem

CONTROL = "/_sandbox/"


class _Limits(msgspec.Struct, forbid_unknown_fields=True):
    on: bool


class Gateway:
    """A sandbox system as it is served."""

    def __init__(self, system: SandboxSystem) -> None:
        self._system = system
        self._app: ASGIApp = system.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(CONTROL):
            await self._control(scope, receive, send)
            return
        if not self._system.faults.faults:
            await self._counted(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        fault = self._system.faults.strike(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            body=body.decode("utf-8", "replace"),
        )
        replayed = _replay(body, receive)
        if fault is None:
            await self._counted(scope, replayed, send)
        else:
            await self._play(fault, scope, replayed, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"])
            await send(message)

        await self._app(scope, receive, counting)

    def _count(self, scope: Scope, status: int) -> None:
        self._system.calls.record(scope["method"], self._template(scope), status)

    def _template(self, scope: Scope) -> str:
        """The path of the route that answered, or would have; the plain path where no route fits."""
        answered = scope.get("route")
        fitting = (route for route in self._system.app.routes if route.matches(scope)[0] is Match.FULL)
        path: str | None = getattr(answered or next(fitting, None), "path", None)
        if path is not None:
            return path
        plain: str = scope["path"]
        return plain

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.delay > 0:
            await asyncio.sleep(fault.delay)
        if fault.action == "pass":
            await self._counted(scope, receive, send)
            return
        answer: list[Message] = []
        if fault.processed or fault.action == "truncate":

            async def keep(message: Message) -> None:
                answer.append(message)

            await self._app(scope, receive, keep)
        if fault.action == "answer":
            self._count(scope, fault.status)
            await self._answer(fault)(scope, receive, send)
            return
        self._count(scope, CUT)
        if fault.action == "truncate":
            await _send_half(answer, send)
        await cut_connection(scope, receive, flush=fault.action == "truncate")

    def _answer(self, fault: Fault) -> Response:
        headers = {
            **retry_after_header(fault.retry_after, fault.retry_after_seconds, self._system.clock.now()),
            **fault.headers,
        }
        return Response(fault.text, fault.status, headers, media_type=fault.content_type)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        action = (request.method, scope["path"].removeprefix(CONTROL))
        try:
            answer = await self._handle_control(action, request)
        except (msgspec.ValidationError, NotJsonError, ValueError) as error:
            answer = JsonResponse({"message": str(error)}, 400)
        if answer is None:
            await self._app(scope, receive, send)
        else:
            await answer(scope, receive, send)

    async def _handle_control(self, action: tuple[str, str], request: Request) -> Response | None:
        system = self._system
        match action:
            case ("GET", "stats"):
                return JsonResponse({"system": system.name, "calls": system.calls.rows()})
            case ("DELETE", "stats"):
                system.calls.reset()
            case ("GET", "faults"):
                return JsonResponse(system.faults.faults)
            case ("POST", "faults"):
                system.faults.add(msgspec.convert(await _body(request), Fault))
            case ("DELETE", "faults"):
                system.faults.clear()
            case ("GET", "switches"):
                return JsonResponse(system.switches)
            case ("PATCH", "switches"):
                system.set_switches(**msgspec.convert(await _body(request), dict[str, Any]))
            case ("POST", "limits"):
                system.set_limits(msgspec.convert(await _body(request), _Limits).on)
            case _:
                return None
        return Response(status_code=204)


async def _body(request: Request) -> Any:
    return decode(await request.body())


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


async def _send_half(answer: list[Message], send: Send) -> None:
    body = b"".join(message.get("body", b"") for message in answer if message["type"] == "http.response.body")
    for message in answer:
        if message["type"] == "http.response.start":
            await send(message)
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
