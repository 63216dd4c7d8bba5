"""Marketplacer's vocabulary and shape, for drift (X22): carriers, brands, taxons, and members of open types.

Belongs here: small lists that rarely change. Source: Marketplacer API contract 3.1, 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stokly_sync.flow import Json
from stokly_sync.systems.marketplacer import queries
from stokly_sync.systems.marketplacer.client import MarketplacerClient


def reference(client: MarketplacerClient) -> Mapping[str, Sequence[Json]]:
    """Lists by kind, sorted by id; `members` says what the open members are called here."""
    lists = {"carriers": ("shipmentCarriers", queries.CARRIERS), "brands": ("brands", queries.BRANDS)}
    lists["taxons"] = ("taxons", queries.TAXONS)
    found: dict[str, Sequence[Json]] = {}
    for kind, (name, query) in lists.items():
        rows = [dict(node) for page in client.connection(query, name, {}) for node in page.nodes]
        found[kind] = sorted(rows, key=lambda row: str(row.get("id")))
    names = sorted(client.members.names.items())
    return {**found, "members": [{"name": name, "called": called} for name, called in names]}
