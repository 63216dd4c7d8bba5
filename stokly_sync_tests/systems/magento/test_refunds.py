"""Refunds of Stokly and credit memos of Magento, which is which, and making one. Source: Magento API contract 9; G5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.contracts.origins import mark
from stokly_sync.flow import Built, State
from stokly_sync.sandbox.magento import mishaps
from stokly_sync.systems.magento import MagentoClient, MagentoSettings
from stokly_sync.systems.magento.documents.refunds import build_refunds
from stokly_sync.systems.magento.refunding import look_up_refunds, send_refunds
from stokly_sync_tests.systems.magento.bench import REFUND, Bench, record
from stokly_sync_tests.systems.magento.rows import body, frames, rules

PLAIN: dict[str, Sequence[Mapping[str, Any]]] = {
    "stokly.refunds": [{}],
    "stokly.refund_lines": [{}],
    "stokly.orders": [{}],
    "magento.orders": [{"shipping": "5.00", "shipping_tax": "1.00"}],
    "magento.order_lines": [{}],
}
D = Decimal


def built(tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, **settings: Any) -> Built:
    chosen = MagentoSettings.model_validate({"refunds": "create", **settings})
    return build_refunds(frames({**PLAIN, **(tables or {})}, siblings="stokly.refunds"), chosen)


def test_a_refund_names_units_and_amounts_with_shipping_net_and_gross() -> None:
    made = body(built({"stokly.refunds": [{"total": "18.00", "shipping": "5.00"}]}))
    assert made == {
        "order": "5",
        "refund": "R1",
        "number": "9",
        "units": {"SKU-1": 1},
        "currency": "GBP",
        "notify": False,
        "total": D("18.00"),
        "shipping": D("5.00"),
        "shipping_gross": D("6.00"),
    }


def test_what_magento_lacks_is_raised_with_its_vat_unless_it_is_to_be_created() -> None:
    made = built(refunds="raise")
    assert rules(made) == {"R1": "MG-REFUND-MISSING"}
    assert "GBP 12.00" in made.kept_back[0].detail
    assert "2.00 VAT" in made.kept_back[0].detail


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"stokly.orders": [{"source_type": "epos"}]}, "MG-NOT-FROM-HERE"),
        ({"stokly.refunds": [{"order_id": None}]}, "MG-NOT-FROM-HERE"),
        ({"stokly.refunds": [{"live": False}]}, "MG-REFUND-REMOVED"),
        ({"stokly.refunds": [{"status": "pending"}]}, "MG-REFUND-REMOVED"),
        ({"magento.orders": []}, "MG-ORDER-UNKNOWN"),
        ({"stokly.orders": []}, "MG-ORDER-UNKNOWN"),
        ({"stokly.refund_lines": [{"quantity": 3}]}, "MG-REFUND-QUANTITY"),
        ({"stokly.refund_lines": [{"sku": "SKU-9"}]}, "MG-REFUND-QUANTITY"),
    ],
)
def test_what_is_not_sent_is_named(changed: dict[str, Any], rule: str) -> None:
    assert rules(built(changed)) == {"R1": rule}


def test_a_credit_memo_with_our_mark_or_the_same_units_and_amount_is_the_refund() -> None:
    marked: dict[str, Any] = {"magento.refunds": [{"reference": "R1", "total": "99.00"}]}
    assert built(marked).held == {"R1": "8"}
    alike: dict[str, Any] = {"magento.refunds": [{}], "magento.refund_lines": [{}]}
    assert built(alike).held == {"R1": "8"}
    assert built(alike, refunds="raise").held == {"R1": "8"}
    assert built({"magento.refunds": [{"total": "11.00"}]}).held == {}
    assert built({"magento.refunds": [{"state": "denied"}]}).held == {}


def test_each_credit_memo_is_one_refund() -> None:
    two: dict[str, Any] = {"stokly.refunds": [{}, {"refund_id": "R2"}], "magento.refunds": [{}]}
    made = built({**two, "stokly.refund_lines": [{}, {"refund_id": "R2"}]})
    assert made.held == {"R1": "8"}
    assert [document.key for document in made.documents] == ["R1", "R2"]


@pytest.mark.parametrize("memos", [[{}], []])
def test_a_refund_that_came_from_magento_never_goes_back(memos: list[dict[str, Any]]) -> None:
    """Whether its credit memo was read by now or not."""
    reason = f"Refund 000000008 of Magento {mark('magento', '8')}"
    made: dict[str, Any] = {"stokly.refunds": [{"reason": reason, "total": "99.00"}], "magento.refunds": memos}
    assert rules(built(made)) == {"R1": "MG-REFUND-ORIGIN"}


def test_the_mark_of_another_channel_is_none_of_ours() -> None:
    made: dict[str, Any] = {"stokly.refunds": [{"reason": mark("marketplacer", "8"), "total": "99.00"}]}
    assert rules(built({**made, "magento.refunds": [{}]})) == {}


def refund(order: str, units: dict[str, int], total: str, **members: Any) -> dict[str, Any]:
    return {
        "order": order,
        "refund": "R1",
        "number": "9",
        "units": units,
        "currency": "GBP",
        "total": D(total),
        "shipping": D("0.00"),
        "shipping_gross": D("0.00"),
        "notify": False,
        **members,
    }


def send(client: MagentoClient, document: dict[str, Any]) -> Any:
    (outcome,) = send_refunds(client, [record("R1", document)])
    return outcome


@pytest.fixture
def shop(bench: Bench) -> Bench:
    bench.goods("S1")
    return bench


def memo(bench: Bench) -> dict[str, Any]:
    (found,) = bench.system.store.creditmemos
    return dict(found)


def test_goods_alone_give_no_shipping_back(shop: Bench) -> None:
    """Without shipping_amount Magento would give all of it back. Source: contract 9."""
    order = shop.place(("S1", 2))
    outcome = send(shop.client(), refund(order, {"S1": 1}, "12.00"))
    there = memo(shop)
    assert (outcome.state, outcome.receipt) == (State.ACCEPTED, str(there["entity_id"]))
    assert (there["grand_total"], there["shipping_amount"]) == (D(12), 0)


def test_shipping_goes_back_as_the_shop_reads_it(shop: Bench) -> None:
    shop.system.set_switches(refund_shipping_gross=True)
    order = shop.place(("S1", 2))
    document = refund(order, {"S1": 1}, "17.00", shipping=D("4.17"), shipping_gross=D("5.00"))
    assert send(shop.client(refund_shipping="gross"), document).state is State.ACCEPTED
    assert memo(shop)["grand_total"] == D(17)


@pytest.mark.parametrize(("units", "total"), [({"S1": 1}, "13.50"), ({"S1": 1}, "9.00"), ({}, "3.00")])
def test_what_is_refunded_beside_the_lines_is_an_adjustment(shop: Bench, units: dict[str, int], total: str) -> None:
    order = shop.place(("S1", 2))
    assert send(shop.client(), refund(order, units, total)).state is State.ACCEPTED
    assert memo(shop)["grand_total"] == D(total)


def test_a_discounted_line_gives_back_what_was_paid(shop: Bench) -> None:
    order = shop.place(("S1", 2), coupon="TEN")
    assert send(shop.client(), refund(order, {"S1": 1}, "10.80")).state is State.ACCEPTED
    there = memo(shop)
    assert (there["grand_total"], there["adjustment"]) == (D("10.8"), 0)


def test_sending_again_makes_no_second_one(shop: Bench) -> None:
    order = shop.place(("S1", 2))
    document = refund(order, {"S1": 1}, "12.00")
    first = send(shop.client(), document)
    assert send(shop.client(), document) == first
    assert shop.calls("/refund") == 1


@pytest.mark.parametrize("fault", [mishaps.cut_after_commit, mishaps.cut_before])
def test_a_lost_answer_is_in_doubt_and_looked_up(shop: Bench, fault: Any) -> None:
    order = shop.place(("S1", 2))
    shop.fault(fault(path=REFUND))
    document = refund(order, {"S1": 1}, "12.00")
    assert send(shop.client(), document).state is State.IN_DOUBT
    found = look_up_refunds(shop.client(), [record("R1", document)])
    assert len(found) == (fault is mishaps.cut_after_commit)
    assert send(shop.client(), document).state is State.ACCEPTED
    assert memo(shop)["grand_total"] == D(12)


def test_more_than_is_left_is_refused_by_its_rule(shop: Bench) -> None:
    order = shop.place(("S1", 2))
    assert send(shop.client(), refund(order, {"S1": 3}, "36.00")).rule == "MG-REFUND-QUANTITY"
    assert send(shop.client(), refund(order, {"S1": 2}, "999.00")).rule == "MG-REFUND-QUANTITY"
    unpaid = shop.place(("S1", 1), paid=False)
    assert send(shop.client(), refund(unpaid, {"S1": 1}, "12.00")).rule == "MG-REFUND-QUANTITY"
    assert send(shop.client(), refund("999", {"S1": 1}, "12.00")).rule == "MG-REJECTED"
