"""Credit memos made in Magento: looked for first, then made once, and known again afterwards (G5).

Nothing makes a credit memo unique, and one without `shipping_amount` gives the shipping back too; so what is there is
read first, and shipping is always said. What Stokly refunded beside lines and shipping goes as an adjustment. Stock is
never given back here: it comes with the next push. Source: Magento API contract 9, 15 (1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from stokly_sync.contracts.money import minor_digits
from stokly_sync.errors import InDoubt
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.magento.answers import Refused
from stokly_sync.systems.magento.client import MagentoClient
from stokly_sync.systems.magento.documents.common import REFUND, identity, mark, marked, objects
from stokly_sync.systems.magento.documents.lines import Line, flatten, number
from stokly_sync.systems.magento.extracts import ITEM_MEMBERS, ORDERS, REFUNDS
from stokly_sync.systems.magento.order_rules import REFUND_QUANTITY
from stokly_sync.systems.magento.reading import of_ids
from stokly_sync.systems.magento.rules import REJECTED
from stokly_sync.systems.magento.search import ENTITY
from stokly_sync.systems.transport import decode

_TOO_MUCH: Final = ("invalid quantity to refund", "most money available")


def send_refunds(client: MagentoClient, batch: Sequence[Record]) -> list[Outcome]:
    """Make the credit memos of a batch that are not there yet; one whose call had no answer is in doubt."""
    documents = {record.key: decode(record.document) for record in batch}
    there = _memos(client, documents)
    orders = _orders(client, documents)
    return [_send(client, key, body, orders.get(body["order"]), there.get(key)) for key, body in documents.items()]


def look_up_refunds(client: MagentoClient, records: Sequence[Record]) -> list[Outcome]:
    """Refunds that have a credit memo by now, with its id; only our own mark tells."""
    documents = {record.key: decode(record.document) for record in records}
    return [Outcome(key, State.ACCEPTED, receipt=memo) for key, memo in _memos(client, documents).items()]


def _send(client: MagentoClient, key: str, document: Json, lines: list[Line] | None, memo: str | None) -> Outcome:
    if memo is not None:
        return Outcome(key, State.ACCEPTED, receipt=memo)
    if lines is None:
        return Outcome(key, State.REJECTED, "Magento does not have the order any more", rule=REJECTED.code)
    taken = _taken(document["units"], lines)
    if taken is None:
        reason = "the order has less left to refund in Magento than Stokly refunded"
        return Outcome(key, State.REJECTED, reason, rule=REFUND_QUANTITY.code)
    try:
        made = client.post(f"/order/{document['order']}/refund", _body(client, document, lines, taken), once=True)
    except Refused as refused:
        much = any(words in refused.words.lower() for words in _TOO_MUCH)
        return Outcome(key, State.REJECTED, refused.words, rule=(REFUND_QUANTITY if much else REJECTED).code)
    except InDoubt as doubt:
        return Outcome(key, State.IN_DOUBT, str(doubt))
    return Outcome(key, State.ACCEPTED, receipt=str(made))


def _taken(units: Mapping[str, int], lines: Sequence[Line]) -> list[tuple[Line, int]] | None:
    """Lines and how many of each are given back; None where not so many are left."""
    taken: list[tuple[Line, int]] = []
    for sku, wanted in units.items():
        left = wanted
        for line in (line for line in lines if line.sku == sku):
            part = min(left, _refundable(line))
            if part > 0:
                taken.append((line, part))
                left -= part
        if left:
            return None
    return taken


def _refundable(line: Line) -> int:
    gone = number(line.item, "qty_refunded") + number(line.item, "qty_canceled")
    return int(number(line.item, "qty_ordered") - gone)


def _body(client: MagentoClient, document: Json, lines: Sequence[Line], taken: Sequence[tuple[Line, int]]) -> Json:
    unit = Decimal(1).scaleb(-minor_digits(document["currency"]))
    goods = sum((_gross(line) * units / number(line.item, "qty_ordered") for line, units in taken), Decimal(0))
    shipping = document["shipping_gross"] if client.settings.refund_shipping == "gross" else document["shipping"]
    rest = (document["total"] - document["shipping_gross"] - goods).quantize(unit)
    if abs(rest) <= unit * max(1, len(taken)):
        rest = Decimal(0)  # rounding of lines
    # An adjustment alone still names every item, with none of it.
    items = taken or [(line, 0) for line in lines]
    named = f"Refund {document['number'] or document['refund']} of Stokly"
    return {
        "items": [{"order_item_id": int(line.id), "qty": units} for line, units in items],
        "notify": document["notify"],
        "appendComment": False,
        "comment": {"comment": f"{named} {mark(REFUND, document['refund'])}", "is_visible_on_front": 0},
        "arguments": {
            "shipping_amount": shipping,
            "adjustment_positive": max(rest, Decimal(0)),
            "adjustment_negative": max(-rest, Decimal(0)),
        },
    }


def _gross(line: Line) -> Decimal:
    """What a whole line came to, after discount and with tax."""
    net = number(line.item, "price") * number(line.item, "qty_ordered") - number(line.item, "discount_amount")
    return net + number(line.item, "discount_tax_compensation_amount") + number(line.item, "tax_amount")


def _orders(client: MagentoClient, documents: Mapping[str, Json]) -> dict[str, list[Line]]:
    ids = list(dict.fromkeys(document["order"] for document in documents.values()))
    wanted = ORDERS.only(f"entity_id,updated_at,items[{ITEM_MEMBERS}]")
    pages = of_ids(client, wanted, ENTITY, ids, size=client.settings.order_page)
    return {
        str(identity(row.get(ENTITY))): flatten(objects(row.get("items")) or []) for page in pages for row in page.rows
    }


def _memos(client: MagentoClient, documents: Mapping[str, Json]) -> dict[str, str]:
    """Credit memos that carry our mark, by the refund it names."""
    ids = list(dict.fromkeys(document["order"] for document in documents.values()))
    pages = of_ids(client, REFUNDS, "order_id", ids, size=client.settings.order_page)
    found = {marked(row.get("comments"), REFUND): str(identity(row.get(ENTITY))) for page in pages for row in page.rows}
    return {key: memo for key, memo in found.items() if key is not None and key in documents}
