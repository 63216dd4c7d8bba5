"""Remittance advices as payouts with their parts, which must add up to the penny (P5).

What a part's amount means is not proven: what is paid for it, or what the customer paid. Each is compared with the
invoice or amendment that it is about; commission may hold its own tax or not. Only a reading under which each part and
the whole advice add up is taken: one that does not is kept out as MP-REMITTANCE-SUM. Source: Marketplacer API contract
6, 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from stokly_sync.contracts.channels import MARKETPLACER
from stokly_sync.contracts.remittances import REMITTANCES
from stokly_sync.flow import Json, Received, Rows
from stokly_sync.systems.marketplacer import rules
from stokly_sync.systems.marketplacer.documents.amounts import Unreadable, pence
from stokly_sync.systems.marketplacer.documents.orders import unreadable
from stokly_sync.systems.marketplacer.documents.tables import Made, moment, nanos, rows_of
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

DATASET: Final = REMITTANCES[MARKETPLACER]
LINES: Final = f"{MARKETPLACER}.remittance_lines"


@dataclass(frozen=True)
class _Part:
    """One part in pence, signed: given back is negative."""

    kind: str
    order: str | None
    refund: str | None
    amount: int
    gross: int
    tax: int | None
    commission: int
    commission_tax: int

    def adds_up(self, *, net: bool, taxed: bool) -> bool:
        """Whether its amount is the payout (`net`) or the gross, with a commission that holds its tax or not."""
        return self.amount == (self.payout(taxed=taxed) if net else self.gross)

    def payout(self, *, taxed: bool) -> int:
        """What is paid for it."""
        return self.gross - self.commission - (0 if taxed else self.commission_tax)


def remittance_rows(documents: Sequence[Received], requested_at: datetime, *, settings: MarketplacerSettings) -> Rows:
    """Rows of `marketplacer.remittances` and their lines; nano units of the instance's currency. Pure."""
    return rows_of(DATASET, [_advice(document, settings) for document in documents], requested_at)


def _advice(node: Received, settings: MarketplacerSettings) -> Made:
    try:
        return _made(node, settings)
    except Unreadable as error:
        return unreadable(DATASET.key, node, error)


def _made(node: Received, settings: MarketplacerSettings) -> Made:
    key, parts = str(node.get("id")), [_part(one) for one in node.get("remittances") or ()]
    total, commission = pence(node, "total"), pence(node, "commissionAmountTotal")
    if total is None:
        raise Unreadable("the advice has no total", money=True)
    taxed = _reading(parts, total)
    if taxed is None:
        return Made({DATASET.key: key}, problems=[(rules.REMITTANCE_SUM.code, _differs(parts, total))])
    root = {
        "remittance_id": key,
        "number": None if node.get("legacyId") is None else str(node["legacyId"]),
        "reference": node.get("paymentReference") or None,
        "currency": settings.currency,
        "payout": nanos(total),
        "commission": nanos(sum(_net_commission(part, taxed=taxed) for part in parts)),
        "line_count": len(parts),
        "created_at": moment(node.get("createdAt") or node.get("paidAt"), "createdAt"),
        "paid_at": moment(node.get("paidAt"), "paidAt"),
        "live": True,
    }
    told = sum(part.commission for part in parts)
    if commission is not None and abs(commission) not in {abs(told), abs(told + sum(p.commission_tax for p in parts))}:
        detail = f"commission of the advice is {_pounds(commission)}, of its parts {_pounds(told)}"
        return Made({DATASET.key: key}, problems=[(rules.REMITTANCE_SUM.code, detail)])
    return Made(root, {LINES: [_row(key, i, part, taxed=taxed) for i, part in enumerate(parts)]})


def _reading(parts: Sequence[_Part], total: int) -> bool | None:
    """Whether commissions hold their tax, under a reading that adds up; None where there is none."""
    for taxed in (False, True):
        if sum(part.payout(taxed=taxed) for part in parts) != total:
            continue
        if any(all(part.adds_up(net=net, taxed=taxed) for part in parts) for net in (True, False)):
            return taxed
    return None


def _differs(parts: Sequence[_Part], total: int) -> str:
    amounts, payouts = sum(p.amount for p in parts), sum(p.payout(taxed=False) for p in parts)
    return (
        f"the advice pays {_pounds(total)}; its {len(parts)} parts say {_pounds(amounts)}, and come to "
        f"{_pounds(payouts)} by sales, refunds, commission and its tax"
    )


def _part(node: Mapping[str, Any]) -> _Part:
    amount, commission = pence(node, "amount"), pence(node, "commissionAmount") or 0
    if amount is None:
        raise Unreadable("a remittance has no amount", money=True)
    amendment, invoice = node.get("invoiceAmendment"), node.get("invoice")
    if isinstance(amendment, Mapping):
        gross = sum(pence(line, "total") or 0 for line in amendment.get("lineItems") or ())
        taxes = [pence(line, "tax") for line in amendment.get("lineItems") or ()]
        tax = None if any(one is None for one in taxes) else -sum(abs(one or 0) for one in taxes)
        fee = pence(amendment, "commissionTaxTotal") or 0
        of = (amendment.get("invoice") or {}).get("id") or (invoice or {}).get("id")
        # Given back, however the server signs it.
        return _Part("refund", of, amendment.get("id"), amount, -abs(gross), tax, -abs(commission), -abs(fee))
    if isinstance(invoice, Mapping):
        told = pence(invoice, "total")
        fee = pence(invoice, "commissionAmountTax") or 0
        told_tax = invoice.get("tax")
        gross = amount if told is None else told
        return _Part("sale", invoice.get("id"), None, amount, gross, told_tax, abs(commission), abs(fee))
    return _Part("adjustment", None, None, amount, amount + commission, None, commission, 0)


def _net_commission(part: _Part, *, taxed: bool) -> int:
    return part.commission - part.commission_tax if taxed else part.commission


def _row(key: str, place: int, part: _Part, *, taxed: bool) -> Json:
    return {
        "remittance_id": key,
        "position": place,
        "kind": part.kind,
        "order_id": part.order,
        "refund_id": part.refund,
        "gross": nanos(part.gross),
        "tax": nanos(part.tax),
        "commission": nanos(_net_commission(part, taxed=taxed)),
        "commission_tax": nanos(part.commission_tax),
        "payout": nanos(part.payout(taxed=taxed)),
    }


def _pounds(pence_: int) -> str:
    return f"{'-' if pence_ < 0 else ''}{abs(pence_) // 100}.{abs(pence_) % 100:02}"
