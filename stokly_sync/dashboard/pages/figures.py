"""Reconciliation, trust and plans: pages that only show, and the charts in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.dashboard import charts
from stokly_sync.dashboard.views import desk_of, show
from stokly_sync.operations.agreement import agreements, drift
from stokly_sync.operations.plans import latest_plans
from stokly_sync.operations.trust import DAYS, trust

_SPANS = (1, DAYS, 30)
# A picture has a style of its own, and nothing else.
_PICTURE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


class _OfSystem(Protocol):
    @property
    def system(self) -> str: ...


_Item = TypeVar("_Item", bound=_OfSystem)


def reconciliation(request: Request) -> Response:
    """Both sides of every feed, as they were last compared."""
    return show(request, "reconciliation.html", by_system=_by_system(agreements(desk_of(request))))


def trusted(request: Request) -> Response:
    """How well each destination is served."""
    days = _days(request)
    found = trust(desk_of(request), days=days)
    return show(request, "trust.html", by_system=_by_system(found), days=days, spans=_SPANS)


def plans(request: Request) -> Response:
    """The newest plans."""
    return show(request, "plans.html", plans=latest_plans(desk_of(request)), catalogue=desk_of(request).catalogue)


def drift_chart(request: Request) -> Response:
    """Differences of a feed over time."""
    return _picture(charts.drift(drift(desk_of(request), _feed(request))))


def latency_chart(request: Request) -> Response:
    """Event to acceptance of a feed over time."""
    feed = _feed(request)
    found = next(one for one in trust(desk_of(request), days=_days(request), feeds=(feed,)))
    return _picture(charts.latency(found.points[-120:]))


def _feed(request: Request) -> str:
    feed = request.query_params.get("feed", "")
    if feed not in desk_of(request).feeds:
        raise HTTPException(404, "There is no such feed.")
    return feed


def _days(request: Request) -> int:
    text = request.query_params.get("days", "")
    return int(text) if text in {str(days) for days in _SPANS} else DAYS


def _picture(drawn: bytes) -> Response:
    return Response(drawn, media_type="image/svg+xml", headers=_PICTURE)


def _by_system(found: Iterable[_Item]) -> dict[str, list[_Item]]:
    groups: dict[str, list[_Item]] = {}
    for one in found:
        groups.setdefault(one.system, []).append(one)
    return groups
