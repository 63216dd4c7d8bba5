"""Reconciliation, trust, plans and erasures: pages that only show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.dashboard import charts
from stokly_sync.dashboard.spreadsheets import table
from stokly_sync.dashboard.views import desk_of, show
from stokly_sync.operations.agreement import agreement, agreements, drift
from stokly_sync.operations.erasures import MOST, erasures
from stokly_sync.operations.export import DIFFERENCE_COLUMNS, difference_cells
from stokly_sync.operations.plans import latest_plans
from stokly_sync.operations.trust import DAYS, trust

_SPANS = (1, DAYS, 30)
_MOST_POINTS = 60
_FIRST = 20
"""Records that differ, as the page of all feeds lists them."""
_PAGE = 200
"""The same on the page of one feed."""


class _OfSystem(Protocol):
    @property
    def system(self) -> str: ...


_Item = TypeVar("_Item", bound=_OfSystem)


def reconciliation(request: Request) -> Response:
    """Both sides of every feed, as they were last compared."""
    desk = desk_of(request)
    found = agreements(desk)
    drawn = {one.feed: charts.drift(drift(desk, one.feed)) for one in found}
    return show(request, "reconciliation.html", by_system=_by_system(found), charts=drawn, first=_FIRST)


def differences(request: Request) -> Response:
    """Every record of a feed that differs, a page at a time."""
    found = agreement(desk_of(request), request.query_params.get("feed", ""))
    text = request.query_params.get("from", "")
    start = int(text) if text.isdecimal() and len(text) < 9 else 0
    rows = found.records[start : start + _PAGE]
    following = start + _PAGE if start + _PAGE < len(found.records) else None
    return show(request, "differences.html", one=found, rows=rows, start=start, following=following)


def differences_as_csv(request: Request) -> Response:
    """The same records as CSV; the name of the file says when these are not all."""
    desk = desk_of(request)
    found = agreement(desk, request.query_params.get("feed", ""))
    cut = f"-first-{len(found.records)}-of-{found.differing}" if len(found.records) < found.differing else ""
    rows = (difference_cells(desk, found, record) for record in found.records)
    return table(DIFFERENCE_COLUMNS, rows, name=f"differences-{found.feed.replace('/', '-')}{cut}")


def trusted(request: Request) -> Response:
    """How well each destination is served."""
    days = _days(request)
    found = trust(desk_of(request), days=days)
    drawn = {one.feed: charts.latency(one.points[-_MOST_POINTS:]) for one in found}
    return show(request, "trust.html", by_system=_by_system(found), charts=drawn, days=days, spans=_SPANS)


def plans(request: Request) -> Response:
    """The newest plans."""
    return show(request, "plans.html", plans=latest_plans(desk_of(request)), catalogue=desk_of(request).catalogue)


def erased(request: Request) -> Response:
    """Who was erased, by digest, and what came of it."""
    return show(request, "erasures.html", erasures=erasures(desk_of(request)), most=MOST)


def _days(request: Request) -> int:
    text = request.query_params.get("days", "")
    return int(text) if text in {str(days) for days in _SPANS} else DAYS


def _by_system(found: Iterable[_Item]) -> dict[str, list[_Item]]:
    groups: dict[str, list[_Item]] = {}
    for one in found:
        groups.setdefault(one.system, []).append(one)
    return groups
