"""The Magento orders that a seeded Stokly account already has, as the shop holds them.

Belongs here: orders of source `magento_two` with their customers, invoices, shipments and credit memos. The
order number is Stokly's `sourceReferenceId`; SKUs, quantities and money are Stokly's, to the cent. A Stokly
order or refund that is broken (a planted defect of the landing) has no counterpart here.
Source: Magento API contract 6 to 9; Stokly API contract 2.4, 3.2 to 3.4, 4.2.
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from stokly_sync.sandbox.magento.creditmemos import Extras, add_creditmemo
from stokly_sync.sandbox.magento.customers import add_customer, find_customer
from stokly_sync.sandbox.magento.figures import ZERO, Row
from stokly_sync.sandbox.magento.invoices import add_invoice
from stokly_sync.sandbox.magento.order_calls import cancel_order
from stokly_sync.sandbox.magento.orders import lines_of, to_invoice
from stokly_sync.sandbox.magento.planting import RawLine, RawOrder, plant_order, reserve_open
from stokly_sync.sandbox.magento.shipments import add_shipment, add_track
from stokly_sync.sandbox.magento.store import Store
from stokly_sync.sandbox.seeds.account import MAGENTO
from stokly_sync.sandbox.seeds.model import PARENT, Seed

CARRIERS = {"Royal Mail": "royalmail", "DPD": "dpd", "DHL": "dhl"}
"""Stokly courier -> carrier code of the shop."""

METHODS = {"GB": "flatrate_flatrate"}
ABROAD = "tablerate_bestway"
FREE, PAID_BY = "free", "checkmo"
REMOVED = "removed"
_SOURCE = "warehouse"


def add_orders(store: Store, seed: Seed, *, skip: set[str]) -> None:
    """Put the seed's Magento orders into the shop, oldest first, but those whose ids are to be skipped."""
    lines = _by(seed, "saleorders/items", PARENT)
    dispatches = _by(seed, "dispatches", "saleOrderId")
    dispatched = _by(seed, "dispatches/items", PARENT)
    refunds = _by(seed, "refunds", "saleOrderId")
    refunded = _by(seed, "refunds/items", PARENT)
    customers = {row["customerId"]: row for row in seed.collections.get("customers", [])}
    orders = [
        row
        for row in seed.collections.get("saleorders", [])
        if row["sourceType"] == MAGENTO.source_type and row["saleOrderId"] not in skip
    ]
    for row in sorted(orders, key=lambda order: (order["createdAt"], order["saleOrderId"])):
        tops = [line for line in lines[row["saleOrderId"]] if "parentId" not in line]
        order = plant_order(store, _raw(store, row, tops, customers), now="")
        numbers = dict(zip((line["lineId"] for line in tops), _tops(store, order), strict=True))
        if row["stage"] == REMOVED:
            reserve_open(store, order)
            cancel_order(store, order, now=magento_time(row["updatedAt"]))
            continue
        if row["paymentStatus"] == "paid":
            _invoice(store, order)
        for dispatch in dispatches[row["saleOrderId"]]:
            _ship(store, order, dispatch, _quantities(dispatched[dispatch["dispatchId"]], numbers))
        for refund in refunds[row["saleOrderId"]]:
            if refund["refundId"] not in skip:
                _refund(store, order, row, refund, _quantities(refunded[refund["refundId"]], numbers))
        reserve_open(store, order)


def _by(seed: Seed, collection: str, member: str) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in seed.collections.get(collection, []):
        if member in row:
            found[row[member]].append(row)
    return found


def magento_time(text: str) -> str:
    """A seed's time as the shop writes it: `2025-05-28T11:46:00.000Z` is `2025-05-28 11:46:00`."""
    return text[:10] + " " + text[11:19]


def _tops(store: Store, order: Row) -> list[int]:
    return [line["item_id"] for line in lines_of(store, order) if line["parent_item_id"] is None]


def _quantities(items: list[Row], numbers: Mapping[str, int]) -> dict[int, Decimal]:
    return {numbers[item["lineId"]]: Decimal(item["quantity"]) for item in items if item["lineId"] in numbers}


def _raw(store: Store, row: Row, lines: list[Row], customers: Mapping[str, Row]) -> RawOrder:
    country = row.get("shippingAddressCountry", "GB")
    customer = _customer(store, customers.get(row.get("customerId", "")))
    first, last = _names(row.get("customerName", "Guest Shopper"))
    return RawOrder(
        lines=[_raw_line(line) for line in lines],
        created_at=magento_time(row["createdAt"]),
        increment_id=row["sourceReferenceId"],
        email=row.get("customerEmail") or f"guest-{row['sourceReferenceId']}@example.com",
        firstname=first,
        lastname=last,
        customer_id=customer["id"] if customer is not None else None,
        currency=row["currency"],
        rate=Decimal(row["exchangeRate"]),
        shipping=Decimal(row["displayShippingCost"]),
        shipping_tax=Decimal(row["displayShippingTax"]),
        payment=PAID_BY if row["displayTotal"] else FREE,
        shipping_method=METHODS.get(country, ABROAD),
        address=_address(row),
        columns={
            "base_subtotal": row["subtotal"],
            "base_grand_total": row["total"],
            "base_total_due": row["total"],
            "base_tax_amount": row["tax"] + row["shippingTax"],
            "base_shipping_amount": row["shippingCost"],
        },
    )


def _raw_line(line: Row) -> RawLine:
    tax = Decimal(line["displayLineTax"])
    return RawLine(
        sku=line["itemSku"],
        name=line["itemName"],
        quantity=Decimal(line["quantity"]),
        row_total=Decimal(line["displayLinePrice"]),
        tax_amount=tax,
        tax_percent=Decimal(20) if tax else ZERO,
    )


def _names(name: str) -> tuple[str, str]:
    first, _, last = name.partition(" ")
    return first, last or "Shopper"


def _address(row: Row) -> Row:
    prefix = "shippingAddress"
    streets = [row[name] for name in (f"{prefix}Line1", f"{prefix}Line2") if row.get(name)]
    return {
        "street": streets or ["1 Sample Street"],
        "city": row.get(f"{prefix}City", ""),
        "region": row.get(f"{prefix}Region"),
        "postcode": row.get(f"{prefix}Postcode", ""),
        "country_id": row.get(f"{prefix}Country", "GB"),
        "telephone": row.get("customerPhone", "01632 960000"),
    }


def _customer(store: Store, row: Row | None) -> Row | None:
    """The account of a Stokly customer; two that share an e-mail address share one account."""
    if row is None or not row.get("email"):
        return None
    known = find_customer(store, row["email"])
    if known is not None:
        return known
    first, last = _names(row["name"])
    prefix = "billingAddress"
    address = {
        "firstname": first,
        "lastname": last,
        "street": [row[name] for name in (f"{prefix}Line1", f"{prefix}Line2") if row.get(name)],
        "city": row.get(f"{prefix}City"),
        "postcode": row.get(f"{prefix}Postcode"),
        "country_id": row.get(f"{prefix}Country"),
        "telephone": row.get("phone"),
    }
    made = {"email": row["email"], "firstname": first, "lastname": last, "addresses": [address]}
    return add_customer(store, made, at=magento_time(row["createdAt"]))


def _invoice(store: Store, order: Row) -> None:
    chosen = {line["item_id"]: to_invoice(line) for line in lines_of(store, order)}
    if chosen:
        add_invoice(store, order, chosen, at=order["created_at"], paid=True)


def _ship(store: Store, order: Row, dispatch: Row, chosen: Mapping[int, Decimal]) -> None:
    at = magento_time(dispatch["dispatchedAt"])
    shipment = add_shipment(store, order, chosen, at=at, source=_SOURCE)
    courier = dispatch["courier"]
    track = {"track_number": dispatch["trackingNumber"], "title": courier, "carrier_code": CARRIERS[courier]}
    add_track(store, shipment, track, at=at)


def _refund(store: Store, order: Row, row: Row, refund: Row, chosen: Mapping[int, Decimal]) -> None:
    shipping = Decimal(row["displayShippingCost"]) if refund["shippingRefund"] else ZERO
    add_creditmemo(store, order, chosen, Extras(shipping=shipping), at=magento_time(refund["createdAt"]))
