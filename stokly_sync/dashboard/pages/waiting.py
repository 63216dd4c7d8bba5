"""What waits or is left out without being an exception, and problems of runs and systems: pages that only show."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.dashboard.views import desk_of, show
from stokly_sync.operations import waiting
from stokly_sync.warehouse.findings import open_findings


def waits(request: Request) -> Response:
    """By rule and feed; with both in the address the records themselves."""
    desk, asked = desk_of(request), request.query_params
    feed, rule = asked.get("feed") or None, asked.get("rule") or None
    rows: Sequence[waiting.Waiting] = ()
    after = ""
    if feed and rule:
        rows, after = waiting.records(desk, feed=feed, rule=rule, after=asked.get("after", ""))
    return show(
        request,
        "waiting.html",
        groups=waiting.groups(desk, feed=feed, rule=rule),
        catalogue=desk.catalogue,
        feed=feed,
        rule=rule,
        rows=rows,
        after=after,
    )


def problems(request: Request) -> Response:
    """Open findings: what is wrong with a run, a schedule or a system, and not with a record."""
    desk = desk_of(request)
    with desk.warehouse.reading() as conn:
        found = open_findings(conn, brand=desk.brand)
    return show(request, "problems.html", findings=found)
