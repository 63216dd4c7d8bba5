"""What a sync did, from the figures that its runs stored: the JSON object and the verdict.

The sums close from the JSON alone: `read` holds what was carried in as well, and read = to_send + unchanged + held +
quarantined + excluded + parked, to_send = accepted + rejected + submitted + in_doubt + still_planned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from stokly_sync.delivery.rules import WAITS
from stokly_sync.pipeline import work
from stokly_sync.pipeline.headless import Ran
from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse import exceptions
from stokly_sync.warehouse.figures import Figures, Stage

AGREED = "agreed"


class Exit(IntEnum):
    """The exit status of a sync."""

    AGREED = 0
    DIFFERS = 1
    """It ran, but something is unexplained, in doubt or unsent."""
    COULD_NOT_RUN = 2


@dataclass
class FeedFigures:
    """Counts of one feed over the runs of a sync; mappings are by rule code."""

    read: int = 0
    carried_in: int = 0
    to_send: int = 0
    accepted: int = 0
    rejected: int = 0
    submitted: int = 0
    in_doubt: int = 0
    still_planned: int = 0
    unchanged: int = 0
    held: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    parked: Counter[str] = field(default_factory=Counter)
    api_calls: int = 0
    moved: int = 0
    """Records of the asked plan that a later plan has changed."""

    @property
    def accounted(self) -> int:
        """What became of the records, in records."""
        kept = self.quarantined.total() + self.excluded.total() + self.parked.total()
        return self.sent + self.unchanged + self.held + kept

    @property
    def sent(self) -> int:
        """What became of the records that were to be sent."""
        return self.accepted + self.rejected + self.submitted + self.in_doubt + self.still_planned

    @property
    def closes(self) -> bool:
        """Whether every record is accounted for."""
        return self.read == self.accounted

    def as_json(self) -> dict[str, Any]:
        """Plain values, mappings in order of their codes."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {k: dict(sorted(v.items())) if isinstance(v, Counter) else v for k, v in plain.items()}


@dataclass(frozen=True)
class Summary:
    """All that a sync did: datasets landed, feeds loaded, destinations compared, and what failed in plain words."""

    extracted: Mapping[str, Mapping[str, Any]]
    feeds: Mapping[str, FeedFigures]
    reconciliations: Mapping[str, Mapping[str, Any]]
    kept_out: Mapping[str, int]
    """Rows that break a contract now, by rule."""
    failures: Sequence[str]

    @property
    def exit(self) -> Exit:
        """The verdict: agreed, differs, or could not run."""
        if self.failures:
            return Exit.COULD_NOT_RUN
        loose = any(f.in_doubt or f.submitted or not f.closes for f in self.feeds.values())
        apart = any(r["status"] != AGREED for r in self.reconciliations.values())
        return Exit.DIFFERS if loose or apart else Exit.AGREED

    def as_json(self) -> dict[str, Any]:
        """The object that `stokly-sync sync --json` prints."""
        return {
            "feeds": {feed: figures.as_json() for feed, figures in self.feeds.items()},
            "reconciliations": dict(self.reconciliations),
            "extracted": dict(self.extracted),
            "failures": list(self.failures),
        }


def summarise(services: Services, ran: Ran) -> Summary:
    """Put together what the runs of a sync stored."""
    found = work.figures_of(services, ran.run_ids)
    return Summary(
        extracted=_extracted(found),
        feeds=_feeds(services, found),
        reconciliations={f.subject: f.body for f in found if f.stage is Stage.RECONCILE},
        kept_out=_kept_out(services),
        failures=tuple(ran.failures),
    )


def _kept_out(services: Services) -> dict[str, int]:
    counts: Counter[str] = Counter()
    with services.warehouse.reading() as conn:
        for dataset in services.declared.extracts:
            counts.update(exceptions.counts_by_rule(conn, brand=services.warehouse.brand, subject=dataset))
    return dict(sorted(counts.items()))


def _extracted(found: Sequence[Figures]) -> dict[str, dict[str, Any]]:
    """Counts by dataset, summed over baseline and windows."""
    datasets: dict[str, dict[str, Any]] = {}
    for item in found:
        if item.stage is Stage.EXTRACT:
            datasets[item.subject] = _added(datasets.get(item.subject, {}), item.body)
    return datasets


def _added(sums: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    added: dict[str, Any] = {}
    for name, value in body.items():
        before = sums.get(name)
        if isinstance(value, Mapping):
            added[name] = dict(sorted((Counter(before or {}) + Counter(value)).items()))
        elif isinstance(value, bool):
            added[name] = value
        else:
            added[name] = value + (before or 0)
    return added


def _feeds(services: Services, found: Sequence[Figures]) -> dict[str, FeedFigures]:
    feeds: dict[str, FeedFigures] = {}
    for feed_id in services.declared.feeds:
        planned = [f.body for f in found if f.subject == feed_id and f.stage is Stage.PLAN]
        sent = [f.body for f in found if f.subject == feed_id and f.stage is Stage.DELIVER]
        if planned or sent:
            feeds[feed_id] = _feed(planned, sent)
    return feeds


def _feed(planned: Sequence[Mapping[str, Any]], sent: Sequence[Mapping[str, Any]]) -> FeedFigures:
    sums = FeedFigures()
    for body in planned:
        sums.read += body["read"] + body["carried_in"]
        sums.carried_in += body["carried_in"]
        sums.to_send += body["to_send"]
        sums.unchanged += body["unchanged"]
        sums.held += body["held"]
        sums.quarantined.update(body["quarantined"])
        sums.excluded.update(body["excluded"])
        sums.parked.update(body["parked"])
    for body in sent:
        sums.accepted += body["accepted"]
        sums.rejected += sum(body["rejected"].values())
        sums.submitted += body["submitted"]
        sums.in_doubt += body["in_doubt"]
        sums.still_planned += body["still_planned"]
        sums.api_calls += body["api_calls"]
        sums.moved += body["moved"]
        if body["parked"]:
            sums.parked[WAITS] += body["parked"]
            sums.to_send -= body["parked"]
    if not planned:
        sums.read = sums.to_send = sum(body["to_send"] for body in sent)
    if not sent:
        sums.still_planned = sums.to_send
    return sums
