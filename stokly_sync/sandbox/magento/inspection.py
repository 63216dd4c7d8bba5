"""Test-only routes of the Magento sandbox, below `/_sandbox/`: no credentials, no part of the API.

Belongs here: what tests and the demo may look at that the API would not show, and what only a shopper, a
person in the shop's office or an operator could do. POST bodies are JSON; a body that does not fit, and a
deed that the shop refuses, are answered with 400 and a `message`.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode
from stokly_sync.sandbox.magento.bulk import drain
from stokly_sync.sandbox.magento.creditmemos import refund
from stokly_sync.sandbox.magento.customers import add_customer
from stokly_sync.sandbox.magento.errors import MagentoError
from stokly_sync.sandbox.magento.figures import Row, amount, shown, wire
from stokly_sync.sandbox.magento.invoices import invoice
from stokly_sync.sandbox.magento.order_calls import cancel_order
from stokly_sync.sandbox.magento.orders import ENDED, changing, find_order
from stokly_sync.sandbox.magento.overview import creditmemos, orders, shipments, told, totals
from stokly_sync.sandbox.magento.placing import Basket, place_order
from stokly_sync.sandbox.magento.planting import RawOrder, plant_order, reserve_open
from stokly_sync.sandbox.magento.products import add_product, find_product
from stokly_sync.sandbox.magento.shipments import ship
from stokly_sync.sandbox.magento.stock import put_source_item

if TYPE_CHECKING:
    from stokly_sync.sandbox.magento.system import MagentoSandbox


class _Level(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    source_code: str
    quantity: Decimal
    status: int = 1


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    """An order by either number, and what is to be done with it."""

    entity_id: int | None = None
    increment_id: str | None = None
    arguments: dict[str, Any] = {}


class _Product(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    columns: dict[str, Any] = {}
    custom: dict[str, Any] = {}


def inspection_routes(system: "MagentoSandbox") -> list[Route]:
    """The routes; GET: what is there; POST: the deeds of a shopper, of the office, of an operator."""
    views: dict[str, Callable[[], Any]] = {
        "totals": lambda: totals(system),
        "orders": lambda: orders(system.store),
        "shipments": lambda: shipments(system.store),
        "creditmemos": lambda: creditmemos(system.store),
        "planted": lambda: [shown(row, without=("number",)) for row in system.store.planted],
        "reservations": lambda: [shown(row) for row in system.store.reservations],
        "source-items": lambda: [shown(row) for row in system.store.source_items],
    }
    deeds: dict[str, Callable[[Any], Any]] = {
        "orders/place": lambda body: _place(system, msgspec.convert(body, Basket)),
        "orders/place-many": lambda body: _place_many(system, msgspec.convert(body, list[Basket])),
        "orders/plant": lambda body: _plant(system, msgspec.convert(body, RawOrder)),
        "orders/alter": lambda body: _alter(system, msgspec.convert(body, _Order)),
        "orders/invoice": lambda body: _deed(system, body, _invoice),
        "orders/ship": lambda body: _deed(system, body, _ship),
        "orders/refund": lambda body: _deed(system, body, _refund),
        "orders/cancel": lambda body: _deed(system, body, _cancel),
        "products/alter": lambda body: _alter_product(system, msgspec.convert(body, _Product)),
        "products": lambda body: _product(system, msgspec.convert(body, dict[str, Any])),
        "customers": lambda body: _customer(system, msgspec.convert(body, dict[str, Any])),
        "source-items": lambda body: _level(system, msgspec.convert(body, _Level)),
        "bulk/drain": lambda _: {"ended": drain(system)},
        "bulk/restart": lambda _: {"ended": drain(system, restarted=True)},
        "tokens/revoke": lambda _: system.access.revoke_tokens(),
    }
    return [
        *(Route(f"/_sandbox/{name}", _look(view)) for name, view in views.items()),
        *(Route(f"/_sandbox/{name}", _do(system, deed), methods=["POST"]) for name, deed in deeds.items()),
    ]


def _place(system: "MagentoSandbox", basket: Basket) -> Row:
    order = place_order(system, basket)
    if basket.paid:
        invoice(system.store, order, [], now=system.now(), capture=True)
    return told(order)


def _place_many(system: "MagentoSandbox", baskets: list[Basket]) -> list[Row]:
    """One order after the other; the first that is refused ends it."""
    return [_place(system, basket) for basket in baskets]


def _plant(system: "MagentoSandbox", raw: RawOrder) -> Row:
    order = plant_order(system.store, raw, now=system.now())
    reserve_open(system.store, order)
    return told(order)


def _find(system: "MagentoSandbox", asked: _Order) -> Row:
    if asked.increment_id is not None:
        found = system.store.orders.of("increment_id", asked.increment_id)
        if not found:
            raise MagentoError(f"The sandbox has no order {asked.increment_id}.")
        return found[0]
    return find_order(system.store, asked.entity_id or 0)


def _alter(system: "MagentoSandbox", asked: _Order) -> Row:
    """Set columns of an order to whatever is given, as a careless module of the shop would."""
    order = _find(system, asked)
    with changing(order, now=system.now()):
        order.update(asked.arguments)
    return told(order)


def _deed(system: "MagentoSandbox", body: Any, do: Callable[["MagentoSandbox", Row, Row], Any]) -> Any:
    asked = msgspec.convert(body, _Order)
    order = _find(system, asked)
    number = do(system, order, asked.arguments)
    return {"id": number, **told(order)}


def _invoice(system: "MagentoSandbox", order: Row, arguments: Row) -> int:
    capture = arguments.get("capture", True)
    made = invoice(system.store, order, arguments.get("items") or [], now=system.now(), capture=capture)
    number: int = made["entity_id"]
    return number


def _ship(system: "MagentoSandbox", order: Row, arguments: Row) -> int:
    number: int = ship(system.store, order, arguments, now=system.now())["entity_id"]
    return number


def _refund(system: "MagentoSandbox", order: Row, arguments: Row) -> int:
    number: int = refund(system.store, order, arguments, now=system.now(), gross_shipping=False)["entity_id"]
    return number


def _cancel(system: "MagentoSandbox", order: Row, _arguments: Row) -> bool:
    if order["state"] in ENDED or amount(order.get("total_invoiced")):
        raise MagentoError("The order cannot be canceled.")
    cancel_order(system.store, order, now=system.now())
    return True


def _product(system: "MagentoSandbox", row: Row) -> Row:
    """Keep a product as given: columns, and `_custom`, `_links`, `_options` for its parts."""
    if find_product(system.store, str(row.get("sku", ""))) is not None or not row.get("sku"):
        raise MagentoError("A planted product needs a SKU that no other has.")
    return {"id": add_product(system.store, row, at=system.now())["id"]}


def _customer(system: "MagentoSandbox", row: Row) -> Row:
    standard = {"firstname": "Sample", "lastname": "Customer"}
    if not row.get("email"):
        raise MagentoError("A planted customer needs an e-mail address.")
    return {"id": add_customer(system.store, {**standard, **row}, at=system.now())["id"]}


def _alter_product(system: "MagentoSandbox", asked: _Product) -> None:
    """Set columns and custom attributes of a product for all stores, as a person in the office would."""
    product = find_product(system.store, asked.sku)
    if product is None:
        raise MagentoError(f"The sandbox has no product {asked.sku!r}.")
    product.update(asked.columns)
    product["_custom"].update(asked.custom)
    product["updated_at"] = system.now()


def _level(system: "MagentoSandbox", level: _Level) -> None:
    put_source_item(system.store, level.sku, level.source_code, quantity=level.quantity, status=level.status)


def _look(view: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        return JsonResponse(wire(view()))

    return answer


def _do(system: "MagentoSandbox", deed: Callable[[Any], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            done = deed(decode(await request.body() or b"{}"))
        except (msgspec.ValidationError, NotJsonError) as error:
            return JsonResponse({"message": str(error)}, 400)
        except MagentoError as error:
            return JsonResponse({"message": error.filled()}, 400)
        system.touch()
        return JsonResponse(wire(done)) if done is not None else Response(status_code=204)

    return answer
