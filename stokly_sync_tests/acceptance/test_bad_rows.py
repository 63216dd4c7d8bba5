"""Bad rows of Stokly, all at once: each is kept back under its rule, and none besides (X2)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from stokly_sync.contracts.money import nano
from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.words import make_id
from stokly_sync.sandbox.stokly import Put, PutChildren, StoklySandbox
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.acceptance.account import add_customers, add_order, now_in, product_of
from stokly_sync_tests.acceptance.benches import OmetriaBench
from stokly_sync_tests.acceptance.harness import Rig, opened

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]

Kept = tuple[str, str, str]
Plant = Callable[[StoklySandbox, int], Kept]
UNKNOWN: Final = Product(make_id("item", "nobody knows it"), "NOBODY-KNOWS-IT", "Unknown")


def order_with(rule: str, subject: str = "stokly.orders", **changes: Any) -> Plant:
    return lambda stokly, number: (subject, add_order(stokly, number, **changes), rule)


def without_lines(stokly: StoklySandbox, number: int) -> Kept:
    key = add_order(stokly, number)
    stokly.mutate(PutChildren(sublist="saleorders/items", parent=key, rows=[]))
    return ("stokly.orders", key, "ST-ORDER-LINES")


def total_off(stokly: StoklySandbox, number: int) -> Kept:
    return ("stokly.orders", add_order(stokly, number, displayTotal=Decimal("18.05")), "ST-ORDER-TOTAL")


def ten_decimals(stokly: StoklySandbox, number: int) -> Kept:
    return ("stokly.orders", add_order(stokly, number, displayTax=Decimal("3.0000000001")), "ST-MONEY")


def dispatch_with(number: int, tracking: str) -> Plant:
    def plant(stokly: StoklySandbox, place: int) -> Kept:
        key = make_id("acceptance dispatch", place)
        order = add_order(stokly, place, customer=stokly.store.rows("customers")[0])
        row = {
            "dispatchId": key,
            "niceId": number,
            "saleOrderId": order,
            "trackingNumber": tracking,
            "status": "dispatched",
            "dispatchedAt": now_in(stokly),
        }
        stokly.mutate(Put(collection="dispatches", row=row))
        return ("ometria/dispatches", key, "OM-TRACKING")

    return plant


def refund_above_its_order(stokly: StoklySandbox, number: int) -> Kept:
    key = make_id("acceptance refund", number)
    row = {
        "refundId": key,
        "niceId": number,
        "saleOrderId": add_order(stokly, number),
        "status": "completed",
        "currency": "GBP",
        "displayTotal": Decimal("18.50"),
        "displayTax": Decimal("3.00"),
        "createdAt": now_in(stokly),
    }
    stokly.mutate(Put(collection="refunds", row=row))
    return ("stokly.refunds", key, "ST-REFUND-OVER")


def customer_with(rule: str, subject: str = "stokly.customers", **changes: Any) -> Plant:
    return lambda stokly, number: (subject, add_customers(stokly, [number], **changes)[0], rule)


def item_with(rule: str, **changes: Any) -> Plant:
    def plant(stokly: StoklySandbox, number: int) -> Kept:
        known = stokly.store.get("items", product_of(stokly).item_id)
        key = make_id("acceptance item", number)
        at = now_in(stokly)
        row = {**known, "itemId": key, "sku": f"SAMPLE-{number}", "timeCreated": at, "timeUpdated": at, **changes}
        stokly.mutate(Put(collection="items", row={name: value for name, value in row.items() if value is not ...}))
        return ("stokly.items", key, rule)

    return plant


BAD: Final[dict[str, Plant]] = {
    "an amount with ten decimals": ten_decimals,
    "an amount beyond all bounds": order_with("ST-MONEY", displayTotal=Decimal("1E+30")),
    "an amount in quotes": order_with("ST-MEMBER-TYPE", displayTotal="18.00"),
    "an amount as an object": order_with("ST-MEMBER-TYPE", displayTotal={"amount": 18}),
    "no total at all": order_with("ST-MEMBER-TYPE", displayTotal=..., total=...),
    "a date that is none": order_with("ST-TIME", createdAt="31/02/2026"),
    "a date as a number": order_with("ST-MEMBER-TYPE", createdAt=1_700_000_000),
    "a date years ahead": order_with("ST-TIME", createdAt="2099-01-01T00:00:00.000Z"),
    "a currency in words": order_with("ST-CURRENCY", currency="POUNDS"),
    "a country in words": order_with("ST-ORDER-COUNTRY", shippingAddressCountry="England"),
    "no lines": without_lines,
    "a total that is not the sum": total_off,
    "an unknown SKU": order_with("OM-SKU-UNKNOWN", "ometria/orders", product=UNKNOWN),
    "a tracking number that is none": dispatch_with(1, "TBC"),
    "a tracking number with a question": dispatch_with(2, "RM 1234 5678?"),
    "a refund above its order": refund_above_its_order,
    "an e-mail address that is none": customer_with("ST-CUSTOMER-EMAIL", email="nobody@@example.com"),
    "a customer without an e-mail address": customer_with("OM-CONTACT-EMAIL", "ometria/contacts", email=...),
    "an item without a SKU": item_with("ST-ITEM-SKU", sku=...),
    "a SKU that differs by case alone": item_with("ST-SKU-DUPLICATE", sku="mug"),
    "a price as an object": item_with("ST-MEMBER-TYPE", salePrice={"amount": 1}),
}

GOOD: Final[dict[str, Callable[[StoklySandbox, int], str]]] = {
    "nine decimals": lambda stokly, n: add_order(stokly, n, displayDiscount=Decimal("0.123456789")),
    "a customer nobody knows": lambda stokly, n: add_order(stokly, n),
    "no country": lambda stokly, n: add_order(stokly, n, shippingAddressCountry=..., billingAddressCountry=...),
    "a JavaScript date": lambda stokly, n: add_order(
        stokly, n, createdAt="Wed May 28 2025 11:46:00 GMT+0100 (British Summer Time)"
    ),
    "a date without a zone": lambda stokly, n: add_order(stokly, n, createdAt="2025-05-28T10:46:00"),
    "a running number as text": lambda stokly, n: add_order(stokly, n, niceId=str(n)),
    "a total that is a penny off": lambda stokly, n: add_order(stokly, n, displayTotal=Decimal("18.01")),
}


@dataclass(frozen=True)
class Planted:
    rig: Rig
    bad: dict[str, Kept]
    good: dict[str, str]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Planted]:
    """One sync of an account with all of these in it, beside enough that is clean."""
    path = tmp_path_factory.mktemp("bad") / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    # The share that stops a load is a matter of its own: here more is bad than any account should have.
    with opened(OmetriaBench(), f"sqlite:///{path}", environ={"STOKLY_SYNC_REFUSE_SHARE": "0.9"}) as rig:
        bad = {name: plant(rig.stokly, number) for number, (name, plant) in enumerate(BAD.items(), start=1)}
        good = {name: plant(rig.stokly, number) for number, (name, plant) in enumerate(GOOD.items(), start=101)}
        _empty_the_shelf(rig.stokly)
        rig.sync().fine()
        yield Planted(rig, bad, good)


def _empty_the_shelf(stokly: StoklySandbox) -> None:
    """Make the stock of plates negative, in the record of its bin and in the item's own counts."""
    plate = product_of(stokly, "PLATE").item_id
    for row in stokly.store.rows("inventory-records"):
        if row["itemId"] == plate:
            stokly.mutate(Put(collection="inventory-records", row={**row, "onHand": -3}))
    stokly.mutate(Put(collection="items", row={"itemId": plate, "onHand": -3, "available": -3}))


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_row_is_kept_back_under_its_rule(planted: Planted, name: str) -> None:
    subject, key, rule = planted.bad[name]
    assert {found for at, found_key, found in planted.rig.exceptions() if (at, found_key) == (subject, key)} == {rule}
    assert all(key not in planted.rig.held(feed) for feed in ("contacts", "products", "orders"))


def test_nothing_else_is_kept_back(planted: Planted) -> None:
    assert planted.rig.exceptions() == set(planted.bad.values())


@pytest.mark.parametrize("name", list(GOOD))
def test_an_odd_row_that_can_be_understood_goes_through(planted: Planted, name: str) -> None:
    assert planted.rig.state("orders", planted.good[name]) == "accepted"


def test_nine_decimals_are_kept_to_the_last(planted: Planted) -> None:
    assert landed_order(planted, "nine decimals")["discount"] == nano(Decimal("0.123456789"))


def test_dates_in_either_spelling_are_the_same_moment(planted: Planted) -> None:
    moments = {landed_order(planted, name)["created_at"] for name in ("a JavaScript date", "a date without a zone")}
    assert [moment.isoformat() for moment in moments] == ["2025-05-28T10:46:00+00:00"]


def test_an_order_without_a_customer_is_a_guests_order(planted: Planted) -> None:
    assert "id" not in planted.rig.held("orders")[planted.good["a customer nobody knows"]].get("customer", {})


def test_negative_stock_means_not_in_stock(planted: Planted) -> None:
    assert planted.rig.held("stock")["PLATE"]["is_in_stock"] is False
    assert planted.rig.held("stock")["MUG"]["is_in_stock"] is True


def test_both_sides_agree_all_the_same(planted: Planted) -> None:
    planted.rig.agrees()


def test_whatever_is_corrected_goes_out_by_itself(tmp_path: Path, migrated_sqlite: Path) -> None:
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    with opened(OmetriaBench(), f"sqlite:///{path}", environ={"STOKLY_SYNC_REFUSE_SHARE": "0.9"}) as rig:
        for number, plant in enumerate(BAD.values(), start=1):
            plant(rig.stokly, number)
        rig.sync().fine()
        rig.clock.sleep(2)
        _correct_all(rig.stokly)
        rig.sync().fine()
        assert rig.exceptions() == set()
        rig.agrees()


def _correct_all(stokly: StoklySandbox) -> None:
    """Put every bad row right."""
    for number, name in enumerate(BAD, start=1):
        if BAD[name].__qualname__.startswith("item_with"):
            key = make_id("acceptance item", number)
            row: dict[str, Any] = {"itemId": key, "sku": f"SAMPLE-{number}", "salePrice": Decimal("1.50")}
            stokly.mutate(Put(collection="items", row=row))
        elif BAD[name].__qualname__.startswith("customer_with"):
            key = make_id("acceptance customer", number)
            stokly.mutate(Put(collection="customers", row={"customerId": key, "email": f"right-{number}@example.com"}))
        else:
            # Dispatches keep the buyer that they had.
            add_order(stokly, number, customer=_buyer_of(stokly, number), updated=stokly.clock.now())
    for row in stokly.store.rows("dispatches"):
        stokly.mutate(Put(collection="dispatches", row={**row, "trackingNumber": "RM000000001GB"}))
    for row in stokly.store.rows("refunds"):
        if row["niceId"] <= len(BAD):
            stokly.mutate(Put(collection="refunds", row={**row, "displayTotal": Decimal("18.00")}))


def _buyer_of(stokly: StoklySandbox, number: int) -> dict[str, Any] | None:
    tracked = list(BAD)[number - 1].startswith("a tracking number")
    return stokly.store.rows("customers")[0] if tracked else None


def landed_order(planted: Planted, name: str) -> dict[str, Any]:
    table = LANDED["stokly.orders"]
    query = sa.select(table).where(table.c.order_id == planted.good[name])
    with planted.rig.services.warehouse.reading() as connection:
        return dict(connection.execute(query).one()._mapping)
