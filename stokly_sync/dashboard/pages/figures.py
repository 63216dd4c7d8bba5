"""Reconciliation, trust and plans: pages that only show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.dashboard import charts
from stokly_sync.dashboard.views import desk_of, show
from stokly_sync.operations.agreement import agreements, drift
from stokly_sync.operations.plans import latest_plans
from stokly_sync.operations.trust import DAYS, trust

_SPANS = (1, DAYS, 30)
_MOST_POINTS = 60


class _OfSystem(Protocol):
    @property
    def system(self) -> str: ...


_Item = TypeVar("_Item", bound=_OfSystem)


def reconciliation(request: Request) -> Response:
    """Both sides of every feed, as they were last compared."""
    desk = desk_of(request)
    found = agreements(desk)
    drawn = {one.feed: charts.drift(drift(desk, one.feed)) for one in found}
    return show(request, "reconciliation.html", by_system=_by_system(found), charts=drawn)


def trusted(request: Request) -> Response:
    """How well each destination is served."""
    days = _days(request)
    found = trust(desk_of(request), days=days)
    drawn = {one.feed: charts.latency(one.points[-_MOST_POINTS:]) for one in found}
    return show(request, "trust.html", by_system=_by_system(found), charts=drawn, days=days, spans=_SPANS)


def plans(request: Request) -> Response:
    """The newest plans."""
    return show(request, "plans.html", plans=latest_plans(desk_of(request)), catalogue=desk_of(request).catalogue)


def _days(request: Request) -> int:
    text = request.query_params.get("days", "")
    return int(text) if text in {str(days) for days in _SPANS} else DAYS


def _by_system(found: Iterable[_Item]) -> dict[str, list[_Item]]:
    groups: dict[str, list[_Item]] = {}
    for one in found:
        groups.setdefault(one.system, []).append(one)
    return groups
