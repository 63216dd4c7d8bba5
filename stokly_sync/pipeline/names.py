"""Names under which things appear in Dagster: asset keys, pools, job tags.

They are part of the state: schedules, sensors and histories are kept under them, so a name that changes loses its past.
"""

from __future__ import annotations

from typing import Final

import dagster as dg

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.flow import Feed, Lane, Team

DESTINATION_TAG: Final = "stokly/destination"
"""Run tag by brand, system and lane; `dagster.yaml` lets one run at a time through for each value."""

REASON_TAG: Final = "stokly/reason"
"""Run tag that says what the clock found to do."""

RUNTIME: Final = "runtime"
"""Name of the resource that every asset asks for."""


def dataset_key(dataset: str) -> dg.AssetKey:
    """`stokly.orders` -> `stokly/orders`."""
    return dg.AssetKey(dataset.split("."))


def load_key(feed: Feed) -> dg.AssetKey:
    """The asset that loads a feed, for example `ometria/orders`.

    Where the same system gives a dataset of that name, the asset of the dataset has the name and this one `_load`.
    """
    name = f"{feed.name}_load" if f"{feed.system}.{feed.name}" in DATASETS else feed.name
    return dg.AssetKey([feed.system, name])


def plan_key(feed: Feed) -> dg.AssetKey:
    """The asset that plans a feed, for example `ometria/orders_plan`."""
    return dg.AssetKey([feed.system, f"{feed.name}_plan"])


def system_key(system: str, part: str) -> dg.AssetKey:
    """An asset of a system as a whole, for example `ometria/reconciliation`."""
    return dg.AssetKey([system, part])


def lane_name(brand: str, system: str, lane: Lane, *, loads: bool = False) -> str:
    """Pool and tag value: one writer at a time for each brand, system and lane (X17, X20).

    What is loaded into a system that is read as well has lanes of its own: long loads must not stop the reading.
    """
    beside = loads and any(dataset.startswith(f"{system}.") for dataset in DATASETS)
    return f"{brand}_{system}_{lane}{'_loads' if beside else ''}"


def pool_of(brand: str, feed: Feed) -> str:
    """The pool of a feed: its own where it has one, else that of its lane."""
    return f"{brand}_{feed.system}_{feed.pool}" if feed.pool else lane_name(brand, feed.system, feed.lane, loads=True)


def owners(team: Team) -> list[str]:
    """The team as Dagster writes owners."""
    return [f"team:{team.value}"]
