"""Stokly and Magento held against each other, for what no feed sees (G1, G3, G4, G5).

Belongs here: SKUs that only one side has, or that differ in letter case; orders cancelled in Stokly alone or that only
one side knows; shipments and credit memos that Stokly lacks. Pure: frames in, problems out; each closes by itself
once it is not found any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from stokly_sync.contracts.channels import CREDIT_MISSING, MAGENTO, ORDER_BUNDLE
from stokly_sync.contracts.money import text
from stokly_sync.contracts.order_states import REMOVED_STAGE
from stokly_sync.flow import Frames, Json, Matching, Problem
from stokly_sync.systems.magento import order_rules, rules
from stokly_sync.systems.magento.documents.common import records
from stokly_sync.systems.magento.documents.goods import COMPOSED
from stokly_sync.systems.magento.documents.lines import BUNDLE
from stokly_sync.systems.magento.documents.orders import OVER
from stokly_sync.systems.magento.documents.refunds import (
    Refund,
    matched,
    memos_by_order,
    refund_of,
    units_of,
)
from stokly_sync.systems.magento.documents.stock import is_ours
from stokly_sync.systems.magento.settings import MagentoSettings
from stokly_sync.systems.transport import decode

_CANCELLED: Final = frozenset({"cancelled"})
_COMPLETED: Final = "completed"
_OF_STOKLY: Final = ("order_id", "channel_reference", "source_type", "channel_id", "live", "stage", "item_statuses")
_REFUND: Final = ("refund_id", "order_id", "total", "currency", "reason", "live", "status", "created_at")
_REFUND_LINES: Final = ("refund_id", "sku", "quantity")


_MEMO: Final = (
    *("refund_id", "order_id", "number", "state", "currency", "total", "tax", "reference", "created_at", "live"),
)


def matchings(settings: MagentoSettings) -> tuple[Matching, ...]:
    """What is held against each other when Magento is reconciled."""
    return (_SKUS, _BUNDLES, _orders(settings), _refunds(settings))


def _orders(settings: MagentoSettings) -> Matching:
    return Matching(
        name="orders",
        subject="magento/order_matching",
        description="Orders of the shop that only one side has, or that only Stokly has cancelled.",
        needs={
            "stokly.orders": _OF_STOKLY,
            "stokly.dispatches": ("order_id", "live"),
            "magento.orders": ("order_id", "number", "state", "placed_at", "live"),
            "magento.shipments": ("order_id", "live"),
        },
        find=partial(order_problems, settings=settings),
        known_in=("stokly/magento_orders",),
    )


def _refunds(settings: MagentoSettings) -> Matching:
    return Matching(
        name="refunds",
        subject="magento/refund_matching",
        description="Credit memos that Stokly has no refund for, with the VAT that is overstated until it has.",
        needs={
            "stokly.orders": _OF_STOKLY,
            "stokly.refunds": (*_REFUND, "credit_note_id"),
            "stokly.refund_lines": _REFUND_LINES,
            "stokly.credit_notes": ("credit_note_id", "order_id", "value", "currency", "live", "created_at"),
            "magento.orders": ("order_id", "number"),
            "magento.refunds": _MEMO,
            "magento.refund_lines": _REFUND_LINES,
        },
        find=partial(refund_problems, settings=settings),
        known_in=("stokly/magento_refunds",),
    )


def sku_problems(frames: Frames) -> list[Problem]:
    """Enabled products whose SKU no live item has, by SKU.

    Composed products without a price of their own never stand in an order by their SKU and are left out.
    """
    ours = {row["sku"] for row in records(frames["stokly.items"]) if row["live"] and row["sku"] is not None}
    alike = {plain(sku): sku for sku in ours}
    found: list[Problem] = []
    for row in records(frames["magento.listings"]):
        sku = row["sku"]
        if sku is None or sku in ours or not row["live"] or not row["enabled"]:
            continue
        twin = alike.get(plain(sku))
        if twin is not None:
            found.append(Problem(sku, rules.SKU_CASE.code, f"{sku!r} in Magento, {twin!r} in Stokly"))
        elif row["kind"] not in COMPOSED or row["price"] is not None:
            found.append(Problem(sku, rules.LISTING_ROGUE.code, f"product {row['listing_id']} of type {row['kind']}"))
    return found


def plain(sku: str) -> str:
    """A SKU as Magento compares it: without regard to letter case and blanks at its ends."""
    return sku.strip().casefold()


def bundle_problems(frames: Frames) -> list[Problem]:
    """Open orders with a bundle whose SKU is no product, by order id."""
    listed = {row["sku"] for row in records(frames["magento.listings"]) if row["live"]}
    found: dict[str, Problem] = {}
    lines = frames["magento.order_lines"]
    for row in records(lines[(lines["kind"] == BUNDLE).fillna(value=False).to_numpy(dtype=bool)]):
        if row["open"] and row["sku"] not in listed:
            found[row["order_id"]] = Problem(row["order_id"], ORDER_BUNDLE[MAGENTO], f"bundle {row['sku']}")
    return list(found.values())


_SKUS: Final = Matching(
    name="skus",
    subject="magento/sku_matching",
    description="SKUs of Magento that Stokly does not have, and those that differ in letter case alone.",
    needs={
        "stokly.items": ("sku", "live"),
        "magento.listings": ("listing_id", "sku", "kind", "price", "enabled", "live"),
    },
    find=sku_problems,
)
_BUNDLES: Final = Matching(
    name="bundles",
    subject="magento/bundle_matching",
    description="Open orders that name a bundle by a SKU that is no product.",
    needs={
        "magento.order_lines": ("order_id", "sku", "kind", "open"),
        "magento.listings": ("sku", "live"),
    },
    find=bundle_problems,
    known_in=("stokly/magento_orders",),
)


def order_problems(
    frames: Frames, settings: MagentoSettings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> list[Problem]:
    """Orders of the shop that only one side knows, has cancelled or has shipped.

    By their number, as Stokly calls them; those that only the shop has by its own id.
    """
    there = {row["number"]: row for row in records(frames["magento.orders"]) if row["live"]}
    dispatched = {row["order_id"] for row in records(frames["stokly.dispatches"]) if row["live"]}
    shipped = {row["order_id"] for row in records(frames["magento.shipments"]) if row["live"]}
    by_number: dict[str, list[Json]] = {}
    for row in records(frames["stokly.orders"]):
        if is_ours(row, settings):
            by_number.setdefault(row["channel_reference"], []).append(row)
    found: list[Problem] = []
    for number, rows in by_number.items():
        order, alive = there.get(number), [row for row in rows if not is_cancelled(row)]
        if order is None:
            if alive:
                told = f"order {alive[0]['order_id']} of Stokly"
                found.append(Problem(number, order_rules.ORDER_ORPHAN.code, told))
        elif not alive and order["state"] not in OVER:
            told = f"it is {order['state']} in Magento"
            found.append(Problem(number, order_rules.CANCELLED_ONLY_IN_STOKLY.code, told))
        # An account that tells of no dispatches at all cannot be asked which are missing.
        elif alive and dispatched and order["order_id"] in shipped and not dispatched & {r["order_id"] for r in alive}:
            found.append(Problem(number, order_rules.SHIPPED_ONLY_HERE.code, "it has shipments in Magento alone"))
    return [*found, *_only_in_the_shop(there, by_number, settings, now())]


def _only_in_the_shop(
    there: Mapping[str, Json], ours: Collection[str], settings: MagentoSettings, now: datetime
) -> Iterator[Problem]:
    """Confirmed orders that nobody will fulfil: open for longer than an import takes, and not in Stokly."""
    late = now - timedelta(minutes=settings.import_minutes)
    for number, order in there.items():
        waits = order["state"] in ("open", "part_shipped") and order["placed_at"] < late
        if settings.order_import and waits and number not in ours:
            told = f"Stokly has no order with the number {number}"
            yield Problem(order["order_id"], order_rules.ORDER_ORPHAN.code, told)


def is_cancelled(order: Json) -> bool:
    """Whether an order of Stokly was removed, or every line of it cancelled."""
    statuses = set(decode(order["item_statuses"].encode())) if order["item_statuses"] else set()
    return not order["live"] or order["stage"] == REMOVED_STAGE or (bool(statuses) and statuses <= _CANCELLED)


def refund_problems(frames: Frames, settings: MagentoSettings) -> list[Problem]:
    """Credit memos without a refund or credit note in Stokly, and pairs of different amounts, by the memo's id.

    Only orders that Stokly holds are looked at.
    """
    numbers = {row["order_id"]: row["number"] for row in records(frames["magento.orders"])}
    ours = {r["order_id"]: r["channel_reference"] for r in records(frames["stokly.orders"]) if is_ours(r, settings)}
    held = _refunds_by_number(frames, ours, settings)
    told = {row["refund_id"]: row for row in records(frames["magento.refunds"])}
    known = set(ours.values())
    found: list[Problem] = []
    for order_id, memos in memos_by_order(frames).items():
        number = numbers.get(order_id)
        if number not in known:
            continue
        refunds = held.get(number or "", [])
        pairs = {memo: key for key, memo in matched(refunds, memos).items()}
        by_key = {refund.key: refund for refund in refunds}
        for memo in memos:
            row = told[memo.key]
            problem = _memo_problem(memo, by_key.get(pairs.get(memo.key, "")), row["tax"], number or "")
            # Nothing is given back before the memo is complete; its feed lets it wait.
            if problem is not None and row["state"] == _COMPLETED:
                found.append(problem)
    return found


def _memo_problem(memo: Refund, refund: Refund | None, tax: int | None, number: str) -> Problem | None:
    if refund is None:
        vat = f"; VAT overstated by {memo.currency} {text(tax)}" if tax else ""
        told = f"credit memo {memo.number} of order {number}: {memo.currency} {text(memo.total)}{vat}"
        return Problem(memo.key, CREDIT_MISSING[MAGENTO], told)
    if abs(refund.total - memo.total) > 10**7 * max(1, len(memo.units)) or refund.currency != memo.currency:
        told = f"{refund.currency} {text(refund.total)} in Stokly, {memo.currency} {text(memo.total)} in Magento"
        return Problem(memo.key, order_rules.REFUND_AMOUNT.code, told)
    return None


def _refunds_by_number(frames: Frames, ours: dict[str, str], settings: MagentoSettings) -> dict[str, list[Refund]]:
    """Refunds of Stokly, and credit notes that no refund names, by the number of their order in Magento."""
    units = units_of(frames["stokly.refund_lines"], "refund_id")
    found: dict[str, list[Refund]] = {}
    named: set[str] = set()
    for row in sorted(records(frames["stokly.refunds"]), key=lambda r: (r["created_at"], r["refund_id"])):
        if row["live"] and (row["status"] is None or row["status"] in settings.refund_states):
            named.add(row["credit_note_id"])
            if row["order_id"] in ours:
                found.setdefault(ours[row["order_id"]], []).append(refund_of(row, units))
    for row in records(frames["stokly.credit_notes"]):
        if row["live"] and row["order_id"] in ours and row["credit_note_id"] not in named:
            note = Refund(row["credit_note_id"], row["value"], row["currency"], {})
            found.setdefault(ours[row["order_id"]], []).append(note)
    return found
