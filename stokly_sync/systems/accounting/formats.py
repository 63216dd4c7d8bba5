"""Journals as lines of a CSV file, in each package's own columns.

Debits and credits, dates and the tax column differ; the journals are the same. Dates are written day first, as the
packages' United Kingdom editions take them. Amounts have the decimals of their currency and are never rounded: a
remittance is in whole pence.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stokly_sync.contracts.journals import Journal, Role, accounted
from stokly_sync.contracts.money import rounded

_WORDS: Final = {
    Role.PAYOUT: "Payout",
    Role.COMMISSION: "Commission",
    Role.COMMISSION_TAX: "VAT on commission",
    Role.REFUNDS: "Refunds",
    Role.REFUNDS_TAX: "VAT on refunds",
    Role.SALES: "Sales",
    Role.SALES_TAX: "VAT on sales",
    Role.ADJUSTMENTS: "Adjustments",
}
Row = tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """What the settings say of the books: accounts by role, and how the package names no tax."""

    accounts: Mapping[str, str]
    tax: str | None = None


@dataclass(frozen=True)
class Format:
    """One package's import file; `most` is how many lines it takes at once, `no_tax` what its tax column says."""

    name: str
    title: str
    header: Row
    rows: Callable[[Journal, Package], list[Row]]
    most: int | None = None


def files(format_: Format, journals: Iterable[Journal], package: Package) -> list[str]:
    """The texts of as many files as the package's limit asks for, each with its header; a journal is never split.

    Raises KeyError naming a role that has no account.
    """
    parts: list[list[Row]] = []
    for journal in journals:
        rows = format_.rows(journal, package)
        if not parts or (format_.most is not None and len(parts[-1]) + len(rows) > format_.most):
            parts.append([])
        parts[-1] += rows
    return [_text(format_.header, rows) for rows in parts]


def _xero(journal: Journal, package: Package) -> list[Row]:
    """Positive amounts are debits. The lines of a journal share narration and date."""
    tax = package.tax or "No VAT"
    return [
        (journal.id, f"{journal.at:%d/%m/%Y}", _WORDS[role], account, tax, _amount(amount, journal))
        for account, role, amount in accounted(journal.lines, package.accounts)
    ]


def _sage(journal: Journal, package: Package) -> list[Row]:
    """Journal debits and credits as transactions of the audit trail; the customer column stays empty."""
    tax = package.tax or "T9"
    return [
        (
            *("JD" if amount > 0 else "JC", "", account, "0", f"{journal.at:%d/%m/%Y}", journal.id[:30]),
            *(_WORDS[role], _amount(abs(amount), journal), tax, "0.00"),
        )
        for account, role, amount in accounted(journal.lines, package.accounts)
    ]


def _quickbooks(journal: Journal, package: Package) -> list[Row]:
    """One column for debits, one for credits; the other one is empty."""
    return [
        (
            *(journal.id[:21], f"{journal.at:%d/%m/%Y}", account),
            *((_amount(amount, journal), "") if amount > 0 else ("", _amount(-amount, journal))),
            f"{_WORDS[role]}, {journal.id}",
        )
        for account, role, amount in accounted(journal.lines, package.accounts)
    ]


def _amount(nanos: int, journal: Journal) -> str:
    return format(rounded(nanos, journal.currency), "f")


def _text(header: Row, rows: Sequence[Row]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([header, *rows])
    return out.getvalue()


XERO: Final = Format(
    "xero",
    "Xero, manual journals",
    # Source: Xero help, "Import multiple draft manual journals" (template columns, 300 lines).
    ("*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount"),
    _xero,
    most=300,
)
SAGE: Final = Format(
    "sage",
    "Sage 50, audit trail transactions",
    # Source: Sage 50 Accounts data import, template "Audit Trail Transactions" (JD and JC).
    (
        *("Type", "Account Reference", "Nominal A/C Ref", "Department Code", "Date", "Reference"),
        *("Details", "Net Amount", "Tax Code", "Tax Amount"),
    ),
    _sage,
)
QUICKBOOKS: Final = Format(
    "quickbooks",
    "QuickBooks Online, journal entries",
    # Source: QuickBooks help, "Import journal entries" (columns; account names, a sub-account with its parent).
    ("*JournalNo", "*JournalDate", "*AccountName", "*Debits", "*Credits", "Description"),
    _quickbooks,
)
