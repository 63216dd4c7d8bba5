"""An order's lines, flattened: each unit and each amount once, whatever product types nest them.

| product | lines on the wire | our lines |
| --- | --- | --- |
| simple, virtual | one | that one |
| configurable | parent and child with the same SKU, money on the parent | the parent's |
| bundle with prices of its parts | parent with their sum, and the parts | the parts |
| bundle with a price of its own | parent with the price, parts at 0 | the parent's |

Pure. Source: Magento API contract 6.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from stokly_sync.flow import Json
from stokly_sync.systems.magento.documents.common import identity

BUNDLE: Final = "bundle"
CONFIGURABLE: Final = "configurable"


@dataclass(frozen=True)
class Line:
    """One line that counts: the vendor's line with its money, and the bundle that it was sold in."""

    item: Json
    bundle: Json | None = None
    parts: tuple[Json, ...] = field(default=())
    """Lines under this one that are not counted."""

    @property
    def id(self) -> str:
        """Id of the line."""
        return str(identity(self.item.get("item_id")))

    @property
    def sku(self) -> str | None:
        """SKU of the goods."""
        sku = self.item.get("sku")
        return sku if isinstance(sku, str) else None

    @property
    def virtual(self) -> bool:
        """Whether it is never shipped."""
        return self.item.get("is_virtual") in (1, True) or self.item.get("product_type") in ("virtual", "downloadable")

    @property
    def units_in_bundle(self) -> int | None:
        """Units of it in one of the bundle; None where it is in none, or where that is no whole number."""
        if self.bundle is None:
            return None
        own, whole = number(self.item, "qty_ordered"), number(self.bundle, "qty_ordered")
        return int(own / whole) if whole and own % whole == 0 else None

    @property
    def open(self) -> int:
        """Units that can still be shipped."""
        if self.virtual:
            return 0
        gone = sum(number(self.item, f"qty_{name}") for name in ("shipped", "canceled", "refunded"))
        return max(0, int(number(self.item, "qty_ordered") - gone))


def flatten(items: Sequence[Json]) -> list[Line]:
    """The lines that count, in the order of the wire."""
    ids = {item.get("item_id") for item in items}
    under: dict[Any, list[Json]] = {}
    for item in items:
        if item.get("parent_item_id") in ids:
            under.setdefault(item.get("parent_item_id"), []).append(item)
    found: list[Line] = []
    for item in items:
        if item.get("parent_item_id") in ids:
            continue
        parts = tuple(under.get(item.get("item_id"), ()))
        if item.get("product_type") == BUNDLE and _priced_by_parts(item, parts):
            found += [Line(part, bundle=item) for part in parts]
        else:
            found.append(Line(item, parts=parts))
    return found


def number(item: Mapping[str, Any], name: str) -> Decimal:
    """A number of a line; 0 where there is none."""
    value = item.get(name)
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal(0)


def _priced_by_parts(bundle: Json, parts: Sequence[Json]) -> bool:
    """Whether a bundle's money stands on its parts; a bundle given away is told by its composed SKU."""
    if any(number(part, "price") for part in parts):
        return True
    composed = "-".join(str(part.get("sku")) for part in parts)
    free = not number(bundle, "price") and not number(bundle, "row_total_incl_tax")
    return bool(parts) and free and str(bundle.get("sku")).endswith(f"-{composed}")
