"""Gates: a record waits until the records that it depends on were accepted by the same destination (X5).

Evaluated in bulk against the ledger. A record whose dependency is itself kept back waits with that reason, so that
people are led to the record that needs them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import columns
from stokly_sync.delivery.decide import Wait
from stokly_sync.flow import Feed, Frames, Gate, State
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.tables import LEDGER

_UNDERWAY: Final = frozenset({State.PLANNED, State.SUBMITTED})
_REMEMBERED: Final = 50_000


def gate_feed(feed: Feed, gate: Gate) -> str:
    """The id of the feed that a gate looks at; a gate may name it with or without the system."""
    return gate.feed if "/" in gate.feed else f"{feed.system}/{gate.feed}"


@dataclass(frozen=True)
class Met:
    """Dependencies that were seen to be met, so that the next chunk need not ask for them again; some, not all."""

    keys: set[tuple[str, str]] = field(default_factory=set)

    def note(self, feed_id: str, accepted: Iterable[str]) -> None:
        """Remember records of a feed that were accepted, as long as there is room."""
        if len(self.keys) < _REMEMBERED:
            self.keys.update((feed_id, key) for key in accepted)


def waiting(
    connection: sa.Connection,
    feed: Feed,
    frames: Frames,
    due: Collection[str],
    *,
    brand: str,
    assume_sent: bool = False,
    met: Met | None = None,
) -> Mapping[str, Wait]:
    """Those of the `due` keys that a gate keeps, with the reason in plain words.

    With `assume_sent` a dependency that is planned or submitted is taken for granted, and the wait says so: a plan
    that sends nothing would otherwise never get past the first feed. `met` spares questions within one plan.
    """
    met = met or Met()
    kept: dict[str, Wait] = {}
    for gate in feed.gates:
        feed_id, found = gate_feed(feed, gate), gate.keys(frames)
        needed = columns.keys(found["needs"].dropna().drop_duplicates())
        asked = [needs for needs in needed if (feed_id, needs) not in met.keys]
        if not asked:
            continue
        unmet = _unmet(connection, feed_id, asked, brand, assume_sent)
        met.note(feed_id, (needs for needs in asked if needs not in unmet))
        for key, needs in _pairs(found, unmet):
            if key not in due:
                continue
            why = unmet[needs]
            left_out = why.left_out and gate.follows
            words = "belongs to" if left_out else "waits for"
            wait = Wait(f"{words} {gate.waits_for} {needs}, {why.reason}", why.assumed, left_out)
            if key not in kept or _weight(wait) > _weight(kept[key]):
                kept[key] = wait
    return kept


def _weight(wait: Wait) -> int:
    """A wait for something that may never come says more than one for what is underway, and to be left out the most."""
    return 2 if wait.left_out else 0 if wait.assumed else 1


def _pairs(found: pd.DataFrame, unmet: Collection[str]) -> list[tuple[str, str]]:
    """Pairs whose dependency is unmet; mostly there are none, so the others are never walked over."""
    if not unmet:
        return []
    kept = found[found["needs"].isin(list(unmet))]
    return list(zip(columns.keys(kept["key"]), columns.keys(kept["needs"]), strict=True))


def _unmet(connection: sa.Connection, feed_id: str, needs: list[str], brand: str, assume_sent: bool) -> dict[str, Wait]:
    c = LEDGER.c
    query = sa.select(c.key, c.state, c.rule, c.accepted_hash.is_not(None)).where(
        c.brand == brand, c.feed == feed_id, c.entry == 0, among(connection, c.key, needs)
    )
    unmet = dict.fromkeys(needs, Wait(f"which {feed_id} does not know yet"))
    for key, state, rule, accepted in connection.execute(query):
        if accepted:
            del unmet[key]
        else:
            by = f" by {rule}" if rule and state not in _UNDERWAY else ""
            unmet[key] = Wait(
                f"which is {state}{by}", assumed=assume_sent and state in _UNDERWAY, left_out=state == State.EXCLUDED
            )
    return unmet
