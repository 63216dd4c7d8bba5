"""What stands before every page: security headers, and sign-in where users are set.

Plain ASGI, so that nothing is buffered. The policy allows our own style sheet and pictures and nothing else: a text
that got into a page unescaped could neither run nor send anything.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stokly_sync.dashboard.access import Access

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_FREE: Final = ("/sign-in", "/static/")


class SecurityHeaders:
    """Puts the headers on every answer; one that a page has set itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, adding)


class SignedIn:
    """Leads whoever has not signed in to the page where that is done; a name that was taken away counts as none."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let pass, or redirect."""
        if scope["type"] != "http" or self.access.open or scope["path"].startswith(_FREE):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if connection.session.get("who") in self.access.users:
            await self.app(scope, receive, send)
            return
        target = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
        wanted = f"?next={quote(target, safe='')}" if scope["method"] == "GET" else ""
        await RedirectResponse(f"/sign-in{wanted}", status_code=303)(scope, receive, send)
