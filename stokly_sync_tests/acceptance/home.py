"""Stokly on the bench, as the destination of what a channel sells; the source is the channel's sandbox.

Guests buy in the shop: a record of `main`. What is given back of an order that Stokly has taken over by itself, as it
may, is a record of `follows`. One customer with an account buys before the first load, so that an order waits for its
account. Invoices are off, because they wait for parcels that nothing here sends; they are specified beside the system.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from stokly_sync.contracts.origins import marked
from stokly_sync.sandbox.kit import Clock, Fault, SandboxSystem
from stokly_sync.sandbox.magento import MagentoSandbox
from stokly_sync.sandbox.magento.creditmemos import refund
from stokly_sync.sandbox.magento.customers import add_customer
from stokly_sync.sandbox.magento.figures import stamp as shop_time
from stokly_sync.sandbox.magento.invoices import invoice
from stokly_sync.sandbox.magento.orders import lines_of
from stokly_sync.sandbox.magento.placing import Basket, BasketLine, place_order
from stokly_sync.sandbox.magento.switches import MagentoSwitches
from stokly_sync.sandbox.seeds.account import MAGENTO
from stokly_sync_tests.acceptance.account import MARKED, add_order, product_of
from stokly_sync_tests.acceptance.bench import Bench, Json, Way
from stokly_sync_tests.acceptance.channels import MagentoBench

if TYPE_CHECKING:
    from stokly_sync_tests.acceptance.harness import Rig

CUSTOMERS: Final = "magento_customers"
MODES: Final = {"magento_invoices": "off"}
ACCOUNT: Final = "MAGENTO-"
"""What account codes of the shop's customers begin with."""
AGO: Final = timedelta(days=5)


class StoklyBench(Bench):
    """Stokly: one call a record, nothing deduplicated, and a write that is seen only after a moment."""

    system = "stokly"
    main = "magento_orders"
    follows = "magento_refunds"
    changes = "magento_orders"
    once: ClassVar[frozenset[str]] = frozenset({"magento_orders", "magento_refunds"})
    lacks: ClassVar[Mapping[str, str]] = {
        "people": "Stokly is the master of customers: consent and erasure begin there",
        "inside": "Stokly answers each record by a status of its own",
        "later": "Stokly is not known to drop what it has taken",
        "changes": "Stokly is the master of an order that it holds: nothing is written over",
        "quiet": "what Stokly was sent changed in the window that is still running, which is read again",
        "deletions": "an order that Stokly alone dropped is an exception, and not for us to make again",
    }
    settings: ClassVar[Mapping[str, str]] = {
        **MagentoBench.settings,
        "STOKLY_MODES": json.dumps(MODES),
        "STOKLY_MAGENTO": json.dumps({"channel_id": MAGENTO.channel_id, "orders_from": "2020-01-01"}),
        "STOKLY_VISIBLE_AFTER": "1.5",
        "STOKLY_WRITE_BATCH": "50",
    }
    small_batches: ClassVar[Mapping[str, str]] = {"STOKLY_WRITE_BATCH": "5"}
    crowd: ClassVar[int] = 60
    asks: ClassVar[int] = 2
    engines = ("postgresql",)
    names_there = True
    places: ClassVar[tuple[str, ...]] = (
        *("extract:before-commit:9", "plan:before-commit:1", "send:attempt-opened:3"),
        *("send:between-records:4", "send:before-merge:3"),
    )
    write: ClassVar[Mapping[str, Any]] = {"method": "POST", "path": "^/v2/saleorders$"}

    def make(self, clock: Clock) -> SandboxSystem:
        """The shop; Stokly is there anyway."""
        return MagentoSandbox(clock=clock, switches=MagentoSwitches(shipping=Decimal(0)))

    def furnish(self, rig: Rig) -> None:
        at = _midnight(rig) - AGO
        person = {"email": f"{MARKED['email']}-known@example.com", "firstname": "Known", "lastname": MARKED["name"]}
        known = add_customer(self._shop(rig).store, {**person, "addresses": []}, at=shop_time(at))
        self._bought(rig, at, customer_id=known["id"])
        self.add(rig, self.follows, [900], created=at)

    def add(self, rig: Rig, feed: str, numbers: Iterable[int], *, created: datetime | None = None) -> list[str]:
        at = created or rig.clock.now()
        make = self._guest if feed == self.main else self._given_back
        return [make(rig, number, at) for number in numbers]

    def _guest(self, rig: Rig, number: int, at: datetime) -> str:
        return str(self._bought(rig, at, email=f"{MARKED['email']}-guest-{number}@example.com")["entity_id"])

    def _bought(self, rig: Rig, at: datetime, **buyer: Any) -> Json:
        there = self._shop(rig)
        basket = Basket(lines=[BasketLine("MUG")], address={"city": MARKED["city"]}, ignore_stock=True, **buyer)
        order = place_order(there, basket)
        # The number that Stokly knows it by is the id here, so that a fault finds a record by its key.
        order["increment_id"] = str(order["entity_id"])
        invoice(there.store, order, [], now=shop_time(at), capture=True)
        order.update(created_at=shop_time(at), updated_at=shop_time(at))
        there.touch()
        return order

    def _given_back(self, rig: Rig, number: int, at: datetime) -> str:
        """Stokly has taken the order over, and it was shipped, before it is refunded in the shop."""
        order = self._bought(rig, at, email=f"{MARKED['email']}-guest-{number}@example.com")
        taken_over: Json = {
            "sourceType": MAGENTO.source_type,
            "sourceId": MAGENTO.channel_id,
            "sourceReferenceId": order["increment_id"],
            "channelName": MAGENTO.name,
        }
        add_order(rig.stokly, number, product=product_of(rig.stokly), quantity=1, created=at, **taken_over)
        store = self._shop(rig).store
        (line,) = lines_of(store, order)
        line["qty_shipped"] = line["qty_ordered"]
        back = {"items": [{"order_item_id": line["item_id"], "qty": 1}], "arguments": {"shipping_amount": 0}}
        return str(refund(store, order, back, now=shop_time(at), gross_shipping=False)["entity_id"])

    def change(self, rig: Rig, feed: str, key: str, word: str, *, at: datetime | None = None) -> None:
        assert feed == self.main
        order = self._order(rig, key)
        order.update(customer_lastname=word, updated_at=shop_time(at or rig.clock.now()))

    def keep(self, rig: Rig, feed: str, key: str) -> Callable[[], None]:
        assert feed == self.main
        order = self._order(rig, key)
        old = dict(order)
        return lambda: order.update(old)

    def spoil(self, rig: Rig, number: int, *, created: datetime) -> None:
        self._order(rig, self._guest(rig, number, created))["order_currency_code"] = "POUNDS"

    def wanted(self, rig: Rig) -> dict[str, list[str]]:
        own = {row["sourceReferenceId"] for row in rig.stokly.store.rows("saleorders") if not _ours(row)}
        orders = [o for o in self._shop(rig).store.orders if o["increment_id"] not in own]
        given_back = {row["saleOrderId"] for row in rig.stokly.store.rows("refunds") if _memo_of(row) is None}
        numbers = {
            row["sourceReferenceId"] for row in rig.stokly.store.rows("saleorders") if row["saleOrderId"] in given_back
        }
        memos = [
            memo
            for memo in self._shop(rig).store.creditmemos
            if self._order(rig, memo["order_id"])["increment_id"] not in numbers
        ]
        return {
            CUSTOMERS: [str(o["customer_id"]) for o in orders if o["customer_id"]],
            self.main: [str(o["entity_id"]) for o in orders if o["order_currency_code"] != "POUNDS"],
            self.follows: [str(memo["entity_id"]) for memo in memos],
        }

    def settle(self, rig: Rig) -> None:
        rig.stokly.store.settle(everything=True)

    def held(self, rig: Rig, feed: str) -> dict[str, Json]:
        self.settle(rig)
        if feed == CUSTOMERS:
            codes = [(str(row.get("barcode")), row) for row in rig.stokly.store.rows("customers")]
            made = {code: row for code, row in codes if code.startswith(ACCOUNT)}
            return {code.removeprefix(ACCOUNT): {"email": row["email"]} for code, row in made.items()}
        if feed == self.follows:
            refunds = [(_memo_of(row), row) for row in rig.stokly.store.rows("refunds")]
            return {memo: {"total": row["displayTotal"]} for memo, row in refunds if memo is not None}
        orders = [row for row in rig.stokly.store.rows("saleorders") if _ours(row)]
        return {
            row["sourceReferenceId"]: {"buyer": row["customerName"], "total": row["displayTotal"]} for row in orders
        }

    def taken(self, rig: Rig, feed: str) -> dict[str, int]:
        self.settle(rig)
        if feed == self.follows:
            return Counter(memo for row in rig.stokly.store.rows("refunds") if (memo := _memo_of(row)) is not None)
        return Counter(row["sourceReferenceId"] for row in rig.stokly.store.rows("saleorders") if _ours(row))

    def refuse(self, rig: Rig, way: Way, *keys: str) -> None:
        assert way not in self.lacks
        rig.there.faults.clear()
        for key in keys:
            rig.there.faults.add(self.fault(body=f'"{key}"', status=400, text='{"message":"No"}', times=None))

    def revoke(self, rig: Rig) -> None:
        rig.stokly.revoke_tokens()
        rig.there.faults.add(Fault(path="/v1/grant", status=401, text='{"message":"Invalid credentials"}', times=None))

    def writes(self, box: SandboxSystem) -> int:
        calls = [row for row in box.calls.rows() if row["method"] != "GET" and row["template"] != "/v1/grant"]
        return sum(int(row["calls"]) for row in calls)

    def _shop(self, rig: Rig) -> MagentoSandbox:
        return cast("MagentoSandbox", rig.box.systems["magento"])

    def _order(self, rig: Rig, key: str | int) -> Json:
        order = self._shop(rig).store.orders.get(int(key))
        assert order is not None
        return order


def _ours(order: Json) -> bool:
    """Whether an order in Stokly was made by us, and not taken over from the shop by Stokly itself."""
    return bool("magento" in order.get("tags", ()))


def _memo_of(row: Json) -> str | None:
    """The credit memo that a refund in Stokly was made for."""
    return marked(row.get("reason"), "magento")


def _midnight(rig: Rig) -> datetime:
    """The beginning of the day, so that the same rows have the same times in two accounts."""
    now = rig.clock.now()
    return datetime(now.year, now.month, now.day, tzinfo=UTC)
