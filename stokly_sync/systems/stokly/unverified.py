"""Everything about Stokly's API that nobody has proven, in one place: paths, readings, and how to find out.

Each guess of the contract page stands here under its number, with the setting that overrules it. `auto` is found out
by the request that is needed anyway: a filter that the account does not know is refused, a resource that it does not
have is absent. What was found is remembered by the client, so that it is asked once. `findings` tells the doctor.
Source: Stokly API contract 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Literal

from stokly_sync.errors import NotOffered, StoklySyncError
from stokly_sync.flow import Json, Probe, Received
from stokly_sync.systems.stokly.client import FilterRefused, StoklyClient
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.stokly.settings import StoklySettings
from stokly_sync.systems.transport import Unread

Dated = Literal["orders", "customers", "invoices"]
UPDATED: Final = "updatedAt"
_FAR_FUTURE: Final = datetime(2200, 1, 1, tzinfo=UTC)

PATHS: Final[dict[str, str]] = {
    "refunds": "/v0/refunds",  # 5 (4); lines under {id}/items
    "credit_notes": "/v0/credit-notes",  # 5 (5); only its POST is proven
    "dispatches": "/v0/dispatches",  # 5 (8); lines under {id}/items
    "returns": "/v0/returns",  # 5 (7)
    "tax_classes": "/v0/tax-classes",  # 5 (12)
}
PROVEN_PATHS: Final[dict[str, str]] = {
    "items": "/v0/items",
    "orders": "/v2/saleorders",
    "customers": "/v0/customers",
    "invoices": "/v0/invoices",
}
CREATED: Final[dict[str, str]] = {
    "orders": "createdAt",  # proven as a member and a sort field; as a filter field by symmetry
    "customers": "createdAt",  # 3.1: expected, not seen
    "invoices": "issueDate",  # proven as a filter field
    "items": "timeCreated",  # proven as a member and a sort field
    "refunds": "createdAt",
    "credit_notes": "createdAt",
    "dispatches": "dispatchedAt",
}
CONSENT_MEMBER: Final = None
"""5 (3): no member of consent is known; none is read, and none is invented (X19)."""


def path_of(settings: StoklySettings, name: str) -> str:
    """The path of an unproven resource; raises NotOffered when the settings say that there is none."""
    if f"stokly.{name}" in settings.not_offered or name in settings.not_offered:
        raise NotOffered(f"The settings say that this Stokly account has no {name} (not_offered in [stokly]).")
    return settings.paths.get(name, PATHS[name])


def update_filter_offered(client: StoklyClient, kind: Dated) -> bool:
    """Whether rows of that kind can be asked for by update time: by setting, or by one small request.

    A server that ignores a filter instead of refusing it is caught: a time in the far future must match nothing.
    Source: Stokly API contract 5 (2).
    """
    said = getattr(client.settings, f"{kind}_update_filter")
    if said != "auto":
        return bool(said == "yes")
    name = f"{kind}_update_filter"
    if name not in client.memory:
        try:
            page = client.page(PROVEN_PATHS[kind], filter=where(UPDATED).at_least(_FAR_FUTURE), size=1)
            client.memory[name] = not page.rows
        except FilterRefused:
            client.memory[name] = False
    return bool(client.memory[name])


def embedded_lines(settings: StoklySettings, order: Received) -> bool:
    """Whether an order's row carries its lines already. Source: Stokly API contract 3.2."""
    if settings.order_lines == "auto":
        return order.holds_list("items") if isinstance(order, Unread) else isinstance(order.get("items"), list)
    return settings.order_lines == "embedded"


def cancel_call(settings: StoklySettings, order_id: str) -> tuple[str, str, Json]:
    """Method, path and body of the call that cancels an order; no way is known. Source: Stokly API contract 3.2, 5."""
    path = f"{PROVEN_PATHS['orders']}/{order_id}"
    if settings.cancel_orders == "delete":
        return "DELETE", path, {}
    if settings.cancel_orders == "post":
        return "POST", f"{path}/cancellations", {}
    return "PATCH", path, {"stage": "removed"}


def credit_note_body(body: Json) -> Json:
    """A credit note tied to its order, for accounts without refunds; only the loose kind is proven (5 (5))."""
    value = {"currency": body["currency"], "amount": body["total"]}
    return {"barcode": body["barcode"], "value": value, "referenceType": 1, "referenceId": body["order_id"]}


def refunds_offered(client: StoklyClient) -> bool:
    """Whether refunds can be made on orders (5 (6)): by setting, or by whether the account lists any."""
    if client.settings.credit_by != "auto":
        return client.settings.credit_by == "refund"
    if "refunds_offered" not in client.memory:
        try:
            client.page(path_of(client.settings, "refunds"), size=1)
            client.memory["refunds_offered"] = True
        except NotOffered:
            client.memory["refunds_offered"] = False
    return bool(client.memory["refunds_offered"])


def findings(client: StoklyClient) -> Iterable[Probe]:
    """For each unproven thing, which variant holds for this account; reads only, about ten small calls."""
    for kind in ("orders", "customers", "invoices"):
        yield _update_filter(client, kind)
    for name in PATHS:
        yield _presence(client, name)
    yield from _order_shape(client)
    yield from _writing(client)
    yield Probe("consent in Stokly", True, "no member is known; consent is not read from Stokly (X19)")


def _update_filter(client: StoklyClient, kind: Dated) -> Probe:
    subject = f"filter of {kind} by update time"
    try:
        offered = update_filter_offered(client, kind)
    except StoklySyncError as error:
        return Probe(subject, False, str(error), f"Found out once {kind} can be read.")
    if offered:
        return Probe(subject, True, "offered: changes are seen within one window")
    how = {
        "orders": "changes are found by creation time, by re-reading open orders in turn, and by invoices",
        "customers": "changes of older customers are found by the nightly sweep",
        "invoices": "changes of older invoices are found by the nightly sweep",
    }[kind]
    return Probe(subject, True, f"not offered: {how}")


def _writing(client: StoklyClient) -> Iterable[Probe]:
    """What writing would do; nothing is written to find out."""
    settings = client.settings
    method, path, _ = cancel_call(settings, "{id}")
    yield Probe("cancelling orders", True, f"not proven; by {method} {path} (cancel_orders in [stokly])")
    try:
        how = "a refund on its order" if refunds_offered(client) else "a credit note tied to its order"
    except StoklySyncError as error:
        yield Probe("making refunds", False, str(error), "Found out once refunds can be read.")
        return
    yield Probe("making refunds", True, f"not proven; as {how} (credit_by in [stokly])")


def _presence(client: StoklyClient, name: str) -> Probe:
    subject = f"resource {name}"
    try:
        page = client.page(path_of(client.settings, name), size=1)
    except NotOffered:
        return Probe(subject, False, "not offered", f"If it exists elsewhere, set paths.{name} in [stokly].")
    except StoklySyncError as error:
        return Probe(subject, False, str(error), "Ask for the right to read it, or name it under not_offered.")
    return Probe(subject, True, f"offered, {page.count if page.count is not None else 'some'} records")


def _order_shape(client: StoklyClient) -> Iterable[Probe]:
    """What the newest order and its lines look like: embedded lines, explicit amounts, exchange rate."""
    try:
        page = client.page(PROVEN_PATHS["orders"], size=1, sort="createdAt", descending=True)
        if not page.rows:
            yield Probe("shape of orders", True, "no order yet to look at")
            return
        order = page.rows[0]
        lines = order["items"] if embedded_lines(client.settings, order) else None
        where_lines = "in the order's row" if lines is not None else "in a list of their own, one call an order"
        yield Probe("lines of orders", True, where_lines)
        if lines is None:
            lines = client.sub_list(f"{PROVEN_PATHS['orders']}/{order['saleOrderId']}/items")
    except StoklySyncError as error:
        yield Probe("shape of orders", False, str(error), "Orders cannot be read; see the first lines.")
        return
    explicit = bool(lines) and all("displayLinePrice" in line for line in lines or ())
    by_setting = f"no explicit amounts; read by line_amounts={client.settings.line_amounts}"
    yield Probe("amounts of order lines", True, "explicit line amounts are given" if explicit else by_setting)
    rate = "given, and not used: base amounts are read" if "exchangeRate" in order else "not given, and not needed"
    yield Probe("exchange rate of orders", True, rate)
