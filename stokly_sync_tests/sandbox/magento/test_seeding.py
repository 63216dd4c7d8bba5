"""The shop beside a seeded Stokly account: the same goods and orders, and the planted defects."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.magento import MagentoSandbox, MagentoSwitches, build
from stokly_sync.sandbox.magento.figures import Row, amount
from stokly_sync.sandbox.magento.orders import lines_of, top_lines
from stokly_sync.sandbox.magento.overview import totals
from stokly_sync.sandbox.magento.seeding import SOURCES, fill
from stokly_sync.sandbox.magento.store import Store
from stokly_sync.sandbox.magento.system import new_store
from stokly_sync.sandbox.seeds import Seed, demo_seed
from stokly_sync.sandbox.seeds.model import PARENT

TODAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def stokly() -> Seed:
    return demo_seed(TODAY)


@pytest.fixture(scope="module")
def clean(stokly: Seed) -> Store:
    """The demo's shop without planted defects; not to be changed."""
    store = new_store()
    fill(store, stokly, today=TODAY, defects=False)
    return store


@pytest.fixture(scope="module")
def spoiled(stokly: Seed) -> Store:
    """The demo's shop with them; not to be changed."""
    store = new_store()
    fill(store, stokly, today=TODAY, defects=True)
    return store


def sound_orders(stokly: Seed) -> dict[str, Row]:
    """Stokly's Magento orders that pass its landing, by order number."""
    broken = {row.key for row in stokly.planted if row.rule.startswith("ST-")}
    rows = stokly.collections["saleorders"]
    sound = [row for row in rows if row["sourceType"] == "magento_two" and row["saleOrderId"] not in broken]
    return {row["sourceReferenceId"]: row for row in sound}


def test_every_sound_order_of_stokly_is_in_the_shop_and_no_other(stokly: Seed, clean: Store) -> None:
    expected = sound_orders(stokly)
    assert len(expected) > 700
    assert {order["increment_id"] for order in clean.orders} == set(expected)


def test_entity_ids_and_order_numbers_do_not_run_in_step(clean: Store) -> None:
    assert all(str(order["entity_id"]) != order["increment_id"].lstrip("0") for order in clean.orders)


def test_orders_agree_with_stokly_in_sku_quantity_and_money(stokly: Seed, clean: Store) -> None:
    lines = Counter(
        (line[PARENT], line["itemSku"], Decimal(line["quantity"]), Decimal(line["displayLinePrice"]))
        for line in stokly.collections["saleorders/items"]
        if "parentId" not in line
    )
    for number, row in sound_orders(stokly).items():
        (order,) = clean.orders.of("increment_id", number)
        assert amount(order["grand_total"]) == row["displayTotal"], number
        assert amount(order["base_grand_total"]) == row["total"], number
        assert amount(order["tax_amount"]) == row["displayTax"] + row["displayShippingTax"], number
        assert amount(order["shipping_amount"]) == row["displayShippingCost"], number
        assert (order["order_currency_code"], order["state"] == "canceled") == (
            row["currency"],
            row["stage"] == "removed",
        )
        for line in top_lines(lines_of(clean, order)):
            key = (row["saleOrderId"], line["sku"], amount(line["qty_ordered"]), amount(line["row_total"]))
            assert lines[key] >= 1, key


def test_every_order_adds_up(clean: Store) -> None:  # 6.2
    names = ("subtotal", "shipping_amount", "tax_amount", "discount_amount", "discount_tax_compensation_amount")
    for order in clean.orders:
        assert amount(order["grand_total"]) == sum(amount(order[name]) for name in names)


def test_dispatches_are_shipments_with_their_tracking_number(stokly: Seed, clean: Store) -> None:
    numbers = {row["saleOrderId"] for row in sound_orders(stokly).values()}
    sent = [row["trackingNumber"] for row in stokly.collections["dispatches"] if row["saleOrderId"] in numbers]
    assert Counter(track["track_number"] for row in clean.shipments for track in row["_tracks"]) == Counter(sent)


def test_refunds_are_credit_memos_over_the_same_money(stokly: Seed, clean: Store) -> None:
    broken = {row.key for row in stokly.planted if row.rule.startswith("ST-")}
    orders = {row["saleOrderId"]: number for number, row in sound_orders(stokly).items()}
    expected = Counter(
        (orders[row["saleOrderId"]], Decimal(row["displayTotal"]))
        for row in stokly.collections["refunds"]
        if row.get("saleOrderId") in orders and row["refundId"] not in broken
    )
    seen: Counter[tuple[str, Decimal]] = Counter()
    for memo in clean.creditmemos:
        order = clean.orders.get(memo["order_id"])
        assert order is not None
        seen[order["increment_id"], amount(memo["grand_total"])] += 1
    assert seen == expected


def test_goods_of_stokly_are_products_at_two_sources_with_their_on_hand_quantity(stokly: Seed, clean: Store) -> None:
    skus = {row["itemId"]: row["sku"] for row in stokly.collections["items"] if row.get("sku")}
    kinds = Counter(row["type_id"] for row in clean.products)
    assert kinds["configurable"] == 6
    assert kinds["virtual"] == 2
    for record in stokly.collections["inventory-records"]:
        if record["binId"] == "UNASSIGNED" and record["locationId"] in SOURCES:
            place = f"{SOURCES[record['locationId']]} {skus[record['itemId']].casefold()}"
            (level,) = clean.source_items.of("_key", place)
            assert amount(level["quantity"]) == record["onHand"]


def test_products_have_the_ids_that_stokly_s_listings_name(stokly: Seed, clean: Store) -> None:
    listed = {row["sku"]: row["referenceId"] for row in stokly.collections["listings"] if row["referenceId"][0] == "5"}
    products = {row["sku"]: str(row["id"]) for row in clean.products}
    assert len(listed) > 50
    assert {sku: products[sku] for sku in listed} == listed


def test_open_orders_are_reserved(clean: Store) -> None:
    open_skus: Counter[str] = Counter()
    for order in clean.orders:
        if order["state"] in ("new", "processing"):
            for line in top_lines(lines_of(clean, order)):
                if not line["is_virtual"]:
                    open_skus[line["sku"]] += int(amount(line["qty_ordered"]) - amount(line["qty_shipped"]))
    assert sum(open_skus.values()) > 0
    for sku, quantity in open_skus.items():
        assert clean.reserved(2, sku) == -quantity


def test_two_customers_of_one_address_share_an_account(clean: Store) -> None:
    emails = [row["email"] for row in clean.customers]
    assert len(emails) == len(set(emails))


def test_the_same_day_gives_the_same_shop(stokly: Seed, spoiled: Store) -> None:
    again = new_store()
    fill(again, stokly, today=TODAY, defects=True)
    assert encode(again.dump()) == encode(spoiled.dump())


def test_each_defect_is_planted_once_and_listed(clean: Store, spoiled: Store) -> None:
    assert len(clean.planted) == 0
    assert Counter(row["kind"] for row in spoiled.planted) == dict.fromkeys(
        (
            "sku_unknown",
            "product_only_here",
            "sku_case_twin",
            "dynamic_bundle",
            "no_shipping_address",
            "tax_differs",
            "payment_unmapped",
            "shipping_unmapped",
            "creditmemo_only_here",
            "shipment_by_hand",
        ),
        1,
    )


def planted_order(store: Store, kind: str) -> Row:
    (key,) = [row["key"] for row in store.planted if row["kind"] == kind]
    (order,) = store.orders.of("increment_id", key)
    return order


def test_planted_orders_are_wrong_in_the_way_they_are_listed(spoiled: Store) -> None:
    assert planted_order(spoiled, "no_shipping_address")["_shipping"] is None
    bundle = lines_of(spoiled, planted_order(spoiled, "dynamic_bundle"))[0]
    assert bundle["sku"] == "SET-BATH-TOWEL-HAND-SOAP-OAT"
    order = planted_order(spoiled, "tax_differs")
    lines = lines_of(spoiled, order)
    parts = sum(amount(line["tax_amount"]) for line in lines) + amount(order["shipping_tax_amount"])
    assert amount(order["tax_amount"]) - parts == 1
    assert planted_order(spoiled, "payment_unmapped")["_payment"]["method"] == "sample_pay"
    assert planted_order(spoiled, "shipping_unmapped")["_method"] == "sample_parcel"


def test_planted_deeds_are_unknown_to_stokly(stokly: Seed, clean: Store, spoiled: Store) -> None:
    assert len(spoiled.creditmemos) == len(clean.creditmemos) + 1
    assert len(spoiled.shipments) == len(clean.shipments) + 1
    shipment = list(spoiled.shipments)[-1]
    order = spoiled.orders.get(shipment["order_id"])
    assert order is not None
    row = sound_orders(stokly)[order["increment_id"]]
    assert "dispatched" not in row["itemStatuses"]


@pytest.mark.parametrize(("seed", "orders", "planted"), [("demo", 849, 10), ("minimal", 2, 0), ("empty", 0, 0)])
def test_the_system_is_filled_by_the_name_of_a_seed(seed: str, orders: int, planted: int) -> None:
    system = MagentoSandbox(clock=ManualClock(datetime(2026, 3, 1, tzinfo=UTC)))
    system.seed(seed)
    counted = totals(system)
    assert (counted["orders"], counted["planted"]) == (orders, planted)


def test_a_shop_that_is_filled_already_keeps_what_it_has() -> None:
    system = build()
    system.seed("minimal")
    system.seed("demo")
    assert totals(system)["orders"] == 2


def test_the_whole_state_survives_a_restart(spoiled: Store) -> None:
    system, again = build(), build()
    system.store = spoiled
    again.load(decode(encode(system.dump())))
    assert totals(again) == totals(system)
    assert again.store.reserved(2, "MUG-STONE") == spoiled.reserved(2, "MUG-STONE")
    assert again.store.next("order number") == spoiled.numbers["order number"] + 1


def test_switches_are_checked() -> None:
    system = build()
    assert system.switches == MagentoSwitches()
    with pytest.raises(ValueError, match="release"):
        system.set_switches(release="1.9")
