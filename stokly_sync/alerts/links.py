"""Where a message leads: to the dashboard's page about the problem, and to the run in Dagster.

A page is named here by its path, as people bookmark it, so that messages need not know the dashboard's code; a test
opens each of them. A problem that no page tells of (a failed run, drift) leads to Dagster alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from stokly_sync.alerts.watch import DOUBT, PAUSED, QUARANTINE
from stokly_sync.delivery.rules import IN_DOUBT
from stokly_sync.flow import Team
from stokly_sync.reconciliation.keeping import FINDING as RECONCILIATION
from stokly_sync.warehouse.findings import Finding

EVERYBODY: Final = "all"
BEHIND: Final = "behind"
"""The kind of a feed that fell behind its schedule."""


@dataclass(frozen=True)
class Links:
    """Where people open Dagster and the dashboard; `dashboard_url` is empty where none is served."""

    dagster_url: str
    dashboard_url: str = ""

    def of(self, finding: Finding) -> Sequence[str]:
        """The links of one finding, the dashboard's first."""
        page, run = page_of(finding), finding.run_id
        found = [f"{_base(self.dashboard_url)}{page}"] if self.dashboard_url and page else []
        if run is not None or not found:
            found.append(_base(self.dagster_url) + (f"/runs/{run}" if run else ""))
        return found

    def of_team(self, owner: Team | None) -> Sequence[str]:
        """The links of a message about many problems of a team."""
        if not self.dashboard_url:
            return [_base(self.dagster_url)]
        return [_base(self.dashboard_url) + _list(owner=owner or EVERYBODY), _base(self.dagster_url)]


def page_of(finding: Finding) -> str | None:
    """The path of the dashboard's page about a finding; None where no page tells of it."""
    page = _PAGES.get(finding.kind)
    return page(finding) if page else None


def _list(**filters: str) -> str:
    return f"/?{urlencode(filters)}"


def _in_doubt(finding: Finding) -> str:
    return _list(subject=finding.subject, rule=IN_DOUBT, owner=EVERYBODY)


def _piled_up(finding: Finding) -> str:
    return _list(subject=finding.subject, owner=finding.owner or EVERYBODY)


def _compared(finding: Finding) -> str:
    return f"/reconciliation#{finding.subject.replace('/', '-')}"


def _served(finding: Finding) -> str:
    return f"/trust#{finding.subject.partition('/')[0]}"


def _base(url: str) -> str:
    return url.rstrip("/")


_PAGES: Final[dict[str, Callable[[Finding], str]]] = {
    RECONCILIATION: _compared,
    DOUBT: _in_doubt,
    QUARANTINE: _piled_up,
    BEHIND: _served,
    PAUSED: _served,
}
