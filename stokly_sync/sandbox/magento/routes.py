"""The application: every call of the API in its ways of processing, and the test-only routes.

Belongs here: which calls there are, and which may be queued (all that write). Source: Magento API contract 3, 12.
"""

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stokly_sync.sandbox.magento import (
    bulk,
    creditmemo_calls,
    customers,
    invoices,
    legacy_stock,
    order_calls,
    price_calls,
    product_calls,
    shipment_calls,
    shop_calls,
    stock_calls,
    stock_places,
)
from stokly_sync.sandbox.magento.call import Spec
from stokly_sync.sandbox.magento.endpoint import Endpoint, not_found
from stokly_sync.sandbox.magento.inspection import inspection_routes

if TYPE_CHECKING:
    from stokly_sync.sandbox.magento.system import MagentoSandbox

SPECS: tuple[Spec, ...] = (
    *order_calls.SPECS,
    *shipment_calls.SPECS,
    *invoices.SPECS,
    *creditmemo_calls.SPECS,
    *product_calls.SPECS,
    *price_calls.SPECS,
    *legacy_stock.SPECS,
    *stock_calls.SPECS,
    *stock_places.SPECS,
    *customers.SPECS,
    *shop_calls.SPECS,
    *bulk.SPECS,
)
ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def build_app(system: "MagentoSandbox") -> Starlette:
    """The application of one sandbox."""
    queued = [spec for spec in SPECS if spec.method != "GET" and spec.resource]
    routes: list[BaseRoute] = [
        *inspection_routes(system),
        *(Endpoint(system, spec, "sync") for spec in SPECS),
        *(Endpoint(system, spec, "async") for spec in queued),
        *(Endpoint(system, spec, "bulk") for spec in queued),
    ]

    async def refuse(request: Request) -> Response:
        return await not_found(system, request)

    routes.append(Route("/{path:path}", refuse, methods=ALL_METHODS))
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app
