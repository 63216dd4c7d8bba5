"""When an order is confirmed, cancelled or complete, read from Stokly's stages, line statuses, payments and tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.systems.ometria.settings import Confirmed, OrderStatus

REMOVED_STAGE: Final = "removed"
UNKNOWN: Final = "unknown"
_LIST: Final = msgspec.json.Decoder(list[Any])


@dataclass(frozen=True)
class Cancelled:
    """For each order: whether it was removed in Stokly, and whether it was removed or all its lines cancelled."""

    removed: list[bool]
    either: list[bool]


def cancelled(orders: pd.DataFrame, status: OrderStatus) -> Cancelled:
    """Which orders of `stokly.orders` rows have ended without a sale."""
    removed = ~columns.flags(orders["live"]) | orders["stage"].eq(REMOVED_STAGE).to_numpy(dtype=bool)
    lines = _all_within(orders["item_statuses"], set(status.cancelled_lines))
    return Cancelled(removed.tolist(), (removed | lines).tolist())


def plain_status(orders: pd.DataFrame, status: OrderStatus) -> list[str]:
    """The status of each order before refunds are looked at."""
    ended = cancelled(orders, status).either
    done = _all_within(orders["item_statuses"], {*status.done_lines, *status.cancelled_lines})
    return [
        status.cancelled if gone else status.complete if complete else status.open
        for gone, complete in zip(ended, done.tolist(), strict=True)
    ]


def not_confirmed(orders: pd.DataFrame, policy: Confirmed) -> dict[int, str]:
    """Row numbers of orders that are not confirmed, with the reason (X5). Removed orders are not asked about."""
    reasons: dict[int, str] = {}
    stage, payment = orders["stage"], orders["payment_status"].fillna(UNKNOWN)
    for index in np.flatnonzero(~payment.isin(list(policy.payment_states)).to_numpy()).tolist():
        reasons[index] = f"payment is {payment.iloc[index]}"
    # Orders share few lists of tags; each distinct one is read once. Code -1, no tags, finds the last element.
    codes, lists = pd.factorize(orders["tags"])
    verdicts = [_held(set(_LIST.decode(tags)), policy) for tags in lists] + [_held(set(), policy)]
    for index in np.flatnonzero(np.array([why is not None for why in verdicts])[codes]).tolist():
        reasons[index] = verdicts[codes[index]] or ""
    for index in np.flatnonzero(~stage.isin(list(policy.stages)).to_numpy()).tolist():
        reasons[index] = f"stage is {stage.iloc[index]}"
    return reasons


def _held(tags: set[Any], policy: Confirmed) -> str | None:
    hold = next((tag for tag in policy.hold_tags if tag in tags), None)
    if hold is not None:
        return f"the tag {hold} holds it"
    lacking = next((tag for tag in policy.needed_tags if tag not in tags), None)
    return None if lacking is None else f"the tag {lacking} is not there"


def _all_within(statuses: pd.Series, wanted: set[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """True where there are line statuses and all of them are wanted; distinct lists are few, so each is read once."""
    codes, uniques = pd.factorize(statuses)
    fits = [bool(found := _LIST.decode(text)) and set(found) <= wanted for text in uniques]
    return np.array([*fits, False], dtype=np.bool_)[codes]
