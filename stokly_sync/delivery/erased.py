"""Records of people who were erased, as a plan sees them: left out under a rule of their own, whatever they say (X14).

A person's own records (who they are, their orders) are left out everywhere. What belongs to those (dispatches, refunds,
choices) is left out where the destination forgets people; elsewhere it goes on, because goods and money must be
accounted for, and there is nothing personal in it any more.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from stokly_sync.contracts import columns, erasure
from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.delivery.rules import ERASED
from stokly_sync.flow import Built, Feed, Frames, Problem
from stokly_sync.warehouse import erasures


def of_erased(connection: sa.Connection, feed: Feed, frames: Frames, *, brand: str, belongings: bool) -> frozenset[str]:
    """Keys of the feed whose rows are all about somebody who was erased."""
    dataset, root = DATASETS[feed.dataset], frames[feed.dataset]
    if root.empty or not erasure.leads(dataset) or not erasures.anybody(connection, brand):
        return frozenset()
    known = erasures.known(connection, brand, erasure.digests(dataset, root))
    mask = erasure.about(dataset, root, known, own=not belongings)
    left = set(columns.texts(root.loc[~mask, feed.key]))
    return frozenset(key for key in columns.keys(root.loc[mask, feed.key].dropna()) if key not in left)


def without(built: Built, erased: Collection[str]) -> Built:
    """The same without documents of those keys, which are kept back by the rule instead."""
    if not erased:
        return built
    kept = [problem for problem in built.kept_back if problem.key not in erased]
    return Built(
        [document for document in built.documents if document.key not in erased],
        kept + [Problem(key, ERASED, "the person was erased") for key in sorted(erased)],
        built.held,
    )
