"""What Stokly says it holds of our records, asked just before they are written and after every doubt.

One call for a whole batch where a filter allows it. Belongs here: the questions and how answers are told apart; what
follows from them stands in `writing`. Source: Stokly API contract 2.3, 3, 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from stokly_sync.contracts.money import minor_digits
from stokly_sync.contracts.origins import is_marked
from stokly_sync.errors import PermanentError
from stokly_sync.flow import Json, Received
from stokly_sync.systems.stokly.client import FilterRefused, StoklyClient
from stokly_sync.systems.stokly.filters import Filter, where
from stokly_sync.systems.stokly.paging import Listing, settled
from stokly_sync.systems.stokly.unverified import PROVEN_PATHS, path_of

MAGENTO_TYPE = 5
"""Kind of a channel in Stokly that is a Magento shop. Source: Stokly API contract 3.9."""
_TYPES = {"magento": MAGENTO_TYPE}
_LIVE_CHANNEL = 0


def channel_id(client: StoklyClient, channel: str) -> str:
    """Stokly's id of a channel: by setting, else the one live channel of its kind, or with its name.

    Raises PermanentError when there is none or more than one.
    """
    said = client.settings.channel(channel).channel_id
    if said is not None:
        return said
    name = f"channel of {channel}"
    if name not in client.memory:
        live = [row for row in _all(client, "/v0/channels", "channelId") if row.get("status") == _LIVE_CHANNEL]
        fit = [row for row in live if row.get("type") == _TYPES.get(channel)]
        fit = fit or [row for row in live if channel in str(row.get("name", "")).casefold()]
        if len(fit) != 1:
            raise PermanentError(
                f"{len(fit)} channels in Stokly may be {channel.title()}; set channel_id under [stokly.{channel}]."
            )
        client.memory[name] = str(fit[0]["channelId"])
    return str(client.memory[name])


def orders_by_number(client: StoklyClient, channel: str, numbers: Iterable[str]) -> dict[str, Json]:
    """Orders of a channel by the number that it gave them; one that is not removed before one that is."""
    rows = _among(client, PROVEN_PATHS["orders"], "saleOrderId", "sourceReferenceId", numbers, _of(client, channel))
    found: dict[str, Json] = {}
    for row in rows:
        number = str(row.get("sourceReferenceId"))
        if number not in found or found[number].get("stage") == "removed":
            found[number] = dict(row)
    return found


def customers_by(client: StoklyClient, member: str, values: Iterable[str]) -> dict[str, str]:
    """Ids of live customers by their account code or e-mail address, which is in lower case in the answer."""
    live = where("status").equals(client.settings.live_customer_status)
    rows = _among(client, PROVEN_PATHS["customers"], "customerId", member, values, live)
    found: dict[str, str] = {}
    for row in rows:
        value = str(row.get(member))
        found.setdefault(value.casefold() if member == "email" else value, str(row["customerId"]))
    return found


def invoices_by_order(client: StoklyClient, orders: Iterable[str]) -> dict[str, str]:
    """Ids of invoices by the id of their order in Stokly."""
    rows = _among(client, PROVEN_PATHS["invoices"], "saleInvoiceId", "saleOrderId", orders)
    return {str(row.get("saleOrderId")): str(row["saleInvoiceId"]) for row in rows if row.get("status") != "removed"}


def refunds_like(client: StoklyClient, bodies: Mapping[str, Json]) -> dict[str, str]:
    """Ids of refunds by our key: those with our mark in their reason, else one of that amount that we never landed.

    The latter is there although its row breaks its contract, or came a moment ago; `known` of a body names the others.
    """
    by_order: dict[str, list[Received]] = {}
    for row in _refunds_of(client, dict.fromkeys(str(body["order_id"]) for body in bodies.values())):
        if row.get("status") != "removed":
            by_order.setdefault(str(row.get("saleOrderId")), []).append(row)
    found: dict[str, str] = {}
    for key, body in bodies.items():
        rows = by_order.get(str(body["order_id"]), [])
        mine = next((row for row in rows if body["mark"] in str(row.get("reason") or "")), None)
        taken = {*body["known"], *found.values()}
        mine = mine or next((row for row in rows if row["refundId"] not in taken and _alike(row, body)), None)
        if mine is not None:
            found[key] = str(mine["refundId"])
    return found


def _refunds_of(client: StoklyClient, orders: Iterable[str]) -> list[Received]:
    wanted = list(orders)
    try:
        return _among(client, path_of(client.settings, "refunds"), "refundId", "saleOrderId", wanted)
    except FilterRefused:
        lists = (client.sub_list(f"{PROVEN_PATHS['orders']}/{order}/refunds") or () for order in wanted)
        return [row for rows in lists for row in rows]


def _alike(row: Received, body: Json) -> bool:
    total = row.get("displayTotal")
    if is_marked(str(row.get("reason") or "")) or not isinstance(total, int | Decimal):
        return False
    near = Decimal(1).scaleb(-minor_digits(body["currency"]))
    return bool(row.get("currency") == body["currency"] and abs(total - Decimal(body["total"])) <= near)


def credit_notes_by_code(client: StoklyClient, codes: Iterable[str]) -> dict[str, str]:
    """Ids of credit notes by their barcode."""
    path = path_of(client.settings, "credit_notes")
    rows = _among(client, path, "creditNoteId", "barcode", codes)
    return {str(row.get("barcode")): str(row["creditNoteId"]) for row in rows}


def _of(client: StoklyClient, channel: str) -> Filter:
    return where("sourceId").equals(channel_id(client, channel))


def _among(
    client: StoklyClient, path: str, key: str, member: str, values: Iterable[str], base: Filter | None = None
) -> list[Received]:
    wanted = list(dict.fromkeys(values))
    if not wanted:
        return []
    condition = where(member).among(wanted)
    return _all(client, path, key, condition & base if base is not None else condition)


def _all(client: StoklyClient, path: str, key: str, base: Filter | None = None) -> list[Received]:
    return [row for page in settled(client, Listing(path, (key,), base=base)) for row in page.rows]
