"""The tracked tables of the demo, `data/demo/*.csv`, as values.

Belongs here: finding and reading them. What is made of them is in the other `demo_*` modules.
"""

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.words import make_id

DIRECTORY = Path(__file__).resolve().parents[3] / "data" / "demo"
"""Where a clone keeps the tables."""


@dataclass(frozen=True)
class CatalogueItem:
    """One row of `items.csv`; `price` is net, GBP, None on a variable parent; `parts` is (sku, quantity)."""

    product: Product
    format: str
    type_name: str
    price: Decimal | None
    parent: str
    colour: str
    size: str
    parts: tuple[tuple[str, int], ...]
    warehouse: int
    shop: int

    @property
    def sku(self) -> str:
        """The item's SKU."""
        return self.product.sku

    @property
    def stocked(self) -> bool:
        """Whether stock is kept of it."""
        return self.format in ("simple", "composite")


@dataclass(frozen=True)
class Place:
    """One row of `places.csv`."""

    city: str
    region: str
    postcode: str
    country: str
    currency: str
    weight: int


def read_items(directory: Path = DIRECTORY) -> list[CatalogueItem]:
    """The demo's catalogue, in the file's order.

    Raises:
        FileNotFoundError: if the tables are not there, which is so where no clone is.
    """
    return [_item(row) for row in _rows(directory / "items.csv")]


def read_places(directory: Path = DIRECTORY) -> list[Place]:
    """The places of the demo's customers; raises as `read_items`."""
    return [
        Place(
            city=row["city"],
            region=row["region"],
            postcode=row["postcode"],
            country=row["country"],
            currency=row["currency"],
            weight=int(row["weight"]),
        )
        for row in _rows(directory / "places.csv")
    ]


def _item(row: dict[str, str]) -> CatalogueItem:
    parts = [part.split("*") for part in row["parts"].split("+") if part]
    return CatalogueItem(
        product=Product(make_id("item", row["sku"]), row["sku"], row["name"]),
        format=row["format"],
        type_name=row["type"],
        price=Decimal(row["price"]) if row["price"] else None,
        parent=row["parent"],
        colour=row["colour"],
        size=row["size"],
        parts=tuple((sku, int(quantity)) for sku, quantity in parts),
        warehouse=int(row["warehouse"] or 0),
        shop=int(row["shop"] or 0),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise FileNotFoundError(
            f"The demo's seed table {path} is not there. Run from a clone of the project, "
            "or start the sandbox with another seed (minimal, empty, or a transactions file)."
        )
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
