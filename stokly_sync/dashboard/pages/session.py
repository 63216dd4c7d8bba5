"""Signing in and out, and which team a person belongs to."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stokly_sync.dashboard.access import check_token
from stokly_sync.dashboard.views import access_of, local, show
from stokly_sync.flow import Team


def sign_in(request: Request) -> Response:
    """The form."""
    return show(request, "sign_in.html", next=local(request.query_params.get("next", "/")), failed=False)


async def signed_in(request: Request) -> Response:
    """Take name and password; a session of its own begins only then."""
    form = await request.form()
    check_token(request, form.get("token"))
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    target = local(str(form.get("next", "/")))
    if not await run_in_threadpool(access_of(request).admits, name, password):
        return show(request, "sign_in.html", status=401, next=target, failed=True)
    team = request.session.get("team")
    request.session.clear()
    request.session.update({"who": name} | ({"team": team} if team else {}))
    return RedirectResponse(target, status_code=303)


async def sign_out(request: Request) -> Response:
    """End the session."""
    form = await request.form()
    check_token(request, form.get("token"))
    request.session.clear()
    return RedirectResponse("/sign-in", status_code=303)


async def choose_team(request: Request) -> Response:
    """Remember the team whose exceptions come first."""
    form = await request.form()
    check_token(request, form.get("token"))
    name = str(form.get("team", ""))
    if name in set(Team):
        request.session["team"] = name
    else:
        request.session.pop("team", None)
    return RedirectResponse("/", status_code=303)
