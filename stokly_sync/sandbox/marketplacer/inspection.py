"""Test-only routes of the Marketplacer sandbox, below `/_sandbox/`: no key, no limit, no part of the API.

Belongs here: what tests and the demo may look at that the vendor would not show, and what shoppers and people in the
portals do. What a deed makes is answered with its number and its id.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode
from stokly_sync.sandbox.marketplacer import portal, shopping
from stokly_sync.sandbox.marketplacer.call import Call
from stokly_sync.sandbox.marketplacer.sales import Order
from stokly_sync.sandbox.marketplacer.things import Thing
from stokly_sync.sandbox.marketplacer.totals import totals

if TYPE_CHECKING:
    from stokly_sync.sandbox.marketplacer.system import MarketplacerSandbox

Deed = Callable[[Call, Any], Any]


class Burst(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Many orders at once: one unit each, over the SKUs in turn."""

    count: int
    skus: list[str]


class Planting(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which defects to plant."""

    defects: list[str]


def _order(call: Call, basket: shopping.Basket) -> dict[str, Any]:
    return _shown(shopping.shop(call, basket))


def _burst(call: Call, burst: Burst) -> dict[str, Any]:
    made: list[Order] = []
    for place in range(burst.count):
        line = shopping.BasketLine(burst.skus[place % len(burst.skus)])
        basket = shopping.Basket(lines=[line], email=f"shopper-{place + 1:05d}@example.com")
        made.append(shopping.shop(call, basket))
    return {"invoices": [order.invoices[0] for order in made]}


def _shown(thing: Thing) -> dict[str, Any]:
    known = {"legacy_id": thing.number, "id": thing.id}
    return {**known, "invoices": thing.invoices} if isinstance(thing, Order) else known


DEEDS: dict[str, tuple[type[msgspec.Struct], Deed]] = {
    "orders": (shopping.Basket, _order),
    "orders/burst": (Burst, _burst),
    "invoices": (shopping.RawInvoice, shopping.raw_invoice),
    "adverts": (portal.RawAdvert, portal.list_advert),
    "adverts/vet": (portal.Verdict, portal.judge),
    "shipments": (portal.Despatch, portal.despatch),
    "refund-requests": (portal.Complaint, portal.complain),
    "refund-requests/step": (portal.Step, portal.step_on),
    "amendments": (portal.DirectAmendment, portal.amend_directly),
    "remittance-advices": (portal.Payout, portal.pay_out),
    "defects": (Planting, lambda call, asked: call.system.plant(asked.defects)),
}
"""Path of a POST -> the shape of its body, and what it does."""


def inspection_routes(system: "MarketplacerSandbox") -> list[Route]:
    """The routes; GET: totals, variants, invoices, defects; POST: every deed."""
    views: dict[str, Callable[[], Any]] = {
        "totals": lambda: totals(system.operator),
        "variants": lambda: list(system.store.state.variants.values()),
        "invoices": lambda: list(system.store.state.invoices.values()),
        "defects": lambda: system.planted,
    }
    return [
        *(Route(f"/_sandbox/{name}", _look(view)) for name, view in views.items()),
        *(Route(f"/_sandbox/{name}", _do(system, *deed), methods=["POST"]) for name, deed in DEEDS.items()),
    ]


def _look(view: Callable[[], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        return JsonResponse(view())

    return answer


def _do(
    system: "MarketplacerSandbox", shape: type[msgspec.Struct], deed: Deed
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            asked = msgspec.convert(decode(await request.body() or b"{}"), shape)
            done = deed(system.operator, asked)
        except (msgspec.ValidationError, NotJsonError, LookupError, ValueError) as error:
            return JsonResponse({"message": str(error)}, 400)
        return JsonResponse(_shown(done) if isinstance(done, Thing) else done)

    return answer
