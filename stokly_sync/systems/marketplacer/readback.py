"""What Marketplacer says it holds, and the same facts from our own documents (P6, P10).

Variants are counted by paging, because the list's own total counts adverts. Shipments and refunds are not read back
here: each was looked up when it was sent, and matching compares what was landed. Source: Marketplacer API contract 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import pandas as pd

from stokly_sync.flow import Facts, Json
from stokly_sync.systems.marketplacer import queries
from stokly_sync.systems.marketplacer.client import MarketplacerClient
from stokly_sync.systems.marketplacer.reading import variants

PRODUCT_FACTS: Final = ("price", "published")
STOCK_FACTS: Final = ("count_on_hand",)


def product_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of products that we have changed or made: price as text, and the seller's switch."""
    return _frame([_product(record) for record in records], PRODUCT_FACTS)


def stock_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of stock: the number that was set."""
    rows = [{"key": record["sku"], "count_on_hand": str(record["countOnHand"])} for record in records]
    return _frame(rows, STOCK_FACTS)


def read_products(client: MarketplacerClient) -> Iterator[Facts]:
    """Live variants with a SKU: price and switch."""
    for page in variants(client, queries.listings(client.members), None, levels_only=False):
        rows = [
            {
                "key": str(node["sku"]),
                "price": _number(node.get("variant_price") or node.get("lowestPrice")),
                "published": _flag(bool(node.get("published"))),
            }
            for node in page.documents
            if node.get("sku") and (node.get("advert") or {}).get("__typename") != "DeletedAdvert"
        ]
        yield Facts(_frame(rows, PRODUCT_FACTS))


def read_stock(client: MarketplacerClient) -> Iterator[Facts]:
    """Stock of every variant with a SKU."""
    for page in variants(client, queries.levels(), None, levels_only=True):
        rows = [{"key": str(n["sku"]), "count_on_hand": str(n.get("countOnHand"))} for n in page.documents]
        yield Facts(_frame(rows, STOCK_FACTS))


def _product(record: Mapping[str, Any]) -> Mapping[str, str | None]:
    told = record.get("attributes") or record["advert"]["variants"][0]
    return {"key": told["sku"], "price": _number(told.get("price")), "published": _flag(bool(told["published"]))}


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _number(value: Any) -> str | None:
    """A number as text that does not depend on how it was written."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _frame(rows: Sequence[Mapping[str, str | None]], names: Sequence[str]) -> pd.DataFrame:
    size = len(rows)
    data: dict[str, Any] = {
        "key": pd.Series([row["key"] for row in rows], dtype="str"),
        "value": pd.array([None] * size, dtype="Int64"),
        "refunded": pd.array([None] * size, dtype="Int64"),
        "currency": pd.Series([None] * size, dtype="str"),
    }
    for name in names:
        data[name] = pd.Series([row[name] for row in rows], dtype="str")
    return pd.DataFrame(data)
