"""How a page is made from a template: escaped always, with what every page shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import jinja2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from stokly_sync.dashboard import words
from stokly_sync.dashboard.access import Access, token, who
from stokly_sync.flow import Team
from stokly_sync.operations.desk import Desk

HERE: Final = Path(__file__).parent
_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(words.FILTERS)
_TEMPLATES: Final = Jinja2Templates(env=_ENVIRONMENT)


def desk_of(request: Request) -> Desk:
    """The desk of this dashboard."""
    desk: Desk = request.app.state.desk
    return desk


def show(request: Request, name: str, /, *, status: int = 200, **values: Any) -> Response:
    """A page; a message that an act has left is shown once."""
    desk, access = desk_of(request), request.app.state.access
    values |= {
        "brand": desk.brand,
        "who": who(request),
        "signed_in": not access.open,
        "token": token(request),
        "team": team_of(request),
        "teams": list(Team),
        "message": request.session.pop("message", None),
        "dagster_url": desk.dagster_url,
        "run_link": desk.run_link,
        "title_of": desk.title,
    }
    return _TEMPLATES.TemplateResponse(request, name, values, status_code=status)


def tell(request: Request, message: str, *, to: str, bad: bool = False) -> Response:
    """Lead to a page that shows a message once; `to` is a path of ours."""
    request.session["message"] = {"text": message[:600], "bad": bad}
    return RedirectResponse(local(to), status_code=303)


def local(target: str) -> str:
    """A path of this site; anything that would lead elsewhere becomes the first page."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def team_of(request: Request) -> Team | None:
    """The team that this session belongs to."""
    name = request.session.get("team")
    return Team(name) if name in set(Team) else None


def access_of(request: Request) -> Access:
    """Who may see this dashboard."""
    access: Access = request.app.state.access
    return access
