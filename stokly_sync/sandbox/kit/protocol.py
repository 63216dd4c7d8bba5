"""Real socket closes: how a sandbox drops a connection instead of answering.

ASGI gives an application no way to hang up, so the HTTP protocol is taught to hand its transport to the
application. Belongs here: that hook and the cut itself. When to cut is decided in `gateway`.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

TRANSPORT = "stokly_sync.sandbox.transport"


class _WithApp(asyncio.Protocol):
    """The one member of uvicorn's HTTP protocols that is used here."""

    app: ASGIApp


if TYPE_CHECKING:
    _Base = _WithApp
else:
    _Base = AutoHTTPProtocol  # which of its protocols uvicorn takes is only known when it is imported


class CuttableProtocol(_Base):
    """uvicorn's HTTP protocol, with the connection's transport put into every scope."""

    def connection_made(self, transport: Any) -> None:
        """Remember the transport for each call on this connection."""
        super().connection_made(transport)
        inner: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = with_transport


async def cut_connection(scope: Scope, receive: Receive, *, flush: bool) -> None:
    """Close the caller's connection and wait until it is closed.

    With `flush` what was written already is still delivered (a truncated answer); without it the caller
    gets a reset.

    Raises:
        RuntimeError: if the app is not served by `serve.Sandbox`, so that there is no socket to close.
    """
    transport = scope.get(TRANSPORT)
    if transport is None:
        raise RuntimeError("A connection can only be cut on a served sandbox: start it with serve.Sandbox.")
    if flush:
        transport.close()
    else:
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
