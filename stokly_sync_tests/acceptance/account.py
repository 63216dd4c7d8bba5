"""What happens in the Stokly account while the tests watch: customers register, buy, move, and are refunded.

Rows are whole and consistent, so that nothing but what a test is about can go wrong with them. Names and addresses are
marked, so that they can be looked for where they must not be.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from stokly_sync.sandbox.seeds.account import MAGENTO, WAREHOUSE
from stokly_sync.sandbox.seeds.rows import OrderHead, Product, order_line, order_row
from stokly_sync.sandbox.seeds.words import make_id, stamp
from stokly_sync.sandbox.stokly import Put, PutChildren, StoklySandbox

Row = dict[str, Any]

MARKED: Final = {
    "name": "Zyxwvut-Name",
    "email": "zyxwvut-mail",
    "phone": "+4470009998877",
    "line1": "Zyxwvut-Street",
    "city": "Zyxwvut-Town",
    "postcode": "ZYXWVUT1",
}
"""What every customer that the tests make has in its personal members."""


def customer(number: int, **changes: Any) -> Row:
    """A customer whose personal members are all marked."""
    row: Row = {
        "customerId": make_id("acceptance customer", number),
        "niceId": 10_000 + number,
        "name": f"{MARKED['name']} {number}",
        "fullName": f"{MARKED['name']} {number}",
        "type": 0,
        "status": 1,
        "email": f"{MARKED['email']}-{number}@example.com",
        "phone": MARKED["phone"],
        "billingAddressLine1": f"{number} {MARKED['line1']}",
        "billingAddressCity": MARKED["city"],
        "billingAddressPostcode": MARKED["postcode"],
        "billingAddressCountry": "GB",
    }
    return {name: value for name, value in {**row, **changes}.items() if value is not ...}


def add_customers(
    stokly: StoklySandbox, numbers: Iterable[int], *, created: datetime | None = None, **changes: Any
) -> list[str]:
    """Let customers register, and give their ids."""
    at = stamp(created or stokly.clock.now())
    rows = [customer(number, **{"createdAt": at, "updatedAt": at, **changes}) for number in numbers]
    stokly.mutate(*(Put(collection="customers", row=row) for row in rows))
    return [row["customerId"] for row in rows]


def now_in(stokly: StoklySandbox) -> str:
    """The time as Stokly would write it."""
    return stamp(stokly.clock.now())


def product_of(stokly: StoklySandbox, sku: str = "MUG") -> Product:
    """An item of the account as an order line names it."""
    row = next(row for row in stokly.store.rows("items") if row.get("sku") == sku)
    return Product(row["itemId"], row["sku"], row["name"])


def add_order(
    stokly: StoklySandbox,
    number: int,
    *,
    customer: Row | None = None,
    product: Product | None = None,
    created: datetime | None = None,
    updated: datetime | None = None,
    **changes: Any,
) -> str:
    """Let somebody (without `customer`, a guest) buy two of a product for 7.50 net, and give the order's id.

    `changes` are laid over the finished row; `...` takes a member away.
    """
    at = created or stokly.clock.now()
    head = OrderHead(
        key=("acceptance", number),
        nice_id=20_000 + number,
        channel=MAGENTO,
        reference=f"M-{number}",
        created=at,
        updated=updated or created or at,
        location=WAREHOUSE,
        buyer=_buyer(customer or {"email": f"{MARKED['email']}-guest-{number}@example.com"}),
        address=_address(number),
    )
    line = order_line(
        make_id("acceptance line", number),
        head.order_id,
        product or product_of(stokly),
        quantity=2,
        price=Decimal("7.50"),
        pricing=head.pricing,
        status="unprocessed",
    )
    row = {name: value for name, value in {**order_row(head, [line]), **changes}.items() if value is not ...}
    parent = line.pop("_parent")
    stokly.mutate(
        Put(collection="saleorders", row=row, touch=False),
        PutChildren(sublist="saleorders/items", parent=parent, rows=[line], touch=False),
    )
    return head.order_id


def change_order(stokly: StoklySandbox, order_id: str, **members: Any) -> None:
    """Change members of an order now."""
    stokly.mutate(Put(collection="saleorders", row={"saleOrderId": order_id, **members}))


def change_customer(stokly: StoklySandbox, customer_id: str, **members: Any) -> None:
    """Change members of a customer now."""
    stokly.mutate(Put(collection="customers", row={"customerId": customer_id, **members}))


def change_item(stokly: StoklySandbox, sku: str, **members: Any) -> None:
    """Change members of an item now."""
    stokly.mutate(Put(collection="items", row={"itemId": product_of(stokly, sku).item_id, **members}))


def order_ids(stokly: StoklySandbox) -> list[str]:
    """Ids of all orders, the oldest first."""
    return [row["saleOrderId"] for row in sorted(stokly.store.rows("saleorders"), key=lambda row: row["niceId"])]


def _buyer(row: Row) -> Row:
    members = {"customerId": "customerId", "name": "customerName", "email": "customerEmail", "phone": "customerPhone"}
    return {theirs: row[ours] for ours, theirs in members.items() if ours in row}


def _address(number: int) -> Row:
    parts = {
        "Line1": f"{number} {MARKED['line1']}",
        "City": MARKED["city"],
        "Postcode": MARKED["postcode"],
        "Country": "GB",
    }
    return {f"{kind}Address{part}": value for kind in ("billing", "shipping") for part, value in parts.items()}
