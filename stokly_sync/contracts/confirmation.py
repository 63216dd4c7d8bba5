"""Which orders and refunds count as sales, as one value that a brand chooses (X5).

Belongs here: the policy with its defaults, and the yes or no that derived rows ask of it. Why an order is not confirmed
is said in `order_states`; the policy has the form that its functions ask for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.order_states import not_confirmed


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
