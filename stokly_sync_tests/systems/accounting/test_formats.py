"""Import files of accounting packages, column by column (P5)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from stokly_sync.contracts.journals import Journal, Line, Role
from stokly_sync.systems.accounting import FORMATS, Package, files

POUND = 10**9
ACCOUNTS = {"payout": "090", "commission": "400", "commission_tax": "820", "sales": "200", "sales_tax": "820"}
LINES = (
    Line(Role.PAYOUT, 2_376 * POUND // 100),
    Line(Role.COMMISSION, 270 * POUND // 100),
    Line(Role.COMMISSION_TAX, 54 * POUND // 100),
    Line(Role.SALES, -2_250 * POUND // 100),
    Line(Role.SALES_TAX, -450 * POUND // 100),
)


def journal(number: str = "500", entry: int = 1) -> Journal:
    return Journal("marketplacer", f"P{number}", entry, number, datetime(2026, 3, 8, tzinfo=UTC), "GBP", LINES)


def rows(name: str, *journals: Journal) -> list[dict[str, str]]:
    (text,) = files(FORMATS[name], journals or (journal(),), Package(ACCOUNTS))
    return list(csv.DictReader(io.StringIO(text)))


def test_xero_takes_one_amount_whose_sign_tells_debits() -> None:
    found = rows("xero")
    assert found[0] == {
        "*Narration": "marketplacer-500",
        "*Date": "08/03/2026",
        "Description": "Payout",
        "*AccountCode": "090",
        "*TaxRate": "No VAT",
        "*Amount": "23.76",
    }
    assert sum(Decimal(row["*Amount"]) for row in found) == 0


def test_sage_takes_debits_and_credits_by_type() -> None:
    found = rows("sage")
    assert (found[0]["Type"], found[0]["Nominal A/C Ref"], found[0]["Net Amount"]) == ("JD", "090", "23.76")
    assert {row["Tax Code"] for row in found} == {"T9"}
    assert {row["Account Reference"] for row in found} == {""}
    by_type = {kind: sum(Decimal(r["Net Amount"]) for r in found if r["Type"] == kind) for kind in ("JD", "JC")}
    assert by_type["JD"] == by_type["JC"] == Decimal("27.00")


def test_quickbooks_takes_them_in_two_columns() -> None:
    found = rows("quickbooks")
    assert (found[0]["*Debits"], found[0]["*Credits"]) == ("23.76", "")
    assert (found[3]["*Debits"], found[3]["*Credits"]) == ("", "22.50")
    assert sum(Decimal(r["*Debits"] or 0) - Decimal(r["*Credits"] or 0) for r in found) == 0


def test_lines_of_one_journal_share_its_name_and_a_correction_has_its_own() -> None:
    names = {row["*Narration"] for row in rows("xero", journal(), journal(entry=2))}
    assert names == {"marketplacer-500", "marketplacer-500-2"}


def test_a_package_that_takes_few_lines_gets_several_files_and_no_journal_is_split() -> None:
    many = [journal(str(number)) for number in range(70)]
    texts = files(FORMATS["xero"], many, Package(ACCOUNTS))
    parts = [list(csv.DictReader(io.StringIO(text))) for text in texts]
    assert [len(part) for part in parts] == [300, 50]
    whole = [{row["*Narration"] for row in part} for part in parts]
    assert not whole[0] & whole[1]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_words_of_the_books_may_be_set(name: str) -> None:
    (text,) = files(FORMATS[name], [journal()], Package(ACCOUNTS | {"payout": "Bank, main"}, tax="Exempt"))
    assert '"Bank, main"' in text
    assert ("Exempt" in text) is (name != "quickbooks")
