"""When an order is confirmed, cancelled or complete, read from Stokly's stages, line statuses, payments and tags.

Every destination asks the same questions of the same rows; which answers it wants is said by its settings, of which
only the form is known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import pandas as pd

from stokly_sync.contracts import columns

REMOVED_STAGE: Final = "removed"
UNKNOWN: Final = "unknown"
_LIST: Final = msgspec.json.Decoder(list[Any])


class Confirmed(Protocol):
    """When an order counts as confirmed (X5); all conditions must hold."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages of a sale order that count."""

    @property
    def payment_states(self) -> tuple[str, ...]:
        """Payment states that count; `unknown` stands for orders without one."""

    @property
    def hold_tags(self) -> tuple[str, ...]:
        """Tags that hold an order back."""

    @property
    def needed_tags(self) -> tuple[str, ...]:
        """Tags that an order must carry, all of them."""


class OrderStatus(Protocol):
    """What an order's status is called at a destination, and which line statuses lead there."""

    @property
    def open(self) -> str:
        """Confirmed, not yet sent in full."""

    @property
    def complete(self) -> str:
        """Every line has left, been collected or come back."""

    @property
    def cancelled(self) -> str:
        """Removed in Stokly, or every line cancelled."""

    @property
    def done_lines(self) -> tuple[str, ...]:
        """Line statuses in Stokly that need nothing more."""

    @property
    def cancelled_lines(self) -> tuple[str, ...]:
        """Line statuses in Stokly that mean cancelled."""


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
