"""The list of exceptions: filters, acts on many, and the same list as CSV."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.dashboard import filters
from stokly_sync.dashboard.access import check_token, who
from stokly_sync.dashboard.pages.acts import act, refs_of
from stokly_sync.dashboard.spreadsheets import table
from stokly_sync.dashboard.views import desk_of, show, team_of, tell
from stokly_sync.errors import StoklySyncError
from stokly_sync.operations import listing
from stokly_sync.operations.export import COLUMNS, cells
from stokly_sync.operations.listing import Order, Wanted


def exceptions(request: Request) -> Response:
    """A page of the list."""
    desk, chosen = desk_of(request), filters.read(request.query_params, team=team_of(request))
    found = listing.page(desk, chosen.wanted, after=request.query_params.get("after") or None)
    counts = listing.counts(desk, state=chosen.wanted.state)
    return show(
        request,
        "exceptions.html",
        filters=chosen,
        wanted=chosen.wanted,
        page=found,
        total=listing.total(desk, chosen.wanted),
        by_team=_by_team(counts),
        by_system=listing.by_system(counts),
        by_subject=_within_team(counts, chosen.wanted, lambda one: one.subject),
        by_rule=_within_team(counts, chosen.wanted, lambda one: one.rule),
        catalogue=desk.catalogue,
        states=filters.STATES,
        ages=filters.AGES,
        orders=list(Order),
        first="after" not in request.query_params,
    )


async def act_on_many(request: Request) -> Response:
    """Do one thing with the ticked exceptions, or with all that the list holds."""
    form = await request.form()
    check_token(request, form.get("token"))
    return await run_in_threadpool(_act_on_many, request, form)


def export(request: Request) -> Response:
    """The whole list as CSV, without anything personal."""
    desk, chosen = desk_of(request), filters.read(request.query_params, team=team_of(request))
    rows = (cells(desk, row) for row in listing.stream(desk, chosen.wanted))
    return table(COLUMNS, rows, name=f"exceptions-{desk.brand}-{chosen.wanted.state}")


def _act_on_many(request: Request, form: FormData) -> Response:
    chosen = filters.read({k: v for k, v in form.items() if isinstance(v, str)}, team=team_of(request))
    back = f"/?{chosen.query()}"
    every = form.get("scope") == "all"
    try:
        said = act(request, form, chosen.wanted if every else refs_of(form), actor=who(request))
    except StoklySyncError as error:
        return tell(request, str(error), to=back, bad=True)
    return tell(request, said.text, to=back, bad=said.bad)


def _by_team(counts: list[listing.Count]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for one in counts:
        if one.owner is not None:
            sums[one.owner] = sums.get(one.owner, 0) + one.count
    return sums


def _within_team(counts: list[listing.Count], wanted: Wanted, of: Callable[[listing.Count], str]) -> dict[str, int]:
    """Counts by rule, or by dataset and feed, within the team that is looked at; the largest first."""
    sums: dict[str, int] = {}
    for one in counts:
        if wanted.owner in (None, one.owner):
            sums[of(one)] = sums.get(of(one), 0) + one.count
    return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))
