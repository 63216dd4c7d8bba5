"""Both sides of a destination gathered, compared, stored, and turned into findings (X7, X8).

Our side is built anew from landed rows, not read from the ledger: a sync that believes itself must not be its own
witness. The ledger only explains. Where a destination cannot be read back, its accepted records in the ledger stand in
for it and the result says so.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.consent import CONSENTS
from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.delivery.loading import load
from stokly_sync.flow import Built, Facts, Feed, State
from stokly_sync.reconciliation.compare import Comparison, Difference, Side, compare, totals
from stokly_sync.reconciliation.keeping import keep
from stokly_sync.warehouse.bulk import stream_frames
from stokly_sync.warehouse.exceptions import EXCLUDED, IGNORED, OPEN
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import BOOKED, EXCEPTIONS, LANDED, LEDGER

CHUNK_KEYS: Final = 5_000
# What a destination takes asynchronously it may show a moment late: look twice before saying that it differs.
SECOND_LOOK_S: Final = 2.0
DERIVED: Final = CONSENTS.name.partition(".")[0]
HOME: Final = CUSTOMERS.name.partition(".")[0]

_EMPTY: Final = pd.DataFrame(
    {
        "key": pd.Series(dtype="str"),
        "value": pd.Series(dtype="Int64"),
        "refunded": pd.Series(dtype="Int64"),
        "currency": pd.Series(dtype="str"),
    }
)


@dataclass
class Ours:
    """Our side of one feed, from landed rows."""

    facts: pd.DataFrame
    source_count: int = 0
    source_totals: Counter[str] = field(default_factory=Counter)
    kept_back: dict[str, str] = field(default_factory=dict)
    """Rule by key, for records without a document."""
    kept_back_totals: Counter[str] = field(default_factory=Counter)


def reconcile(warehouse: Warehouse, feeds: Sequence[Feed], client: Any, *, run_id: str) -> list[Comparison]:
    """Compare every feed of one destination; store the results, raise or clear one finding a feed.

    Reads everything that the destination says it holds. Raises what the client raises; then nothing is stored.
    """
    found = [_compare(warehouse, feed, client) for feed in feeds]
    now = datetime.now(UTC)
    with warehouse.transaction() as conn:
        for feed, comparison in zip(feeds, found, strict=True):
            keep(conn, warehouse.brand, feed, comparison, run_id=run_id, now=now)
    return found


def _compare(warehouse: Warehouse, feed: Feed, client: Any) -> Comparison:
    with warehouse.reading() as conn:
        ledger = _ledger(conn, warehouse.brand, feed)
        ours = _ours(conn, warehouse.brand, feed, ledger.held)
        held_out = _contract_problems(conn, warehouse.brand, feed)
        broken = _broken_there(conn, warehouse.brand, feed)
    explanations = ledger.explanations | ours.kept_back | held_out.absent | held_out.landed

    def look() -> Comparison:
        theirs = _theirs(feed, client, ledger)
        return _result(feed, ours, theirs, _explained_there(theirs, broken) | explanations, held_out, ledger.in_doubt)

    comparison = look()
    if comparison.unexplained and feed.read_back is not None:
        time.sleep(SECOND_LOOK_S)
        comparison = look()
    return comparison


def _broken_there(conn: sa.Connection, brand: str, feed: Feed) -> dict[str, str]:
    """Records of the destination whose rows break their contract, by its own key, with the rule."""
    if feed.mirror is None:
        return {}
    e = EXCEPTIONS.c
    query = sa.select(e.key, sa.func.min(e.rule)).where(
        e.brand == brand, e.subject == feed.mirror, e.state.in_((OPEN, IGNORED, EXCLUDED))
    )
    return {row[0]: row[1] for row in conn.execute(query.group_by(e.key))}


def _explained_there(theirs: pd.DataFrame, broken: Mapping[str, str]) -> dict[str, str]:
    """The rule by the key of the facts, for records that are broken with the destination itself."""
    if not broken or "there" not in theirs:
        return {}
    pairs = zip(theirs["key"], theirs["there"], strict=True)
    return {key: broken[there] for key, there in pairs if there in broken}


def _result(
    feed: Feed,
    ours: Ours,
    theirs: pd.DataFrame,
    explanations: dict[str, str],
    held_out: _HeldOut,
    in_doubt: int,
) -> Comparison:
    compared = feed.compared if feed.read_back is not None else ()
    if feed.shared:
        theirs = theirs[theirs["key"].isin(ours.facts["key"])]
    differences: list[Difference] = compare(ours.facts, theirs, compared=compared, explanations=explanations)
    return Comparison(
        feed=feed.id,
        source=Side(ours.source_count + len(held_out.absent), dict(ours.source_totals)),
        ours=_side(ours.facts),
        theirs=_side(theirs),
        differences=tuple(differences),
        kept_back=Counter([*held_out.absent.values(), *ours.kept_back.values()]),
        kept_back_totals=dict(ours.kept_back_totals),
        in_doubt=in_doubt,
        came_from=_source(feed),
        read_back=feed.read_back is not None,
    )


def _source(feed: Feed) -> str:
    """The system that the rows of a feed come from; what is derived has no system of its own in its name."""
    source = feed.dataset.partition(".")[0]
    return HOME if source == DERIVED else source


def _side(facts: pd.DataFrame) -> Side:
    return Side(len(facts), totals(facts, "value"), totals(facts, "refunded"))


@dataclass(frozen=True)
class _Ledger:
    explanations: dict[str, str]
    accepted: pd.DataFrame
    held: frozenset[str]
    """Keys that the destination has accepted in some version."""
    in_doubt: int


def _ledger(conn: sa.Connection, brand: str, feed: Feed) -> _Ledger:
    c = LEDGER.c
    query = sa.select(c.key, c.state, c.rule, c.accepted_at, c.value, c.currency).where(
        c.brand == brand, c.feed == feed.id
    )
    explanations: dict[str, str] = {}
    accepted = [_EMPTY]
    in_doubt = 0
    for frame in stream_frames(conn, query):
        held = frame[frame["accepted_at"].notna()]
        accepted.append(held[["key", "value", "currency"]].assign(refunded=pd.array([None] * len(held), dtype="Int64")))
        waiting = frame[~frame["state"].isin([State.ACCEPTED, State.PLANNED])]
        in_doubt += int((waiting["state"] == State.IN_DOUBT).sum())
        explained = waiting[waiting["state"] != State.IN_DOUBT]
        explanations |= dict(zip(explained["key"], explained["rule"].fillna(explained["state"]), strict=True))
    known = pd.concat(accepted, ignore_index=True) if feed.append is None else _booked(conn, brand, feed)
    return _Ledger(explanations, known, frozenset(known["key"]), in_doubt)


def _booked(conn: sa.Connection, brand: str, feed: Feed) -> pd.DataFrame:
    """What an append-only destination confirmed of each record, summed over everything that was ever added."""
    c = BOOKED.c
    total = sa.cast(sa.func.sum(c.value), sa.BigInteger).label("value")
    query = (
        sa.select(c.key, total, sa.func.max(c.currency).label("currency"))
        .where(c.brand == brand, c.feed == feed.id)
        .group_by(c.key)
    )
    known = pd.concat([_EMPTY, *stream_frames(conn, query)], ignore_index=True)
    return known.assign(refunded=pd.array([None] * len(known), dtype="Int64"))


def _ours(conn: sa.Connection, brand: str, feed: Feed, held: frozenset[str]) -> Ours:
    """Build every landed record anew, chunk by chunk, and keep its facts only."""
    ours = Ours(_EMPTY)
    parts = [_EMPTY]
    for keys in _key_chunks(conn, brand, feed):
        frames = load(conn, feed, keys, brand=brand)
        built = feed.build(frames)
        documents = {d.key: d for d in built.documents}
        kept = {p.key: p.rule for p in built.kept_back if p.key not in documents or p.key not in held}
        sent = [d for key, d in documents.items() if key not in kept]
        parts.append(_facts(feed, Built(sent)))
        ours.source_count += len(keys)
        ours.kept_back |= kept
        _add_totals(ours, frames[feed.dataset], feed, set(kept))
    ours.facts = pd.concat(parts, ignore_index=True)
    return ours


def _facts(feed: Feed, built: Built) -> pd.DataFrame:
    keys = [d.key for d in built.documents]
    if feed.facts is not None and feed.read_back is not None:
        return feed.facts([d.body for d in built.documents]).assign(feed_key=pd.Series(keys, dtype="str"))
    return pd.DataFrame(
        {
            "key": pd.Series(keys, dtype="str"),
            "value": pd.array([d.value for d in built.documents], dtype="Int64"),
            "refunded": pd.array([None] * len(keys), dtype="Int64"),
            "currency": pd.Series([d.currency for d in built.documents], dtype="str"),
            "feed_key": pd.Series(keys, dtype="str"),
        }
    )


def _add_totals(ours: Ours, root: pd.DataFrame, feed: Feed, kept: set[str]) -> None:
    if feed.source_value is None:
        return
    amounts = root.rename(columns={feed.source_value: "value"})[[feed.key, "value", "currency"]]
    for currency, amount in totals(amounts, "value").items():
        ours.source_totals[currency] += amount
    for currency, amount in totals(amounts[amounts[feed.key].isin(kept)], "value").items():
        ours.kept_back_totals[currency] += amount


def _key_chunks(conn: sa.Connection, brand: str, feed: Feed) -> Iterator[list[str]]:
    """All landed keys of a feed in ascending order, a chunk at a time by key, so that no cursor stays open."""
    table = LANDED[feed.dataset]
    key, after = table.c[feed.key], ""
    while True:
        query = sa.select(key).distinct().where(table.c.brand == brand, key > after).order_by(key).limit(CHUNK_KEYS)
        keys = list(conn.execute(query).scalars())
        if not keys:
            return
        yield keys
        after = keys[-1]


@dataclass(frozen=True)
class _HeldOut:
    """Rows whose latest state broke their contract, by the rule that says why."""

    absent: dict[str, str]
    """By the dataset's key: rows that were never landed, so that the source holds them and nobody else does."""
    landed: dict[str, str]
    """By the feed's key: rows that have an older state which passed, and may have been delivered."""


def _contract_problems(conn: sa.Connection, brand: str, feed: Feed) -> _HeldOut:
    e, root = EXCEPTIONS.c, LANDED[feed.dataset]
    same = sa.and_(root.c.brand == e.brand, root.c[DATASETS[feed.dataset].key] == e.key)
    query = (
        sa.select(e.key, root.c.brand.is_not(None), root.c[feed.key], sa.func.min(e.rule))
        .select_from(EXCEPTIONS.outerjoin(root, same))
        .where(e.brand == brand, e.subject == feed.dataset, e.state.in_((OPEN, IGNORED, EXCLUDED)))
        .group_by(e.key, root.c.brand, root.c[feed.key])
    )
    rows = list(conn.execute(query))
    absent = {key: rule for key, there, _, rule in rows if not there}
    return _HeldOut(absent, {own: rule for _, there, own, rule in rows if there and own is not None})


def _theirs(feed: Feed, client: Any, ledger: _Ledger) -> pd.DataFrame:
    if feed.read_back is None:
        return ledger.accepted
    pages: Iterator[Facts] = feed.read_back(client)
    return pd.concat([_EMPTY, *(page.frame for page in pages)], ignore_index=True)
