"""A served Ometria sandbox with a clock moved by hand, and the few words its specifications are written in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import requests

from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.ometria import OmetriaSandbox, OmetriaSwitches

Record = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What a test needs: the system, its clock, and a session without credentials."""

    system: OmetriaSandbox
    clock: ManualClock
    root: str
    session: requests.Session

    def reset(self) -> None:
        """Bring the sandbox back to how it was made: empty, no faults, switches at their defaults, full bucket."""
        self.system.load(decode(encode(OmetriaSandbox().dump())))
        self.system.set_switches(**msgspec.to_builtins(OmetriaSwitches()))
        self.system.set_limits(False)
        self.system.faults.clear()
        self.system.calls.reset()
        self.clock.advance(60)

    def call(self, method: str, path: str, *, key: str | None = None, **more: Any) -> requests.Response:
        """One call below `/v2`, with the key of the sandbox unless another is given ("" = none)."""
        headers = {"X-Ometria-Auth": self.system.switches.api_key if key is None else key}
        if key == "":
            headers = {}
        url = f"{self.root}/v2{path}"
        return self.session.request(method, url, headers=headers, timeout=30, **more)

    def get(self, path: str, **query: Any) -> Any:
        """The decoded answer to a GET that must succeed, fractions as Decimal."""
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return decode(answer.content)

    def push(self, *records: Record) -> requests.Response:
        """Push records, without waiting for the queue."""
        return self.call("POST", "/push", data=encode(list(records)))

    def store(self, *records: Record) -> None:
        """Push records that must be let in, and let the queue come to them."""
        for start in range(0, len(records), 100):
            answer = self.push(*records[start : start + 100])
            assert answer.status_code == 202, answer.text
        self.clock.advance(1)

    def errors(self) -> list[Record]:
        """What `GET /push/_errors` answers."""
        found: list[Record] = self.get("/push/_errors")
        return found

    def inspect(self, name: str) -> Any:
        """What a test-only route answers."""
        return decode(self.session.get(f"{self.root}/_sandbox/{name}", timeout=30).content)


def contact(name: str = "C1", /, **more: Any) -> Record:
    return {
        "@type": "contact",
        "id": name,
        "@collection": "stokly",
        "email": f"{name.lower()}@example.com",
        "customer_id": f"customer-{name}",
        **more,
    }


def product(name: str = "P1", /, **more: Any) -> Record:
    return {"@type": "product", "id": name, "sku": name, "title": f"Product {name}", **more}


def line(name: str = "P1", /, **more: Any) -> Record:
    return {"product_id": name, "quantity": 1, "unit_price": 10, **more}


def order(name: str = "O1", /, *, lines: Iterable[Record] | None = None, **more: Any) -> Record:
    return {
        "@type": "order",
        "id": name,
        "timestamp": "2026-01-01T10:00:00Z",
        "status": "complete",
        "is_valid": True,
        "currency": "GBP",
        "grand_total": 10,
        "customer": {"id": "customer-C1", "email": "c1@example.com"},
        "lineitems": [line()] if lines is None else list(lines),
        **more,
    }


def event(name: str = "E1", /, **more: Any) -> Record:
    return {
        "@type": "custom_event",
        "id": name,
        "timestamp": "2026-01-01T10:00:00Z",
        "event_type": "order_shipped",
        "identity_email": "c1@example.com",
        **more,
    }
