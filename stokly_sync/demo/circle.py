"""The demo's way round the circle: two orders, from the shop and the marketplace through Stokly and back.

What shoppers and people do is done by the sandboxes' test-only routes; everything else is done by the sync that is
handed in. Each stop says how often something was to be found and how often it was. Nothing here is needed outside the
demo, and nothing here looks at our own database: a circle that believes its own books would close on paper only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import requests

from stokly_sync.sandbox.kit import decode, encode
from stokly_sync.sandbox.marketplacer import DEFECTS
from stokly_sync.sandbox.seeds.account import MAGENTO, MARKETPLACER
from stokly_sync.sandbox.serve import Sandbox

SKUS: Final = ("MUG-STONE", "SOAP-OAT")
"""What is bought, so many of each as `UNITS` says."""
UNITS: Final = 2
TRACKING: Final = {"magento": "CIRCLE000001GB", "marketplacer": "CIRCLE000002GB"}
SHOPPERS: Final = {"magento": "shopper-1@example.com", "marketplacer": "shopper-2@example.com"}
_CHANNELS: Final = {"magento": MAGENTO.channel_id, "marketplacer": MARKETPLACER.channel_id}
_REFUND: Final = "circle-refund"


@dataclass(frozen=True)
class Stop:
    """One thing that has to be found once the circle is closed."""

    what: str
    wanted: int
    found: int

    @property
    def reached(self) -> bool:
        """Whether it is there as often as it should be."""
        return self.wanted == self.found


Sync = Callable[[str, bool], None]
"""A whole sync: what it is about, and whether it is the last one, after which both sides are compared."""


class Circle:
    """The two orders on their way; `sandbox` must be started from the demo's seed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._numbers: dict[str, str] = {}
        self._refused: list[str] = []

    def walk(self, sync: Sync) -> tuple[Stop, ...]:
        """Go all the way round; `sync` is called with what it is about, the last time to move nothing."""
        self.place()
        sync("orders of the shop and of the marketplace", False)
        self.dispatch()
        sync("dispatches and their tracking", False)
        self.refund()
        sync("refunds, one made in the shop and one in Stokly", False)
        before = self._counts()
        sync("what must not come back", True)
        refused = [Stop(f"refused: {told}", 0, 1) for told in self._refused]
        return (*refused, *self._stops(), Stop("papers that a further sync made", 0, self._counts() - before))

    def plant(self) -> None:
        """What is wrong in the marketplace on purpose; the shop's defects are part of its seed."""
        self._post("marketplacer", "defects", {"defects": list(DEFECTS)})

    def place(self) -> None:
        """Two shoppers order: one in the shop, one in the marketplace."""
        lines = [{"sku": sku, "quantity": UNITS} for sku in SKUS]
        basket = {"lines": lines, "email": SHOPPERS["magento"], "paid": True}
        self._numbers["magento"] = str(self._post("magento", "orders/place", basket)["increment_id"])
        bought = self._post("marketplacer", "orders", {"lines": lines, "email": SHOPPERS["marketplacer"]})
        self._numbers["marketplacer"] = str(bought["invoices"][0])

    def dispatch(self) -> None:
        """Both orders leave Stokly's warehouse."""
        for channel, number in self._numbers.items():
            parcel = {"order": number, "courier": "Royal Mail", "trackingNumber": TRACKING[channel]}
            self._post("stokly", "dispatches", [parcel])

    def refund(self) -> None:
        """The shop gives back a unit of what it sold; Stokly's people give back one of the marketplace's order."""
        number = self._numbers["magento"]
        order = next(row for row in self._system("magento").store.orders if row["increment_id"] == number)
        lines = [row for row in self._system("magento").store.order_items if row["order_id"] == order["entity_id"]]
        one = {"items": [{"order_item_id": lines[0]["item_id"], "qty": 1}], "arguments": {"shipping_amount": 0}}
        self._post("magento", "orders/refund", {"increment_id": number, "arguments": one})
        for sold in self._orders("marketplacer"):
            self._refund_in_stokly(sold)

    def _refund_in_stokly(self, order: dict[str, Any]) -> None:
        line = self._stokly.children("saleorders/items", order["saleOrderId"])[0]
        self._post("stokly", "mutations", refund_of(order, line, key=_REFUND))

    def _stops(self) -> tuple[Stop, ...]:
        """What is where now that both orders are round."""
        return tuple(
            Stop(f"{channel} order {number}: {what}", wanted, found)
            for channel, number in self._numbers.items()
            for what, wanted, found in self._of_order(channel)
        )

    def _of_order(self, channel: str) -> list[tuple[str, int, int]]:
        orders = self._orders(channel)
        key = str(orders[0]["saleOrderId"]) if orders else ""
        papers = {name: self._papers(name, key) for name in ("invoices", "refunds", "credit-notes")}
        return [
            ("orders in Stokly", 1, len(orders)),
            ("invoices in Stokly", 1, papers["invoices"]),
            ("parcels with its tracking in the channel", 1, self._parcels(channel)),
            *((f"records in {system}", 1, found) for system, found in self._marketed(key).items()),
            ("refunds in Stokly", 1, papers["refunds"]),
            ("credit notes in Stokly", 1, papers["credit-notes"]),
            ("refunds in the channel", 1, self._refunds(channel)),
        ]

    def _orders(self, channel: str) -> list[dict[str, Any]]:
        known = (_CHANNELS[channel], self._numbers[channel])
        return [row for row in self._stokly.rows("saleorders") if (row["sourceId"], row["sourceReferenceId"]) == known]

    def _papers(self, collection: str, order: str) -> int:
        member = "referenceId" if collection == "credit-notes" else "saleOrderId"
        return sum(1 for row in self._stokly.rows(collection) if row.get(member) == order)

    def _parcels(self, channel: str) -> int:
        number = self._numbers[channel]
        if channel == "magento":
            rows = [row for row in self._get(channel, "shipments") if row["order"] == number]
            return sum(1 for row in rows for track in row["tracks"] if track["track_number"] == TRACKING[channel])
        return sum(1 for row in self._invoice()["shipments"] if row["tracking_number"] == TRACKING[channel])

    def _refunds(self, channel: str) -> int:
        if channel == "magento":
            return sum(1 for row in self._get(channel, "creditmemos") if row["order"] == self._numbers[channel])
        return len(self._invoice()["amendments"])

    def _invoice(self) -> dict[str, Any]:
        number = int(self._numbers["marketplacer"])
        found: dict[str, Any] = next(row for row in self._get("marketplacer", "invoices") if row["number"] == number)
        return found

    def _marketed(self, key: str) -> dict[str, int]:
        """In how many records of each marketing system an order of Stokly stands."""
        insight = self._system("dotdigital").store.collections.values()
        lines = self._get("emarsys", "sales/lines")
        return {
            "ometria": int(key in self._system("ometria").store.orders),
            "dotdigital": sum(1 for collection in insight if key in collection.records),
            "emarsys": len({line["order"] for line in lines if line["order"] == key}),
        }

    def _counts(self) -> int:
        """All papers of the two orders in Stokly and in the channels."""
        return sum(stop.found for stop in self._stops())

    @property
    def _stokly(self) -> Any:
        return self._system("stokly").store

    def _system(self, name: str) -> Any:
        return self._sandbox.systems[name]

    def _get(self, system: str, path: str) -> Any:
        return decode(requests.get(f"{self._sandbox.urls[system]}/_sandbox/{path}", timeout=30).content)

    def _post(self, system: str, path: str, body: Any) -> Any:
        """A deed; one that is refused, as when its order never came, is kept and leaves its mark on what follows."""
        url = f"{self._sandbox.urls[system]}/_sandbox/{path}"
        response = requests.post(url, data=encode(body), timeout=30)
        if not response.ok:
            self._refused.append(f"{system} {path}: {response.text[:200]}")
            return None
        return decode(response.content) if response.content else None


def refund_of(order: Mapping[str, Any], line: Mapping[str, Any], *, key: str) -> list[dict[str, Any]]:
    """Changes of Stokly's sandbox that refund one unit of a line with its credit note, as Stokly's people make it."""
    total, money = line["displayPrice"] + line["displayTax"], {"currency": order["currency"]}
    note = {"creditNoteId": f"{key}-note", "value": total, "balance": Decimal(0), "status": "active", **money}
    refund = {
        "refundId": key,
        "saleOrderId": order["saleOrderId"],
        "status": "completed",
        "reason": "Arrived damaged",
        "displayTotal": total,
        "displayTax": line["displayTax"],
        "shippingRefund": 0,
        "creditNoteId": note["creditNoteId"],
        **money,
    }
    kept = {name: line[name] for name in ("lineId", "referenceId", "itemSku", "displayPrice", "displayTax")}
    owned = {"referenceType": 1, "referenceId": order["saleOrderId"]}
    return [
        {"op": "put", "collection": "credit-notes", "row": {**note, **owned}},
        {"op": "put", "collection": "refunds", "row": refund},
        {
            "op": "put_children",
            "sublist": "refunds/items",
            "parent": key,
            "rows": [{**kept, "quantity": 1, "restocked": True}],
        },
    ]
