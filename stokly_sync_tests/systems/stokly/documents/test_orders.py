"""Orders become rows exactly, or a problem that says why not. Source: Stokly API contract 2.4, 3.2, 5 (1, 17)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pandas as pd
import pytest

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.money import nano
from stokly_sync.contracts.schema import validate
from stokly_sync.contracts.tables import DTYPES, empty
from stokly_sync.flow import Rows
from stokly_sync.systems.stokly.documents.orders import order_rows
from stokly_sync.systems.stokly.settings import StoklySettings
from stokly_sync.systems.transport import decode, encode
from stokly_sync_tests.systems.stokly.documents.both import read_both
from stokly_sync_tests.systems.stokly.made import NOON, at, line, row_id, whole_order

ASKED = datetime(2026, 3, 3, tzinfo=UTC)
ORDERS = DATASETS["stokly.orders"]


def rows(*documents: dict[str, Any], **settings: Any) -> Rows:
    return read_both(partial(order_rows, settings=StoklySettings(**settings)), documents, ASKED)


def one(*documents: dict[str, Any], **settings: Any) -> pd.Series:
    made = rows(*documents, **settings)
    assert made.problems == []
    return made.frames["stokly.orders"].iloc[0]


def lines(*documents: dict[str, Any], **settings: Any) -> pd.DataFrame:
    return rows(*documents, **settings).frames["stokly.order_lines"]


def rules(made: Rows) -> list[tuple[str, str]]:
    return [(p.key, p.rule) for p in validate(ORDERS, made).problems]


def test_frames_have_the_declared_columns_and_dtypes_even_without_rows() -> None:
    for made in (rows(), rows(whole_order(1)), rows(whole_order(1, []))):
        for table in ORDERS.tables:
            assert list(made.frames[table.name].columns) == [c.name for c in table.all_columns]
            assert list(made.frames[table.name].dtypes) == list(empty(table).dtypes)
            assert [str(d) for d in made.frames[table.name].dtypes] == [str(DTYPES[c.kind]) for c in table.all_columns]


def test_an_order_keeps_amounts_times_and_the_sum_of_its_lines() -> None:
    row = one(whole_order(1))
    assert (row["total"], row["shipping"], row["lines_total"], row["line_count"]) == (
        nano("28.80"),
        nano(4),
        nano(24),
        1,
    )
    assert row["created_at"] == pd.Timestamp(at(1))
    assert row["version"] == row["updated_at"] == pd.Timestamp(at(1))
    assert row["live"]
    assert rules(rows(whole_order(1))) == []


def test_without_an_update_time_the_version_is_when_it_was_asked_for() -> None:
    row = one(whole_order(1, updatedAt=...))
    assert row["version"] == pd.Timestamp(ASKED)
    assert pd.isna(row["updated_at"])


def test_nine_decimals_are_kept_exactly() -> None:
    amount = Decimal("49.991666667")
    made = rows(whole_order(1, [line(1, displayLinePrice=amount, displayLineTotal=amount)], displaySubtotal=amount))
    assert made.frames["stokly.orders"]["subtotal"].iloc[0] == 49_991_666_667
    assert made.frames["stokly.order_lines"]["line_price"].iloc[0] == 49_991_666_667


NOTHING = {"displayTotal": 0, "displayShippingCost": 0, "displayShippingTax": 0}
# A member that cannot be what its column needs, the rule that names it, and no second one.
BAD = [
    pytest.param({"displayTotal": {"amount": 28.8}}, "ST-MEMBER-TYPE", id="a total that became an object"),
    pytest.param({"displayTotal": "28.80"}, "ST-MEMBER-TYPE", id="a total that became text"),
    pytest.param({"displayTotal": True}, "ST-MEMBER-TYPE", id="a total that became a yes or no"),
    pytest.param({"displayTotal": ..., "total": ...}, "ST-MEMBER-TYPE", id="a total that is gone"),
    pytest.param({"displayTotal": Decimal("1e30")}, "ST-MONEY", id="an amount out of range"),
    pytest.param({"displayTotal": Decimal("1.0000000001")}, "ST-MONEY", id="ten decimals"),
    pytest.param({"createdAt": "yesterday"}, "ST-TIME", id="a time that nobody can read"),
    pytest.param({"createdAt": 1760000000}, "ST-MEMBER-TYPE", id="a time that became a number"),
    pytest.param({"createdAt": "2999-01-01T00:00:00.000Z"}, "ST-TIME", id="a time far ahead"),
    pytest.param({"createdAt": ...}, "ST-MEMBER-TYPE", id="no creation time"),
    pytest.param({"currency": "POUNDS"}, "ST-CURRENCY", id="a currency that is none"),
    pytest.param({"currency": ...}, "ST-MEMBER-TYPE", id="no currency"),
    pytest.param({"stage": 7}, "ST-MEMBER-TYPE", id="a stage that became a number"),
    pytest.param({"tags": "paid"}, "ST-MEMBER-TYPE", id="tags that are no list"),
    pytest.param({"shippingAddressCountry": "England"}, "ST-ORDER-COUNTRY", id="a country that is no code"),
    pytest.param({"displayTotal": Decimal("33.80")}, "ST-ORDER-TOTAL", id="a total that is not the sum of its parts"),
    pytest.param({"items": [], **NOTHING}, "ST-ORDER-LINES", id="no lines"),
    pytest.param({"items": {"a": 1}}, "ST-MEMBER-TYPE", id="lines that are no list"),
    pytest.param({"items": [7]}, "ST-MEMBER-TYPE", id="lines that are no objects"),
]


@pytest.mark.parametrize(("change", "rule"), BAD)
def test_a_bad_member_is_named_once_and_the_other_orders_go_on(change: dict[str, Any], rule: str) -> None:
    bad = {k: v for k, v in {**whole_order(1), **change}.items() if v is not ...}
    made = rows(bad, whole_order(2))
    found = {r for _, r in rules(made)}
    assert found == {rule}
    assert {key for key, _ in rules(made)} == {row_id("order 1")}
    kept = validate(ORDERS, made).frames
    assert kept["stokly.orders"]["order_id"].tolist() == [row_id("order 2")]
    assert set(kept["stokly.order_lines"]["order_id"]) == {row_id("order 2")}


BAD_LINES = [
    ({"quantity": Decimal("1.5")}, "ST-MEMBER-TYPE"),
    ({"quantity": ...}, "ST-MEMBER-TYPE"),
    ({"lineId": ...}, "ST-MEMBER-TYPE"),
    ({"displayLineTotal": "24"}, "ST-MEMBER-TYPE"),
    ({"displayLineTotal": Decimal("1e30")}, "ST-MONEY"),
]


@pytest.mark.parametrize(("change", "rule"), BAD_LINES)
def test_a_bad_line_takes_its_order_with_it(change: dict[str, Any], rule: str) -> None:
    made = rows(whole_order(1, [line(1, **change)]), whole_order(2))
    assert rules(made) == [(row_id("order 1"), rule)]


def test_problems_never_quote_a_persons_data() -> None:
    made = rows(whole_order(1, customerEmail={"address": "jo@example.com"}, createdAt="jo@example.com"))
    assert made.problems
    assert "example.com" not in " ".join(p.detail for p in made.problems)


# The two readings of a line's price, with and without explicit line amounts, all meaning two units at 10.00.
UNIT: dict[str, Any] = {"displayPrice": 10, "displayTax": 2}
LINE: dict[str, Any] = {"displayPrice": 20, "displayTax": 4}
BARE: dict[str, Any] = dict.fromkeys(
    ("displayLinePrice", "displayLineTax", "displayLineDiscount", "displayLineTotal"), ...
)
READINGS = [
    pytest.param(UNIT, "auto", id="explicit beside unit prices"),
    pytest.param(LINE, "auto", id="explicit beside line prices"),
    pytest.param({**UNIT, **BARE}, "auto", id="unit prices found out by the total"),
    pytest.param({**LINE, **BARE}, "auto", id="line prices found out by the total"),
    pytest.param({**UNIT, **BARE}, "unit", id="unit prices by setting"),
    pytest.param({**LINE, **BARE}, "line", id="line prices by setting"),
]


@pytest.mark.parametrize(("amounts", "setting"), READINGS)
def test_a_line_means_the_same_under_every_reading(amounts: dict[str, Any], setting: str) -> None:
    made = lines(whole_order(1, [line(1, **amounts)]), line_amounts=setting).iloc[0]
    found = [made[c] for c in ("unit_price", "line_price", "line_tax", "line_total", "line_discount")]
    assert found[:4] == [nano(10), nano(20), nano(4), nano(24)]
    assert rules(rows(whole_order(1, [line(1, **amounts)]), line_amounts=setting)) == []


def test_each_order_decides_for_itself_which_reading_fits() -> None:
    documents = [whole_order(1, [line(1, **UNIT, **BARE)]), whole_order(2, [line(2, **LINE, **BARE)])]
    assert lines(*documents)["line_price"].tolist() == [nano(20), nano(20)]


def test_without_display_amounts_the_base_ones_are_read() -> None:
    names = [n for n in whole_order(1) if n.startswith("display")]
    bare = [line(1, displayPrice=..., displayTax=..., displayDiscount=..., **BARE)]
    row = one(whole_order(1, bare, **dict.fromkeys(names, ...)))
    assert (row["total"], row["lines_total"]) == (nano("28.80"), nano(24))


def test_a_line_so_large_that_it_would_wrap_round_is_a_problem() -> None:
    huge = line(1, quantity=10**6, displayPrice=9 * 10**9, **BARE)
    assert "ST-MONEY" in {rule for _, rule in rules(rows(whole_order(1, [huge])))}


def test_component_lines_of_composites_are_not_counted_twice() -> None:
    part = line(1, 1, parentId=row_id("line 1/0"), displayLineTotal=0)
    assert len(lines(whole_order(1, [line(1), part]))) == 1
    assert one(whole_order(1, [line(1), part]))["line_count"] == 1


def test_a_line_that_a_shifting_list_repeats_counts_once() -> None:
    assert len(lines(whole_order(1, [line(1), line(1)]))) == 1


def test_an_order_that_is_read_twice_counts_once_and_the_newest_wins() -> None:
    old, new = whole_order(1, updatedAt=at(5), stage="quote"), whole_order(1, updatedAt=at(9))
    for documents in ((old, new), (new, old)):
        made = rows(*documents, whole_order(2))
        assert made.frames["stokly.orders"]["stage"].tolist() == ["order", "order"]
        assert len(made.frames["stokly.order_lines"]) == 2


def test_a_removed_order_stays_as_a_row_that_is_not_live() -> None:
    assert not one(whole_order(1, stage="removed"))["live"]


def test_a_guest_order_has_no_customer_and_empty_text_is_missing() -> None:
    row = one(whole_order(1, customerEmail=" jo@example.com ", shippingAddressCity="", shippingAddressCountry=""))
    assert pd.isna(row["customer_id"])
    assert row["customer_email"] == "jo@example.com"
    assert pd.isna(row["city"])
    assert pd.isna(row["country"])


@pytest.mark.parametrize("number", [10234, "10234"])
def test_a_running_number_is_text_whether_it_came_as_number_or_text(number: Any) -> None:
    assert one(whole_order(1, niceId=number))["number"] == "10234"


def hash_of(**changes: Any) -> Any:
    return one(whole_order(1, **changes))["content_hash"]


def test_the_content_hash_moves_with_the_content_and_with_nothing_else() -> None:
    assert hash_of() == hash_of()
    assert hash_of() == hash_of(updatedAt=at(99))
    assert hash_of() != hash_of(stage="quote")
    assert one(whole_order(1, [line(1, status="dispatched")]))["content_hash"] != hash_of()
    shuffled = dict(reversed(whole_order(1).items()))
    assert one(shuffled)["content_hash"] == hash_of()
    assert len(hash_of()) == 32


def test_unknown_members_are_kept_less_secrets_and_personal_data() -> None:
    row = one(whole_order(1, giftWrap="red", apiKey="hush", mobilePhone="123", meta={"token": "hush", "depth": 2}))
    assert decode(row["extra"].encode()) == {"giftWrap": "red", "meta": {"depth": 2}}
    assert pd.isna(one(whole_order(1))["extra"])
    assert pd.isna(one(whole_order(1, giftWrap="red"), dropped_members=("giftWrap",))["extra"])


@pytest.mark.parametrize("key", [..., None, "", 5, ["x"]])
def test_an_order_without_a_usable_id_is_a_problem_and_not_a_crash(key: Any) -> None:
    made = rows({k: v for k, v in {**whole_order(1), "saleOrderId": key}.items() if v is not ...}, whole_order(2))
    assert len(made.problems) == 1
    assert made.problems[0].rule == "ST-MEMBER-TYPE"
    assert made.frames["stokly.orders"]["order_id"].tolist() == [row_id("order 2")]


def test_javascript_dates_are_read_beside_iso_ones() -> None:
    text = "Mon Mar 02 2026 12:01:00 GMT+0000 (Coordinated Universal Time)"
    assert one(whole_order(1, createdAt=text))["created_at"] == pd.Timestamp(at(1))
    assert one(whole_order(1, createdAt="2026-03-02 12:01:00"))["created_at"] == pd.Timestamp(at(1))
    assert one(whole_order(1, createdAt="2026-03-02T14:01:00+02:00"))["created_at"] == pd.Timestamp(at(1))
    assert pd.Timestamp(NOON) + pd.Timedelta(minutes=1) == pd.Timestamp(at(1))


@pytest.mark.slow
def test_conversion_is_linear_and_fast_enough_for_first_loads() -> None:
    # 20,000 orders with three lines in about a second on two cores; the bound leaves room for a busy machine.
    documents = decode(encode([whole_order(n, [line(n, p) for p in range(3)]) for n in range(5000)]))
    started = time.perf_counter()
    made = order_rows(documents, ASKED, settings=StoklySettings())
    assert len(made.frames["stokly.order_lines"]) == 15_000
    assert time.perf_counter() - started < 5
