"""Which orders and refunds count as sales: confirmed, paid, and held back by nothing (X5).

Belongs here: the form of the policy, its defaults, why an order is not confirmed, and the yes or no that derived rows
ask. What an order's status is called stands in `order_states`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from stokly_sync.contracts import columns

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


class ConfirmedOrders(BaseModel):
    """When an order counts as confirmed and may leave for marketing (X5), as settings say it; all must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: tuple[str, ...] = Field(("order",), description="Stages of a sale order that count.")
    payment_states: tuple[str, ...] = Field(
        ("paid",), description="Payment states that count; the word unknown stands for orders without one."
    )
    hold_tags: tuple[str, ...] = Field(("fraud-hold",), description="Tags that hold an order back.")
    needed_tags: tuple[str, ...] = Field((), description="Tags that an order must carry, all of them.")


@dataclass(frozen=True)
class Confirmation:
    """When an order counts as confirmed; all conditions must hold. Refunds count by a state of their own."""

    stages: tuple[str, ...] = ("order",)
    """Stages of a sale order that count."""
    payment_states: tuple[str, ...] = ("paid",)
    """Payment states that count; `unknown` stands for orders without one."""
    hold_tags: tuple[str, ...] = ("fraud-hold",)
    """Tags of which none may be there."""
    needed_tags: tuple[str, ...] = ()
    """Tags that must be there, all of them."""
    refund_states: tuple[str, ...] = ("completed",)
    """Refund states that count; a refund without one counts."""


def confirmed(orders: pd.DataFrame, policy: Confirmation) -> npt.NDArray[np.bool_]:
    """True for each row of `stokly.orders` that is live and confirmed; needs the columns that the policy looks at."""
    counts: npt.NDArray[np.bool_] = columns.flags(orders["live"]).copy()
    counts[list(not_confirmed(orders, policy))] = False
    return counts


def refund_counts(refunds: pd.DataFrame, policy: Confirmation) -> npt.NDArray[np.bool_]:
    """True for each row of `stokly.refunds` that is live and in a state that counts."""
    states = refunds["status"].isna() | refunds["status"].isin(list(policy.refund_states))
    return columns.flags(refunds["live"]) & states.to_numpy(dtype=np.bool_)


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
