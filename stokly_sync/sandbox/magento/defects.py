"""What is wrong on purpose in the demo's shop: one record each, listed in `/_sandbox/planted`.

Belongs here: the list below and how each is planted. Nothing of it exists unless it is asked for, and none
of it spoils a record that is otherwise clean, but for the two that happen to an order Stokly knows.

- `sku_unknown`: an order of a product that Stokly does not have.
- `product_only_here`: that product, which the shop sells and Stokly lacks.
- `sku_case_twin`: a product whose SKU differs from Stokly's by case alone.
- `dynamic_bundle`: an order of a bundle whose SKU on the order is no catalogue SKU; the bundle itself
  (`SET-BATH`) is one more product that Stokly lacks.
- `no_shipping_address`: an order of goods without one.
- `tax_differs`: an order whose tax is 1.00 more than that of its parts, its total unchanged.
- `payment_unmapped`, `shipping_unmapped`: an order by a method nobody has heard of.
- `creditmemo_only_here`: a refund made in the shop, of an order that Stokly knows as unrefunded.
- `shipment_by_hand`: goods sent from the shop's office, of an order that Stokly has not dispatched.

Source: Magento API contract 6.3, 15, 17.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from stokly_sync.sandbox.magento.baskets import Money, Wanted, lines_for, totals
from stokly_sync.sandbox.magento.creditmemos import refund
from stokly_sync.sandbox.magento.figures import Row, amount, put_money, stamp
from stokly_sync.sandbox.magento.invoices import invoice
from stokly_sync.sandbox.magento.orders import lines_of, money_lines, top_lines
from stokly_sync.sandbox.magento.placing import Buyer, add_order, note_payment, order_row
from stokly_sync.sandbox.magento.planting import RawLine, RawOrder, plant_order, reserve_open
from stokly_sync.sandbox.magento.products import add_product, find_product
from stokly_sync.sandbox.magento.shipments import ship
from stokly_sync.sandbox.magento.stock import put_source_item
from stokly_sync.sandbox.magento.store import Store, key
from stokly_sync.sandbox.seeds.model import Seed
from stokly_sync.sandbox.seeds.words import midnight

ONLY_HERE = "SHOP-ONLY-PRINT"
BUNDLE = "SET-BATH"
TWIN = "Twine-Jute"
PARTS = (("TOWEL-HAND", 2), ("SOAP-OAT", 1))
GOODS = "MUG-ENAMEL"
_MONEY = Money(Decimal(20), included=True, off=Decimal(0))


def plant_defects(store: Store, seed: Seed, *, today: date) -> None:
    """Plant every defect of the list; orders are placed from six in the morning of the day before `today`."""
    times = _hours(today)
    _plant_goods(store, at=next(times))
    orders = {
        "sku_unknown": RawOrder(lines=[_line(ONLY_HERE, "8.00")]),
        "no_shipping_address": RawOrder(lines=[_line(GOODS, "6.25")], ships=False),
        "payment_unmapped": RawOrder(lines=[_line(GOODS, "6.25")], payment="sample_pay"),
        "shipping_unmapped": RawOrder(lines=[_line(GOODS, "6.25")], shipping_method="sample_parcel"),
    }
    for kind, raw in orders.items():
        _place(store, kind, raw, at=next(times))
    taxed = _place(store, "tax_differs", RawOrder(lines=[_line(GOODS, "6.25")]), at=next(times))
    put_money(taxed, {"tax_amount": amount(taxed["tax_amount"]) + 1}, rate=Decimal(1))
    _plant_bundle_order(store, at=next(times))
    _plant_deeds(store, seed, at=next(times))


def _hours(today: date) -> Iterator[str]:
    first = midnight(today, days=-1) + timedelta(hours=6)
    return (stamp(first + timedelta(minutes=30 * place)) for place in range(24))


def _line(sku: str, net: str) -> RawLine:
    row = Decimal(net)
    return RawLine(sku=sku, quantity=Decimal(1), row_total=row, tax_amount=row / 5)


def _note(store: Store, kind: str, entity: str, found: str, note: str) -> None:
    store.planted.add({"kind": kind, "entity": entity, "key": found, "note": note})


def _plant_goods(store: Store, *, at: str) -> None:
    add_product(store, {"sku": ONLY_HERE, "name": "Framed Print", "price": Decimal("9.60")}, at=at)
    put_source_item(store, ONLY_HERE, "warehouse", quantity=Decimal(10), status=1)
    _note(store, "product_only_here", "product", ONLY_HERE, "Stokly has no such SKU")
    twin = find_product(store, TWIN)
    if twin is not None:
        old = twin["sku"]
        twin["sku"] = TWIN
        for row in store.source_items:
            if key(row["sku"]) == key(TWIN):
                row["sku"] = TWIN
        _note(store, "sku_case_twin", "product", TWIN, f"Stokly spells it {old}")
    links = [
        {"id": str(store.next("selection")), "sku": sku, "qty": Decimal(quantity), "price": 0, "is_default": True}
        for sku, quantity in PARTS
    ]
    options = [
        {"option_id": store.next("bundle option"), "title": f"Part {place}", "required": True, "product_links": [link]}
        for place, link in enumerate(links, start=1)
    ]
    custom = {"sku_type": "0", "price_type": "0", "weight_type": "0", "shipment_type": "1"}
    bundle = {"sku": BUNDLE, "name": "Bath Set", "type_id": "bundle", "_options": options, "_custom": custom}
    add_product(store, bundle, at=at)


def _place(store: Store, kind: str, raw: RawOrder, *, at: str) -> Row:
    raw.created_at = at
    raw.address = {"street": ["1 Sample Street"], "city": "Leeds", "postcode": "LS1 0AA", "country_id": "GB"}
    order = plant_order(store, raw, now=at)
    invoice(store, order, [], now=at, capture=True)
    reserve_open(store, order)
    _note(store, kind, "order", order["increment_id"], f"order {order['increment_id']} is not in Stokly")
    return order


def _plant_bundle_order(store: Store, *, at: str) -> None:
    groups = lines_for(store, Wanted(BUNDLE, Decimal(1)), _MONEY)
    order = order_row(
        store,
        buyer=Buyer(email="guest@example.com", firstname="Guest", lastname="Shopper"),
        at=at,
        currency=("GBP", "GBP", Decimal(1)),
        virtual=False,
        address={"street": ["1 Sample Street"], "city": "Leeds", "postcode": "LS1 0AA", "country_id": "GB"},
        shipping=("flatrate_flatrate", "Flat Rate - Fixed"),
        payment="checkmo",
    )
    kept = add_order(store, order, groups)
    lines = lines_of(store, kept)
    put_money(kept, totals(money_lines(lines), shipping=Decimal("5.00"), money=_MONEY), rate=Decimal(1))
    note_payment(kept)
    invoice(store, kept, [], now=at, capture=True)
    for line in lines:
        if line["parent_item_id"] is not None:
            store.reserve(2, line["sku"], -line["qty_ordered"], event="order_placed", order_id=kept["entity_id"])
    _note(store, "dynamic_bundle", "order", kept["increment_id"], f"its line is called {lines[0]['sku']}")


def _plant_deeds(store: Store, seed: Seed, *, at: str) -> None:
    """A refund and a shipment that Stokly knows nothing of, on the newest orders that allow them."""
    known = {row["sourceReferenceId"] for row in seed.collections.get("saleorders", []) if not row.get("tags")}
    orders = [row for row in store.orders if row["increment_id"] in known and row["order_currency_code"] == "GBP"]
    orders.sort(key=lambda row: (row["created_at"], row["entity_id"]), reverse=True)
    done = next(row for row in orders if row["state"] == "complete" and amount(row["grand_total"]) > 0)
    head = next(line for line in top_lines(lines_of(store, done)) if amount(line["price"]) > 0)
    items = [{"order_item_id": head["item_id"], "qty": Decimal(1)}]
    given = {"items": items, "arguments": {"shipping_amount": Decimal(0)}}
    memo = refund(store, done, given, now=at, gross_shipping=False)
    note = f"of order {done['increment_id']}, which Stokly has not refunded"
    _note(store, "creditmemo_only_here", "creditmemo", memo["increment_id"], note)
    track = {"track_number": "RM000000001GB", "title": "Royal Mail", "carrier_code": "royalmail"}
    for order in (row for row in orders if row["state"] == "processing"):
        line = next(
            (
                row
                for row in top_lines(lines_of(store, order))
                if not row["is_virtual"] and not amount(row["qty_shipped"])
            ),
            None,
        )
        level = line and store.source_items.of("_key", f"warehouse {key(line['sku'])}")
        if line is None or not level or amount(level[0]["quantity"]) < amount(line["qty_ordered"]):
            continue
        given = {"tracks": [track], "arguments": {"extension_attributes": {"source_code": "warehouse"}}}
        items = [{"order_item_id": line["item_id"], "qty": line["qty_ordered"]}]
        shipment = ship(store, order, {"items": items, **given}, now=at)
        note = f"of order {order['increment_id']}, which Stokly has not dispatched so far"
        _note(store, "shipment_by_hand", "shipment", shipment["increment_id"], note)
        return
