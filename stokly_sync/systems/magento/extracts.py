"""What is read from Magento, each dataset declared once: who owns it, how it is read, how it becomes rows (G3).

Orders, shipments and credit memos each go by their own clock, because a shipment need not move its order: a window of
orders therefore also reads those whose shipments moved in it. Stock is read as a whole; nothing tells when it changed.
Source: Magento API contract 4, 6.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from stokly_sync.flow import Extract, Json, Page, Received, Scope, Team
from stokly_sync.systems.magento.client import Found, MagentoClient
from stokly_sync.systems.magento.documents.common import identity
from stokly_sync.systems.magento.documents.goods import level_id, level_rows, listing_rows
from stokly_sync.systems.magento.documents.orders import order_rows
from stokly_sync.systems.magento.documents.papers import refund_rows, shipment_rows
from stokly_sync.systems.magento.reading import by_id, changed, counted, of_ids
from stokly_sync.systems.magento.search import ENTITY, UPDATED, Search, among
from stokly_sync.systems.magento.settings import MagentoSettings
from stokly_sync.systems.transport import found_once

_ADDRESS: Final = "firstname,lastname,company,street,city,region,postcode,country_id,telephone"
ITEM_MEMBERS: Final = (
    "item_id,parent_item_id,product_id,product_type,sku,name,is_virtual,qty_ordered,qty_canceled,qty_shipped,"
    "qty_refunded,price,"
    "discount_amount,tax_amount,tax_percent,discount_tax_compensation_amount,row_total_incl_tax"
)
ORDERS: Final = Search(
    "/orders",
    "entity_id,increment_id,state,status,store_id,customer_id,customer_email,customer_firstname,customer_lastname,"
    "customer_taxvat,order_currency_code,created_at,updated_at,discount_amount,tax_amount,shipping_amount,"
    "shipping_tax_amount,shipping_discount_amount,shipping_discount_tax_compensation_amount,grand_total,total_paid,"
    f"total_invoiced,total_refunded,payment[method],billing_address[{_ADDRESS}],items[{ITEM_MEMBERS}],"
    f"extension_attributes[shipping_assignments[shipping[method,address[{_ADDRESS}]]]]",
    (UPDATED, ENTITY),
)
SHIPMENTS: Final = Search(
    "/shipments",
    "entity_id,increment_id,order_id,created_at,updated_at,items[order_item_id,sku,qty],"
    "tracks[track_number,carrier_code],comments[comment],extension_attributes[source_code]",
    (UPDATED, ENTITY),
)
REFUNDS: Final = Search(
    "/creditmemos",
    "entity_id,increment_id,order_id,state,created_at,updated_at,order_currency_code,grand_total,tax_amount,"
    "shipping_amount,shipping_tax_amount,adjustment,comments[comment],"
    "items[order_item_id,sku,qty,row_total,tax_amount,discount_amount,discount_tax_compensation_amount]",
    (UPDATED, ENTITY),
)
PRODUCTS: Final = Search("/products", "id,sku,name,price,status,type_id,updated_at", (UPDATED, ENTITY))
LEVELS: Final = Search("/inventory/source-items", "sku,source_code,quantity,status", ("sku", "source_code"))

Complete = Callable[[MagentoClient, Sequence[Json]], Sequence[Json]]


def extracts(settings: MagentoSettings) -> tuple[Extract, ...]:
    """All datasets of Magento."""
    del settings
    return (*_goods(), *_sales())


def _sales() -> tuple[Extract, ...]:
    return (
        Extract(
            dataset="magento.orders",
            owner=Team.ECOMMERCE,
            description="Orders with their lines, each unit and each amount once.",
            read=read_orders,
            rows=order_rows,
            key_member=ENTITY,
            complete=partial(_fetched, wanted=ORDERS),
        ),
        Extract(
            dataset="magento.shipments",
            owner=Team.OPERATIONS,
            description="Shipments with their lines and tracking numbers.",
            read=partial(_read, wanted=SHIPMENTS),
            rows=shipment_rows,
            key_member=ENTITY,
            complete=partial(_fetched, wanted=SHIPMENTS),
        ),
        Extract(
            dataset="magento.refunds",
            owner=Team.FINANCE,
            description="Credit memos with their lines.",
            read=partial(_read, wanted=REFUNDS, complete=_with_order_lines),
            rows=refund_rows,
            key_member=ENTITY,
            complete=lambda client, rows: _with_order_lines(client, _fetched(client, rows, wanted=REFUNDS)),
        ),
    )


def _goods() -> tuple[Extract, ...]:
    return (
        Extract(
            dataset="magento.listings",
            owner=Team.ECOMMERCE,
            description="Products with price and status.",
            read=read_products,
            rows=listing_rows,
            key_member="id",
        ),
        Extract(
            dataset="magento.stock_levels",
            owner=Team.OPERATIONS,
            description="Stock at each source that we fill; read as a whole, because nothing tells when it changed.",
            read=read_levels,
            rows=level_rows,
            key_member="level_id",
            snapshot=True,
        ),
    )


def read_orders(client: MagentoClient, scope: Scope) -> Iterator[Page]:
    """Orders for any scope; a window also holds those whose shipments moved in it, which may not move the order."""
    seen: set[str] = set()
    for page in _read(client, scope, wanted=ORDERS):
        seen.update(str(row.get(ENTITY)) for row in page.documents)
        yield page
    if scope.sweep or scope.baseline:
        return
    size = client.settings.order_page
    few = SHIPMENTS.only("entity_id,order_id,updated_at")
    moved = changed(client, few, scope.window, key=ENTITY, size=client.settings.product_page)
    ids = dict.fromkeys(str(row.get("order_id")) for found in moved for row in found.rows)
    # One that moved between the two readings is read again with the overlap of the next window.
    for found in of_ids(client, ORDERS, ENTITY, [one for one in ids if one not in seen], size=size):
        yield _page(found, cursor=None)


def read_products(client: MagentoClient, scope: Scope) -> Iterator[Page]:
    """Products with the currency of their prices beside them."""
    size = client.settings.product_page
    for page in _read(client, scope, wanted=PRODUCTS, key="id", size=size, bare=False):
        # Asked for with the first product: most windows have none.
        currency = base_currency(client) if page.documents else None
        yield replace(page, documents=[{**row, "currency": currency} for row in page.documents])


def read_levels(client: MagentoClient, scope: Scope) -> Iterator[Page]:
    """Source items of the sources that the settings name, of all sources where they name none."""
    del scope
    sources = client.settings.sources
    wanted = LEVELS.where(among("source_code", sources)) if sources else LEVELS
    for found in counted(client, wanted, size=client.settings.product_page):
        keyed = [{**row, "level_id": level_id(str(row.get("sku")), str(row.get("source_code")))} for row in found.rows]
        yield Page(keyed, found.requested_at, None, found.total)


def base_currency(client: MagentoClient) -> str | None:
    """The currency of catalogue prices, None where stores differ; asked for once a day. Source: contract 3."""

    def told(client: MagentoClient) -> list[str | None]:
        stores = client.get("/store/storeConfigs")
        return list({store.get("base_currency_code") for store in stores if isinstance(store, dict)})

    found: list[str | None] = found_once(client, "currencies", told)
    return found[0] if len(found) == 1 else None


def _read(
    client: MagentoClient,
    scope: Scope,
    *,
    wanted: Search,
    complete: Complete | None = None,
    key: str = ENTITY,
    size: int | None = None,
    bare: bool = True,
) -> Iterator[Page]:
    """Pages of a list for any scope; a sweep reads bare rows where the extract can complete them."""
    size = size or client.settings.order_page
    if scope.sweep and bare:
        for found in by_id(client, wanted.only("entity_id,updated_at"), size=client.settings.product_page, cursor=None):
            yield _page(found, cursor=None)
        return
    every = scope.sweep or scope.baseline
    pages = (
        by_id(client, wanted, size=size, key=key, cursor=scope.cursor)
        if every
        else changed(client, wanted, scope.window, key=key, size=size)
    )
    for found in pages:
        rows = complete(client, found.rows) if complete else found.rows
        last = str(identity(found.rows[-1].get(key))) if every and found.rows else None
        yield _page(replace(found, rows=rows), cursor=last)


def _page(found: Found, *, cursor: str | None) -> Page:
    return Page(found.rows, found.requested_at, cursor, found.total)


def _fetched(client: MagentoClient, rows: Sequence[Received], *, wanted: Search) -> list[Json]:
    """Whole documents of bare rows; one that is gone by now is left out."""
    ids = [str(row.get(ENTITY)) for row in rows]
    found = of_ids(client, wanted, ENTITY, ids, size=client.settings.order_page)
    return [row for page in found for row in page.rows]


def _with_order_lines(client: MagentoClient, rows: Sequence[Json]) -> Sequence[Json]:
    """Credit memos with the lines of their orders, which say what nests what."""
    ids = list(dict.fromkeys(str(row.get("order_id")) for row in rows))
    if not ids:
        return rows
    bare = ORDERS.only(f"entity_id,updated_at,items[{ITEM_MEMBERS}]")
    found = of_ids(client, bare, ENTITY, ids, size=client.settings.order_page)
    lines = {str(row.get(ENTITY)): row.get("items") for page in found for row in page.rows}
    return [{**row, "order_items": lines.get(str(row.get("order_id")))} for row in rows]
