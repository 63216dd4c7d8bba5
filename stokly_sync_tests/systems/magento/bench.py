"""A client of the Magento sandbox that shares its hand-moved clock, and the words that its tests are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import requests

from stokly_sync.flow import Lane, Record
from stokly_sync.sandbox.kit import Fault, ManualClock, decode, encode
from stokly_sync.sandbox.magento import MagentoSandbox, MagentoSwitches
from stokly_sync.systems.magento import MagentoClient, MagentoSettings
from stokly_sync.systems.transport import Clock, RetryPolicy, Unlimited
from stokly_sync.systems.transport import encode as encode_document

SHIP = "^/rest/all/V1/order/.*/ship$"
REFUND = "^/rest/all/V1/order/.*/refund$"
STOCK = "^/rest/all/V1/inventory/source-items$"


@dataclass
class Bench:
    """The sandbox, its clock, and how a client gets there."""

    system: MagentoSandbox
    clock: ManualClock
    url: str
    slept: list[float]

    def reset(self) -> None:
        """Bring the shop back to its first day: no data, no faults, switches at their defaults."""
        self.system.load(decode(encode(MagentoSandbox().dump())))
        self.system.set_switches(**msgspec.to_builtins(MagentoSwitches()))
        self.system.faults.clear()
        self.system.calls.reset()
        self.slept.clear()
        self.clock.advance(60)

    def client(self, lane: Lane = Lane.BULK, **settings: Any) -> MagentoClient:
        """A client of the sandbox whose waiting moves the clock."""
        env = {k.removeprefix("MAGENTO_").lower(): v for k, v in self.system.settings_env(self.url).items()}
        known = {name: env[name] for name in MagentoSettings.credentials}
        made = MagentoSettings.model_validate({**known, "locations": {"LOC": "default"}, **settings})
        clock = Clock(now=self.clock.now, monotonic=self.clock.monotonic, sleep=self._sleep)
        return MagentoClient(made, Unlimited(), lane, clock=clock, retry=RetryPolicy(attempts=3))

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def do(self, name: str, body: Any = None) -> Any:
        """One deed by a test-only route: a shopper's, the office's, an operator's."""
        answer = requests.post(f"{self.url}/_sandbox/{name}", data=encode(body or {}), timeout=10)
        assert answer.status_code in (200, 204), answer.text
        return decode(answer.content) if answer.content else None

    def look(self, name: str) -> Any:
        """What a test-only route shows."""
        return decode(requests.get(f"{self.url}/_sandbox/{name}", timeout=10).content)

    def goods(self, sku: str, price: str = "12.00", *, quantity: int = 100, **more: Any) -> None:
        """A product with stock at the default source."""
        self.do("products", {"sku": sku, "name": f"Sample {sku}", "price": Decimal(price), **more})
        self.level(sku, quantity)

    def level(self, sku: str, quantity: int, source: str = "default") -> None:
        """Stock of a SKU at a source."""
        self.do("source-items", {"sku": sku, "source_code": source, "quantity": quantity})

    def place(self, *lines: tuple[str, int], **more: Any) -> str:
        """An order as a shopper makes it; gives its id."""
        basket = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], "paid": True, **more}
        return str(self.do("orders/place", basket)["entity_id"])

    def bundle(self, sku: str, parts: Mapping[str, int], *, price: str = "0", **custom: str) -> None:
        """A bundle with one choice for each part; `custom` are its settings, such as `price_type`."""
        options = [
            {"option_id": n, "title": one, "product_links": [{"id": str(n), "sku": one, "qty": quantity, "price": 0}]}
            for n, (one, quantity) in enumerate(parts.items(), start=1)
        ]
        settings = {"sku_type": "0", "price_type": "0", "weight_type": "0", "shipment_type": "0", **custom}
        row = {"sku": sku, "name": f"Sample {sku}", "type_id": "bundle", "price": Decimal(price)}
        self.do("products", {**row, "_options": options, "_custom": settings})

    def fault(self, fault: Fault) -> None:
        """Let something go wrong."""
        self.system.faults.add(fault)

    def calls(self, path: str, method: str = "POST") -> int:
        """Requests that the sandbox has seen for paths that end so."""
        rows = self.system.calls.rows()
        return sum(int(r["calls"]) for r in rows if str(r["template"]).endswith(path) and r["method"] == method)


def record(key: str, document: Mapping[str, Any]) -> Record:
    """A planned record."""
    return Record(key, encode_document(document), "h")
