"""Order to cash: each order of a channel followed to its invoice, payment, refund and fee in the home system (G7, P10).

Pure: landed rows in, one row an order out, with what differs in plain words; sums per period and currency. What is read
and where the report is shown stands in `pipeline.cash`. All amounts are nano units of the order's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts import money
from stokly_sync.flow import Frames, Origin

OPEN_STATES: Final = ("open", "part_shipped", "shipped", "refunded")
"""States of an order that the home system has to hold."""
COMPLETED: Final = "completed"
AMOUNTS: Final = (
    *("total", "total_here", "paid", "allocated", "refunded", "refunded_here", "vat", "vat_here", "commission"),
)
"""Amounts of an order: as the channel has them, and as the home system (`here`) has them."""


@dataclass(frozen=True)
class Line:
    """One order with both sides of its money; `differs` says what does not agree, nothing where all does."""

    channel: str
    number: str
    order_id: str | None
    home_id: str | None
    state: str
    placed_at: datetime
    currency: str
    total: int = 0
    total_here: int = 0
    paid: int = 0
    allocated: int = 0
    refunded: int = 0
    refunded_here: int = 0
    vat: int = 0
    vat_here: int = 0
    commission: int = 0
    invoices: int = 0
    dispatches: int = 0
    differs: tuple[str, ...] = ()

    @property
    def period(self) -> str:
        """The month in which the order was placed, UTC, such as 2026-01."""
        return f"{self.placed_at:%Y-%m}"


@dataclass
class Sums:
    """Sums of one period and currency; amounts in nano units."""

    orders: int = 0
    invoiced: int = 0
    differing: int = 0
    amounts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(AMOUNTS, 0))

    def add(self, line: Line) -> None:
        """Count one order."""
        self.orders += 1
        self.invoiced += bool(line.invoices)
        self.differing += bool(line.differs)
        for name in AMOUNTS:
            self.amounts[name] += getattr(line, name)


def order_to_cash(frames: Frames, channel: str, origin: Origin, *, begins: datetime | None = None) -> list[Line]:
    """Every order of a channel, and every order of the home system that says it is of the channel, by time.

    Needs `<channel>.orders` and `.refunds`, and the home system's orders, order lines, invoices, refunds, credit notes
    and dispatches. `origin` says how the home system names the channel. What was placed before `begins` (UTC; the first
    order here where it is not given) and is on one side alone differs in nothing.
    """
    here = _by(_rows(frames["stokly.orders"]), "channel_reference", lambda row: origin.holds(row))
    found = _Home.of(frames)
    refunded: dict[str, int] = {}
    for refund in _rows(frames[f"{channel}.refunds"]):
        if refund["live"] and refund["state"] == COMPLETED:
            refunded[refund["order_id"]] = refunded.get(refund["order_id"], 0) + refund["total"]
    lines: list[Line] = []
    seen: set[str] = set()
    for order in _rows(frames[f"{channel}.orders"]):
        twins = here.get(order["number"], [])
        seen.add(order["number"])
        if twins or begins is None or order["placed_at"] >= begins:
            lines.append(_line(channel, order, twins, refunded.get(order["order_id"], 0), found))
    first = begins or min((line.placed_at for line in lines), default=None)
    for number, twins in here.items():
        if number not in seen and first is not None and twins[0]["created_at"] >= first and _live(twins[0]):
            lines.append(_stranger(channel, number, twins[0], found))
    return sorted(lines, key=lambda line: (line.placed_at, line.number))


def sums(lines: Iterable[Line]) -> dict[tuple[str, str], Sums]:
    """Sums by period and currency, in their order; currencies are never added together."""
    by_period: dict[tuple[str, str], Sums] = {}
    for line in lines:
        by_period.setdefault((line.period, line.currency), Sums()).add(line)
    return dict(sorted(by_period.items()))


def as_frame(lines: Iterable[Line]) -> pd.DataFrame:
    """One row an order with amounts as text of two places and what differs in one text; nothing personal."""
    names = [f.name for f in fields(Line)]
    rows = [{name: _shown(getattr(line, name), name) for name in names} | {"period": line.period} for line in lines]
    return pd.DataFrame(rows, columns=["period", *names])


def _shown(value: Any, name: str) -> Any:
    if name in AMOUNTS:
        return money.text(value)
    return "; ".join(value) if name == "differs" else value


@dataclass(frozen=True)
class _Home:
    """What the home system has of its orders, by its own order id."""

    invoices: Mapping[str, int]
    dispatches: Mapping[str, int]
    refunded: Mapping[str, int]
    vat: Mapping[str, int]

    @classmethod
    def of(cls, frames: Frames) -> _Home:
        """Counts and sums of live papers; a credit note that documents a refund is not counted twice."""
        refunds = [row for row in _rows(frames["stokly.refunds"]) if row["live"]]
        named = {row["credit_note_id"] for row in refunds}
        notes = [row for row in _rows(frames["stokly.credit_notes"]) if row["live"]]
        loose = [row for row in notes if row["credit_note_id"] not in named]
        given = [(r["order_id"], r["total"]) for r in refunds] + [(n["order_id"], n["value"]) for n in loose]
        return cls(
            invoices=_summed((row["order_id"], 1) for row in _rows(frames["stokly.invoices"]) if row["live"]),
            dispatches=_summed((row["order_id"], 1) for row in _rows(frames["stokly.dispatches"]) if row["live"]),
            refunded=_summed(given),
            vat=_summed((row["order_id"], row["line_tax"]) for row in _rows(frames["stokly.order_lines"])),
        )


def _line(channel: str, order: Mapping[str, Any], twins: list[dict[str, Any]], refunded: int, home: _Home) -> Line:
    twin = next((one for one in twins if _live(one)), twins[0] if twins else None)
    key = twin["order_id"] if twin else ""
    line = Line(
        channel=channel,
        number=order["number"],
        order_id=order["order_id"],
        home_id=twin["order_id"] if twin else None,
        state=order["state"],
        placed_at=order["placed_at"],
        currency=order["currency"],
        total=order["total"],
        total_here=(twin["total"] or 0) if twin else 0,
        paid=order["amount_paid"] or 0,
        allocated=(twin["amount_paid"] or 0) if twin else 0,
        refunded=refunded,
        refunded_here=home.refunded.get(key, 0),
        vat=order["tax"] or 0,
        vat_here=home.vat.get(key, 0) + ((twin["shipping_tax"] or 0) if twin else 0),
        commission=order["commission"] or 0,
        invoices=home.invoices.get(key, 0),
        dispatches=home.dispatches.get(key, 0),
    )
    differs = _differs(line, order, twin, copies=sum(map(_live, twins)))
    return Line(**{f.name: getattr(line, f.name) for f in fields(Line)} | {"differs": tuple(differs)})


def _differs(line: Line, order: Mapping[str, Any], twin: Mapping[str, Any] | None, *, copies: int) -> list[str]:
    """What does not agree, in plain words; amounts may be apart by one minor unit a line."""
    wanted = line.state in OPEN_STATES and order["live"]
    if twin is None:
        return ["not in Stokly"] if wanted else []
    if not _live(twin):
        return ["removed in Stokly alone"] if wanted else []
    if line.state == "cancelled" or not order["live"]:
        return ["cancelled in the channel alone"]
    found = [f"in Stokly {copies} times"] if copies > 1 else []
    if twin["currency"] != line.currency:
        return [*found, f"the currency is {twin['currency']}"]
    tolerance = money.minor_unit(line.currency) * max(order["line_count"] or 1, 1)
    for what, ours, theirs in (
        ("total", line.total, line.total_here),
        ("VAT", line.vat, line.vat_here),
        ("payment not allocated", line.paid, line.allocated),
        ("refund", line.refunded, line.refunded_here),
    ):
        if abs(ours - theirs) > tolerance:
            found.append(f"{what}: {money.text(ours - theirs)} {line.currency}")
    if line.invoices and not line.dispatches:
        found.append("invoiced before dispatch")
    if line.state in ("shipped", "refunded") and line.dispatches and not line.invoices:
        found.append("not invoiced")
    return found


def _stranger(channel: str, number: str, order: Mapping[str, Any], home: _Home) -> Line:
    key = order["order_id"]
    return Line(
        channel=channel,
        number=number,
        order_id=None,
        home_id=key,
        state=order["stage"],
        placed_at=order["created_at"],
        currency=order["currency"],
        total_here=order["total"] or 0,
        allocated=order["amount_paid"] or 0,
        refunded_here=home.refunded.get(key, 0),
        vat_here=home.vat.get(key, 0) + (order["shipping_tax"] or 0),
        invoices=home.invoices.get(key, 0),
        dispatches=home.dispatches.get(key, 0),
        differs=("not in the channel",),
    )


def _live(order: Mapping[str, Any]) -> bool:
    return bool(order["live"]) and order["stage"] != "removed"


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _by(rows: Iterable[dict[str, Any]], key: str, chosen: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row[key] is not None and chosen(row):
            found.setdefault(row[key], []).append(row)
    for same in found.values():
        same.sort(key=lambda row: (not _live(row), row["created_at"]))
    return found


def _summed(pairs: Iterable[tuple[Any, Any]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for key, value in pairs:
        if key is not None:
            total[key] = total.get(key, 0) + int(value or 0)
    return total
