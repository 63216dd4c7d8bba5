"""A served Magento sandbox with a clock moved by hand, and the few words its specifications are written in.

Requests are signed here without the library by which the sandbox verifies them.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import requests

from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.magento import MagentoSandbox, MagentoSwitches

ALL = "/rest/all/V1"
V1 = "/rest/V1"


def escaped(text: str) -> str:
    """Percent-encoding as OAuth 1.0a has it."""
    return quote(text, safe="-._~")


def signature(method: str, url: str, pairs: list[tuple[str, str]], *, secrets_: tuple[str, str]) -> str:
    """HMAC-SHA256 over method, address and sorted parameters (section 2.1)."""
    parts = sorted((escaped(name), escaped(value)) for name, value in pairs)
    joined = "&".join(f"{name}={value}" for name, value in parts)
    base = "&".join([method, escaped(url), escaped(joined)])
    key = "&".join(map(escaped, secrets_))
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), hashlib.sha256)).decode()


@dataclass(frozen=True)
class Bench:
    """What a test needs: the system, its clock, and a session without credentials."""

    system: MagentoSandbox
    clock: ManualClock
    root: str
    session: requests.Session

    def reset(self) -> None:
        """Bring the shop back to its first day: no data, no faults, switches at their defaults, a minute later."""
        self.system.load(decode(encode(MagentoSandbox().dump())))
        self.system.set_switches(**msgspec.to_builtins(MagentoSwitches()))
        self.system.faults.clear()
        self.system.calls.reset()
        self.clock.advance(60)

    def oauth(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        signed_path: str | None = None,
        signed_query: list[tuple[str, str]] | None = None,
        without: str = "",
        **given: str,
    ) -> str:
        """An `Authorization` header; `given` replaces parameters without their `oauth_`."""
        integration = self.system.access.integration
        parameters = {
            "oauth_consumer_key": integration.consumer_key,
            "oauth_token": integration.access_token,
            "oauth_nonce": secrets.token_hex(16),
            "oauth_timestamp": str(int(self.clock.now().timestamp())),
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_version": "1.0",
            **{f"oauth_{name}": value for name, value in given.items()},
        }
        parameters.pop(f"oauth_{without}", None)
        url = self.root + (signed_path or path)
        pairs = [*parameters.items(), *(signed_query if signed_query is not None else query or [])]
        both = (integration.consumer_secret, integration.access_token_secret)
        sealed = {
            **parameters,
            "oauth_signature": given.get("signature") or signature(method, url, pairs, secrets_=both),
        }
        return "OAuth " + ", ".join(f'{name}="{escaped(value)}"' for name, value in sealed.items())

    def call(
        self, method: str, path: str, body: Any = None, *, query: list[tuple[str, str]] | None = None, **headers: str
    ) -> requests.Response:
        """One signed call; `path` is whole if it begins with `/rest`, else below `/rest/V1`."""
        whole = path if path.startswith(("/rest", "/index.php")) else f"{V1}{path}"
        sent = {"Authorization": self.oauth(method, whole, query=query), **headers}
        url = self.root + whole
        if query:
            url += "?" + "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in query)
        assert urlsplit(url).hostname == "127.0.0.1"
        content = encode(body) if body is not None else None
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.session.request(method, url, headers=sent, data=content, timeout=10)

    def ask(self, method: str, path: str, body: Any = None, *, query: list[tuple[str, str]] | None = None) -> Any:
        """The content of a call that must succeed."""
        answer = self.call(method, path, body, query=query)
        assert answer.status_code in (200, 202), answer.text
        return decode(answer.content)

    def refusal(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str, Any]:
        """Status, text and parameters of a call that must be refused."""
        answer = self.call(method, path, body, **more)
        assert answer.status_code >= 400, answer.text
        content = answer.json()
        return answer.status_code, content["message"], content.get("parameters")

    def find(self, path: str, *filters: tuple[str, str, str], sort: str = "", **more: str) -> Any:
        """A list: each filter is (field, condition, value), all of them must hold."""
        return self.ask("GET", path, query=criteria(*filters, sort=sort, **more))

    def do(self, name: str, body: Any = None) -> Any:
        """One deed by a test-only route."""
        answer = self.session.post(f"{self.root}/_sandbox/{name}", data=encode(body or {}), timeout=10)
        assert answer.status_code in (200, 204), answer.text
        return decode(answer.content) if answer.content else None

    def inspect(self, name: str) -> Any:
        """What a test-only route answers."""
        return decode(self.session.get(f"{self.root}/_sandbox/{name}", timeout=10).content)

    def goods(self, sku: str, price: str = "12.00", *, quantity: int = 100, **more: Any) -> int:
        """A product with stock at the default source; says its id."""
        number: int = self.do("products", {"sku": sku, "name": f"Sample {sku}", "price": Decimal(price), **more})["id"]
        self.do("source-items", {"sku": sku, "source_code": "default", "quantity": quantity})
        return number

    def place(self, *lines: tuple[str, int], **more: Any) -> Any:
        """An order as a shopper makes it, as the API shows it."""
        basket = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], **more}
        return self.order(self.do("orders/place", basket)["entity_id"])

    def order(self, number: int) -> Any:
        """An order as the API shows it."""
        return self.ask("GET", f"/orders/{number}")

    def bundle(self, sku: str, parts: dict[str, int], *, price: str = "0", **custom: str) -> None:
        """A bundle with one choice for each part; `custom` are its settings, such as `price_type`."""
        options = [
            {
                "option_id": number,
                "title": part,
                "product_links": [{"id": str(number), "sku": part, "qty": quantity, "price": 0}],
            }
            for number, (part, quantity) in enumerate(parts.items(), start=1)
        ]
        settings = {"sku_type": "0", "price_type": "0", "weight_type": "0", "shipment_type": "0", **custom}
        row = {"sku": sku, "name": f"Sample {sku}", "type_id": "bundle", "price": Decimal(price)}
        self.do("products", {**row, "_options": options, "_custom": settings})


def criteria(*filters: tuple[str, str, str], sort: str = "", **more: str) -> list[tuple[str, str]]:
    """searchCriteria as query pairs; `sort` is `field` or `field DIRECTION`, several with commas."""
    pairs: list[tuple[str, str]] = []
    for number, (field, condition, value) in enumerate(filters):
        prefix = f"searchCriteria[filter_groups][{number}][filters][0]"
        pairs += [(f"{prefix}[field]", field), (f"{prefix}[condition_type]", condition), (f"{prefix}[value]", value)]
    for number, part in enumerate(filter(None, sort.split(","))):
        field, _, direction = part.strip().partition(" ")
        prefix = f"searchCriteria[sortOrders][{number}]"
        pairs += [(f"{prefix}[field]", field), (f"{prefix}[direction]", direction or "ASC")]
    pairs += [(f"searchCriteria[{name}]", value) for name, value in more.items()]
    return pairs or [("searchCriteria", "")]
