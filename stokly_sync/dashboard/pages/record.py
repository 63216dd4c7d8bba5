"""One exception: what is wrong, what to do, the record, its history, and what may be done about it."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.dashboard.access import check_token, who
from stokly_sync.dashboard.pages.acts import act, refs_of
from stokly_sync.dashboard.views import desk_of, show, tell
from stokly_sync.dashboard.words import ref_query
from stokly_sync.errors import StoklySyncError
from stokly_sync.operations import looking
from stokly_sync.operations.acting import NotDone
from stokly_sync.operations.desk import system_of
from stokly_sync.operations.listing import Ref
from stokly_sync.operations.looking import Detail


def record(request: Request) -> Response:
    """The page of one exception, everything personal masked."""
    names = (request.query_params.get(name, "") for name in ("subject", "key", "rule"))
    return _shown(request, looking.look(desk_of(request), Ref(*names)))


async def act_on_one(request: Request) -> Response:
    """Show what is personal, or do something about the exception."""
    form = await request.form()
    check_token(request, form.get("token"))
    return await run_in_threadpool(_act_on_one, request, form)


def _act_on_one(request: Request, form: FormData) -> Response:
    refs = refs_of(form)
    if len(refs) != 1:
        raise NotDone("The form names no exception; open the page again.")
    if form.get("act") == "reveal":
        # Shown in the answer itself: what is personal belongs into no address and no session.
        return _shown(request, looking.reveal(desk_of(request), refs[0], actor=who(request)))
    back = f"/exception?{ref_query(refs[0])}"
    try:
        said = act(request, form, refs, actor=who(request))
    except StoklySyncError as error:
        return tell(request, str(error), to=back, bad=True)
    return tell(request, said.text, to=back, bad=said.bad)


def _shown(request: Request, detail: Detail) -> Response:
    ref = detail.row.ref
    return show(
        request,
        "record.html",
        detail=detail,
        row=detail.row,
        ref=ref,
        rule=detail.rule,
        system=system_of(ref.subject),
    )
