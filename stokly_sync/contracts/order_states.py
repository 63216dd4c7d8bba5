"""Whether an order is open, complete or cancelled, read from Stokly's stages and line statuses.

Every destination asks the same questions of the same rows; what the answers are called is said by its settings, of
which only the form is known here. Whether an order counts at all stands in `confirmation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import pandas as pd

from stokly_sync.contracts import columns

REMOVED_STAGE: Final = "removed"
_LIST: Final = msgspec.json.Decoder(list[Any])


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


def _all_within(statuses: pd.Series, wanted: set[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """True where there are line statuses and all of them are wanted; distinct lists are few, so each is read once."""
    codes, uniques = pd.factorize(statuses)
    fits = [bool(found := _LIST.decode(text)) and set(found) <= wanted for text in uniques]
    return np.array([*fits, False], dtype=np.bool_)[codes]
