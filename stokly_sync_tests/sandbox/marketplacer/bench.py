"""A served Marketplacer sandbox with a clock moved by hand, and the few words its specifications are written in."""

from dataclasses import dataclass
from typing import Any

import msgspec
import requests

from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.marketplacer import MarketplacerSandbox, MarketplacerSwitches
from stokly_sync.sandbox.marketplacer.furniture import furnished

STOCK = """
    mutation ($id: ID!, $n: Int!) {
      variantUpdate(input: {variantId: $id, attributes: {countOnHand: $n}}) {
        status errors { field messages } variant { sku countOnHand }
      }
    }
"""
SHIP = """
    mutation ($input: ShipmentCreateMutationInput!) {
      shipmentCreate(input: $input) { status errors { field messages } shipment { id } }
    }
"""
ORDER = """
    mutation ($input: OrderCreateMutationInput!) {
      orderCreate(input: $input) { status errors { field messages } order { id legacyId totalCents } }
    }
"""


@dataclass(frozen=True)
class Bench:
    """What a test needs: the system, its clock, and a session without credentials."""

    system: MarketplacerSandbox
    clock: ManualClock
    root: str
    session: requests.Session

    def reset(self) -> None:
        """Bring the sandbox back to how it was made: no faults, switches at their defaults, fresh keys."""
        self.system.load(decode(encode({"state": furnished().state, "planted": []})))
        self.system.set_switches(**msgspec.to_builtins(MarketplacerSwitches()))
        self.system.set_limits(False)
        self.system.access.forget_calls()
        self.system.faults.clear()
        self.system.calls.reset()
        self.clock.advance(60)

    @property
    def operator(self) -> str:
        """The operator's key."""
        return self.system.switches.operator_key

    @property
    def seller(self) -> str:
        """The key of seller 1."""
        return self.system.switches.seller_key

    def post(self, body: Any, headers: dict[str, str] | None = None) -> requests.Response:
        """One call without any key but what the headers hold."""
        return self.session.post(f"{self.root}/graphql", json=body, headers=headers or {}, timeout=30)

    def answer(self, query: str, *, key: str | None = None, **variables: Any) -> Any:
        """The whole answer to a query; the operator's key unless another is given. It must be HTTP 200."""
        answer = self.post(
            {"query": query, "variables": variables}, {"Authorization": f"Bearer {key or self.operator}"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, query: str, *, key: str | None = None, **variables: Any) -> Any:
        """The `data` of a query that must give no GraphQL error."""
        answer = self.answer(query, key=key, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def error(self, query: str, *, key: str | None = None, **variables: Any) -> Any:
        """The one GraphQL error of a query."""
        (error,) = self.answer(query, key=key, **variables)["errors"]
        return error

    def change(self, query: str, *, key: str | None = None, **variables: Any) -> Any:
        """The payload of a query's only mutation, which must succeed."""
        (payload,) = self.ask(query, key=key, **variables).values()
        assert (payload["status"], payload["errors"]) == (200, None), payload
        return payload

    def refusal(self, query: str, *, key: str | None = None, **variables: Any) -> str:
        """The one message of a mutation's payload that must be a refusal."""
        (payload,) = self.ask(query, key=key, **variables).values()
        assert payload["status"] >= 400
        ((message,),) = [error["messages"] for error in payload["errors"]]
        return str(message)

    def do(self, deed: str, **body: Any) -> Any:
        """One deed by a test-only route, which must succeed."""
        answer = self.session.post(f"{self.root}/_sandbox/{deed}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def inspect(self, name: str) -> Any:
        """What a test-only route shows."""
        return self.session.get(f"{self.root}/_sandbox/{name}", timeout=30).json()

    def listed(self, sku: str = "SKU-1", **more: Any) -> str:
        """Put one SKU on sale at 12.00 and say its variant's id; ten of it unless said otherwise."""
        advert = {name: more.pop(name) for name in ("seller", "published") if name in more}
        variant = {"sku": sku, "count_on_hand": 10, **more}
        self.do("adverts", variants=[variant], **advert)
        return str(list(self.system.store.state.variants.values())[-1].id)

    def invoice(self, *lines: tuple[str, int], **more: Any) -> Any:
        """Let a shopper order (SKU, quantity) and say the invoice as the API shows it."""
        basket = [{"sku": sku, "quantity": quantity} for sku, quantity in lines or [("SKU-1", 1)]]
        number = self.do("orders", lines=basket, **more)["invoices"][0]
        return self.read(number)

    def read(self, number: int, fields: str = "") -> Any:
        """An invoice by its number, with what tests look at most."""
        query = f"""
            query ($number: Int) {{
              invoices(filters: {{legacyId: $number}}) {{
                nodes {{
                  id legacyId statusFlags totalCents lineItems {{ id quantity status variantSku }}
                  shipments {{ id }} {fields}
                }}
              }}
            }}
        """
        (found,) = self.ask(query, number=number)["invoices"]["nodes"]
        return found

    def shipping(self, invoice: Any, quantity: int | None = None, **more: Any) -> dict[str, Any]:
        """The input of a despatch of the invoice's lines, all of them or so many of the first."""
        carrier = self.ask("{ shipmentCarriers(first: 1) { nodes { id } } }")["shipmentCarriers"]["nodes"][0]["id"]
        lines = invoice["lineItems"] if quantity is None else invoice["lineItems"][:1]
        return {
            "invoiceId": invoice["id"],
            "shippedItems": [{"lineItemId": x["id"], "quantity": quantity or x["quantity"]} for x in lines],
            "postageCarrierId": carrier,
            "dispatchedAt": self.clock.now().date().isoformat(),
            "trackingNumber": "RM000000001GB",
            **more,
        }
