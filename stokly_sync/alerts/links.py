"""Where a message leads: to the dashboard's page about the problem, and to the run in Dagster.

A page is named here by its path, as people bookmark it, so that messages need not know the dashboard's code; a test
opens each of them. What has no page of its own (a failed run, drift) stands among the problems.
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
PROBLEMS: Final = "/problems"
BEHIND: Final = "behind"
"""The kind of a feed that fell behind its schedule."""


@dataclass(frozen=True)
class Links:
    """Where people open Dagster and the dashboard; `dashboard_url` is empty where none is served."""

    dagster_url: str
    dashboard_url: str = ""

    def of(self, finding: Finding) -> Sequence[str]:
        """The links of one finding, the dashboard's first."""
        page = [_base(self.dashboard_url) + page_of(finding)] if self.dashboard_url else []
        if finding.run_id is not None:
            return [*page, f"{_base(self.dagster_url)}/runs/{finding.run_id}"]
        return page or [_base(self.dagster_url)]

    def of_team(self, owner: Team | None) -> Sequence[str]:
        """The links of a message about many problems of a team."""
        if not self.dashboard_url:
            return [_base(self.dagster_url)]
        return [_base(self.dashboard_url) + _list(owner=owner or EVERYBODY), _base(self.dagster_url)]


def page_of(finding: Finding) -> str:
    """The path of the dashboard's page about a finding."""
    page = _PAGES.get(finding.kind)
    return page(finding) if page else PROBLEMS


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
