"""Gates: a record waits until the records that it depends on were accepted by the same destination (X5).

Evaluated in bulk against the ledger. A record whose dependency is itself kept back waits with that reason, so that
people are led to the record that needs them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa

from stokly_sync.contracts import columns
from stokly_sync.delivery.decide import Wait
from stokly_sync.flow import Feed, Frames, Gate, State
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.tables import LEDGER

_UNDERWAY: Final = frozenset({State.PLANNED, State.SUBMITTED})


def gate_feed(feed: Feed, gate: Gate) -> str:
    """The id of the feed that a gate looks at; a gate may name it with or without the system."""
    return gate.feed if "/" in gate.feed else f"{feed.system}/{gate.feed}"


def waiting(
    connection: sa.Connection,
    feed: Feed,
    frames: Frames,
    due: Collection[str],
    *,
    brand: str,
    assume_sent: bool = False,
) -> Mapping[str, Wait]:
    """Those of the `due` keys that a gate keeps, with the reason in plain words.

    With `assume_sent` a dependency that is planned or submitted is taken for granted, and the wait says so: a plan
    that sends nothing would otherwise never get past the first feed.
    """
    kept: dict[str, Wait] = {}
    for gate in feed.gates:
        found = gate.keys(frames)
        pairs = zip(columns.keys(found["key"]), columns.texts(found["needs"]), strict=True)
        wanted = [(key, needs) for key, needs in pairs if needs is not None and key in due]
        if not wanted:
            continue
        needed = list(dict.fromkeys(needs for _, needs in wanted))
        unmet = _unmet(connection, gate_feed(feed, gate), needed, brand, assume_sent)
        for key, needs in ((key, needs) for key, needs in wanted if needs in unmet):
            wait = Wait(f"waits for {gate.waits_for} {needs}, {unmet[needs].reason}", unmet[needs].assumed)
            # A wait for something that may never come says more than one for what is underway.
            if key not in kept or (kept[key].assumed and not wait.assumed):
                kept[key] = wait
    return kept


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
            unmet[key] = Wait(f"which is {state}{by}", assumed=assume_sent and state in _UNDERWAY)
    return unmet
