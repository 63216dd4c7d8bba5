"""*Where is order X*: the search, and the path of the record that it finds.

What is looked for may be an e-mail address, so it travels in the body of a form and never in an address.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stokly_sync.dashboard.access import check_token
from stokly_sync.dashboard.views import desk_of, show
from stokly_sync.operations.searching import search
from stokly_sync.operations.tracing import trace


def where(request: Request) -> Response:
    """The search box, or the path of the record that the address names by its key."""
    dataset, key = request.query_params.get("dataset"), request.query_params.get("key")
    if not dataset or not key:
        return show(request, "where.html", found=None, asked="")
    return show(request, "path.html", path=trace(desk_of(request), dataset, key))


async def look_for(request: Request) -> Response:
    """Lead to the record that was meant, or offer those that might be."""
    form = await request.form()
    check_token(request, form.get("token"))
    return await run_in_threadpool(_look_for, request, str(form.get("words", ""))[:200])


def _look_for(request: Request, words: str) -> Response:
    found = search(desk_of(request), words)
    if len(found) == 1:
        query = urlencode({"dataset": found[0].dataset, "key": found[0].key})
        return RedirectResponse(f"/where?{query}", status_code=303)
    return show(request, "where.html", found=found, asked=words)
