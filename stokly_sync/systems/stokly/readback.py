"""What Stokly says it holds of a channel's orders, for reconciliation, and the same of our documents (X7, G7, P10).

The key is the channel's number, because that is what both sides have. Source: Stokly API contract 3.2, 5 (1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from stokly_sync.contracts.money import nano
from stokly_sync.flow import Facts, Json
from stokly_sync.systems.stokly.client import StoklyClient
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.stokly.lookups import channel_id
from stokly_sync.systems.stokly.paging import Listing, by_time
from stokly_sync.systems.stokly.unverified import CREATED, PROVEN_PATHS


def read_orders(client: StoklyClient, *, channel: str) -> Iterator[Facts]:
    """Number, total and currency of each live order of a channel, from the time on from which it is imported."""
    mine = where("sourceId").equals(channel_id(client, channel)) & where("stage").differs("removed")
    listing = Listing(PROVEN_PATHS["orders"], ("saleOrderId",), base=mine)
    since = client.settings.channel(channel).orders_from
    for page in by_time(client, listing, field=CREATED["orders"], since=since):
        rows = [
            (str(row.get("sourceReferenceId")), _nano(row.get("displayTotal")), _code(row.get("currency")))
            for row in page.rows
        ]
        ids = pd.Series([str(row["saleOrderId"]) for row in page.rows], dtype="str")
        yield Facts(_frame(rows).assign(there=ids))


def order_facts(bodies: Sequence[Json]) -> pd.DataFrame:
    """The same of the documents that we send: what their lines and shipping add up to."""
    return _frame([(_number(body), _total(body["order"]), body["order"].get("currency")) for body in bodies])


def _number(body: Json) -> str:
    return str(body["order"]["sourceReferenceId"])


def _total(order: Json) -> int:
    shipping = order.get("shipping", {})
    parts = [line["displayLinePrice"] + line["displayLineTax"] for line in order.get("items", ())]
    return nano(sum([*parts, shipping.get("cost", 0), shipping.get("tax", 0)], Decimal(0)))


def _code(value: Any) -> str | None:
    """A currency; what is none is missing, because totals are named by it and what somebody typed may be anything."""
    return value if isinstance(value, str) and re.fullmatch("[A-Z]{3}", value) else None


def _nano(value: Any) -> int | None:
    """An amount in nano units; one that is none, or cannot be kept exactly, is missing: its row is an exception."""
    try:
        return None if value is None else nano(value)
    except ValueError:
        return None


def _frame(rows: Sequence[tuple[str, int | None, str | None]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "key": pd.Series([row[0] for row in rows], dtype="str"),
            "value": pd.array([row[1] for row in rows], dtype="Int64"),
            "refunded": pd.array([None] * len(rows), dtype="Int64"),
            "currency": pd.Series([row[2] for row in rows], dtype="str"),
        }
    )
