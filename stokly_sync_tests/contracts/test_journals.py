"""Payouts as balanced journal entries, and corrections that only ever add (P5)."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.contracts.journals import Line, Role, accounted, amounts, missing

POUND = 10**9


def line(kind: str, gross: int, tax: int | None, commission: int, fee: int, payout: int) -> dict[str, Any]:
    amounts_ = {"gross": gross, "tax": tax, "commission": commission, "commission_tax": fee, "payout": payout}
    return {"kind": kind} | {n: None if v is None else v * POUND for n, v in amounts_.items()}


SALE = line("sale", 24, 4, 3, 1, 20)
BACK = line("refund", -12, -2, -2, 0, -10)


def test_a_sale_and_a_refund_balance() -> None:
    found = amounts([SALE, BACK])
    assert {role.value: amount // POUND for role, amount in found.items()} == {
        "payout": 10,
        "commission": 1,
        "commission_tax": 1,
        "refunds": 10,
        "refunds_tax": 2,
        "sales": -20,
        "sales_tax": -4,
    }
    assert sum(found.values()) == 0


def test_tax_that_nobody_tells_stays_with_the_sales() -> None:
    assert amounts([line("sale", 24, None, 3, 1, 20)])[Role.SALES] == -24 * POUND


def test_an_adjustment_has_a_line_of_its_own() -> None:
    assert amounts([line("adjustment", -5, None, 0, 0, -5)]) == {Role.PAYOUT: -5 * POUND, Role.ADJUSTMENTS: 5 * POUND}


def test_what_does_not_balance_is_refused() -> None:
    with pytest.raises(ValueError, match="do not balance"):
        amounts([{**SALE, "payout": 21 * POUND}])


def test_what_was_journalled_already_is_not_journalled_again() -> None:
    wanted = amounts([SALE])
    assert missing(wanted, wanted) == ()
    assert {one.role: one.amount for one in missing(wanted, {})} == wanted


def test_a_payout_that_is_gone_is_taken_back() -> None:
    wanted = amounts([SALE])
    assert {one.role: one.amount for one in missing({}, wanted)} == {role: -amount for role, amount in wanted.items()}


def test_roles_without_an_account_go_with_the_one_that_has_it() -> None:
    lines = [Line(role, amount) for role, amount in amounts([SALE, BACK]).items()]
    accounts = {"payout": "090", "commission": "400", "sales": "200", "refunds": "205"}
    by_account: dict[str, int] = {}
    for account, _, amount in accounted(lines, accounts):
        by_account[account] = by_account.get(account, 0) + amount // POUND
    assert by_account == {"090": 10, "400": 2, "200": -24, "205": 12}
    with_tax = {
        account for account, role, _ in accounted(lines, accounts | {"sales_tax": "820"}) if role is Role.REFUNDS_TAX
    }
    assert with_tax == {"820"}


def test_a_role_that_nobody_accounts_for_is_named() -> None:
    with pytest.raises(KeyError, match="payout"):
        accounted([Line(Role.PAYOUT, POUND)], {"sales": "200"})
