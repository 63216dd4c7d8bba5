"""The application: every route, in front of it who may come in, behind it the desk. Reads like a table of contents."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stokly_sync.dashboard.access import SESSION_S, Access, Forbidden
from stokly_sync.dashboard.guards import SecurityHeaders, SignedIn
from stokly_sync.dashboard.pages import exceptions, figures, record, session, waiting, where
from stokly_sync.dashboard.views import HERE, show
from stokly_sync.errors import StoklySyncError
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.looking import NoSuchException

_LARGEST_FORM: Final = 1 << 20


def build_app(desk: Desk, access: Access) -> Starlette:
    """The dashboard over a desk, for those whom `access` admits."""
    app = Starlette(
        routes=[
            Route("/", exceptions.exceptions),
            Route("/exceptions/act", exceptions.act_on_many, methods=["POST"]),
            Route("/exceptions.csv", exceptions.export),
            Route("/exception", record.record),
            Route("/exception/act", record.act_on_one, methods=["POST"]),
            Route("/waiting", waiting.waits),
            Route("/problems", waiting.problems),
            Route("/reconciliation", figures.reconciliation),
            Route("/reconciliation/records", figures.differences),
            Route("/reconciliation/records.csv", figures.differences_as_csv),
            Route("/trust", figures.trusted),
            Route("/plans", figures.plans),
            Route("/erasures", figures.erased),
            Route("/where", where.where),
            Route("/where", where.look_for, methods=["POST"]),
            Route("/team", session.choose_team, methods=["POST"]),
            Route("/sign-in", session.sign_in),
            Route("/sign-in", session.signed_in, methods=["POST"]),
            Route("/sign-out", session.sign_out, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[
            # A page elsewhere that calls itself by our address must not read what only stands open on loopback.
            Middleware(TrustedHostMiddleware, allowed_hosts=list(access.hosts), www_redirect=False),
            Middleware(SecurityHeaders),
            Middleware(RequestBodyLimitMiddleware, max_body_size=_LARGEST_FORM),
            Middleware(
                SessionMiddleware,
                secret_key=access.session_key,
                session_cookie="stokly_sync",
                max_age=SESSION_S,
                same_site="lax",
                https_only=access.secure,
            ),
            Middleware(SignedIn, access=access),
        ],
        exception_handlers={
            Forbidden: _forbidden,
            NoSuchException: _missing,
            StoklySyncError: _refused,
            HTTPException: _failed,
        },
    )
    app.state.desk, app.state.access = desk, access
    app.state.worker = ThreadPoolExecutor(1, "retry")
    return app


def _forbidden(request: Request, _error: Exception) -> Response:
    return show(request, "error.html", status=403, text="This form was too old, or not ours. Open the page again.")


def _missing(request: Request, error: Exception) -> Response:
    return show(request, "error.html", status=404, text=str(error))


def _refused(request: Request, error: Exception) -> Response:
    return show(request, "error.html", status=400, text=str(error))


def _failed(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    texts = {404: "There is no such page.", 405: "This page takes no such request.", 413: "The form is too large."}
    return show(request, "error.html", status=status, text=texts.get(status, "That did not work."))
