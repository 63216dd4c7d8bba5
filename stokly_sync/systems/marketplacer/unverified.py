"""Everything about Marketplacer's schema that nobody has proven: names of members, and which of them are there.

The vendor publishes no schema. Members whose names were not seen stand here with what they may be called, in the
order of likelihood; the server is asked once which of its types has which (`introspection`), a setting overrules it.
What is absent is left out of queries, because one unknown member makes a whole query fail. No I/O here. Source:
Marketplacer API contract 4.1, 6, 12.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CANDIDATES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    # What one unit costs, in pence.
    "line_cost": (
        "LineItem",
        ("costCents", "unitCostCents", "unitPriceCents", "itemCostCents", "priceCents", "costAmountCents"),
    ),
    # What the whole line costs, in pence.
    "line_total": ("LineItem", ("totalCents", "subtotalCents", "lineTotalCents", "amountCents")),
    "line_tax": ("LineItem", ("taxCents", "costTaxCents", "totalTaxCents", "taxTotalCents", "taxAmountCents")),
    "line_postage": ("LineItem", ("postageCents", "postageAmountCents", "postageTotalCents")),
    "line_postage_tax": ("LineItem", ("postageTaxCents", "postageTaxAmountCents")),
    "postage": ("Invoice", ("postageCents", "postageTotalCents", "postageAmountCents", "shippingCents")),
    "postage_tax": ("Invoice", ("postageTaxCents", "postageTaxTotalCents", "postageTaxAmountCents")),
    "tax": ("Invoice", ("taxCents", "taxTotalCents", "totalTaxCents", "taxAmountCents")),
    "updated_at": ("Invoice", ("updatedAt",)),
    "country": ("Address", ("countryCode", "country")),
    # The price that was set; the lowest one may be a sale's.
    "variant_price": ("Variant", ("editablePrice", "price")),
    "request_at": ("RefundRequest", ("createdAt",)),
    "request_updated": ("RefundRequest", ("updatedAt",)),
    "request_legacy": ("RefundRequest", ("legacyId",)),
    "request_quantity": ("RefundRequestLineItem", ("quantity",)),
    "request_line": ("RefundRequestLineItem", ("lineItem",)),
    "request_dispatched": ("RefundRequestLineItem", ("dispatched",)),
    "request_amount": ("RefundRequestLineItem", ("amountPerItemCents", "amountCents")),
    "remittances": ("Query", ("remittanceAdvices", "allRemittanceAdvices", "remittanceAdvicesWhere")),
}
"""Our name of each open member: the type that has it, and what it may be called."""

_MONEY: Final = ("InvoiceAmendment", "InvoiceAmendmentLineItem", "Remittance", "RemittanceAdvice")
TYPES: Final = (*dict.fromkeys(type_ for type_, _ in CANDIDATES.values()), *_MONEY)
INTROSPECTION: Final = (
    "query Members {"
    + " ".join(
        f'{type_}: __type(name: "{type_}") '
        "{ fields(includeDeprecated: true) { name type { kind ofType { kind } } } }"
        for type_ in TYPES
    )
    + " }"
)
"""One request that tells which members the types have."""
_LEAVES: Final = frozenset({"SCALAR", "ENUM"})
_OBJECTS: Final = frozenset({"request_line", "remittances"})


@dataclass(frozen=True)
class Members:
    """The open members by our name, under the names that this server has for them; those absent are not there."""

    names: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, frozenset[str]] | None = None
    """All members by type, where the server told them."""

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def selected(self, *names: str) -> str:
        """Those of the members that are there, for a selection; each under our own name as an alias."""
        return " ".join(f"{name}: {self.names[name]}" for name in names if name in self.names)

    def amounts(self, type_: str, *bases: str) -> str:
        """Amounts of a type, for a selection: in pence while the server has that, else as its text.

        The whole numbers are announced to go. Source: Marketplacer API contract 2.4.
        """
        held = None if self.held is None else self.held.get(type_, frozenset())
        found = []
        for base in bases:
            names = [base + ending for ending in ("Cents", "Formatted")]
            found += names[:1] if held is None else [name for name in names if name in held][:1]
        return " ".join(found)


def members(told: Mapping[str, Any] | None, overruled: Mapping[str, str]) -> Members:
    """Which members there are, by what the server told of its types; the likeliest names where it tells nothing."""
    found: dict[str, str] = {}
    for ours, (type_, names) in CANDIDATES.items():
        held = _fields_of(told, type_, leaves=ours not in _OBJECTS) if told is not None else None
        chosen = overruled.get(ours) or _first(names, held, ours)
        if chosen:
            found[ours] = chosen
    return Members(found, None if told is None else {t: frozenset(_fields_of(told, t, leaves=False)) for t in TYPES})


_UNTOLD: Final = frozenset({"line_cost", "remittances"})
"""What is taken for granted where a server does not tell of its types: nothing can be done without."""


def _first(names: tuple[str, ...], held: Collection[str] | None, ours: str) -> str | None:
    if held is None:
        return names[0] if ours in _UNTOLD else None
    return next((name for name in names if name in held), None)


def _fields_of(told: Mapping[str, Any], type_: str, *, leaves: bool) -> set[str]:
    fields = (told.get(type_) or {}).get("fields") or []
    return {f["name"] for f in fields if not leaves or _kind(f) in _LEAVES}


def _kind(member: Mapping[str, Any]) -> str | None:
    kind = member.get("type") or {}
    return (kind.get("ofType") or {}).get("kind") if kind.get("kind") == "NON_NULL" else kind.get("kind")
