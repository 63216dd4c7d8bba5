"""Shipping orders in Magento: looked at first, then shipped once, and known again afterwards (G4).

Magento has no key that would make a shipment unique, cuts quantities in silence and ships everything when it is told
nothing. So orders and shipments of a batch are read first (two calls), what is there already is tied to its dispatch,
and what is open must cover the parcel. Source: Magento API contract 6.3, 7, 15 (8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from stokly_sync.errors import InDoubt
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.magento import order_rules as rules
from stokly_sync.systems.magento.answers import Refused
from stokly_sync.systems.magento.client import MagentoClient
from stokly_sync.systems.magento.documents.common import DISPATCH, identity, mark, marked, objects
from stokly_sync.systems.magento.documents.lines import BUNDLE, Line, flatten
from stokly_sync.systems.magento.documents.parcels import Shipment, has, matched, wanted_of
from stokly_sync.systems.magento.extracts import ITEM_MEMBERS, ORDERS, SHIPMENTS
from stokly_sync.systems.magento.reading import of_ids
from stokly_sync.systems.magento.rules import REJECTED
from stokly_sync.systems.magento.search import ENTITY
from stokly_sync.systems.transport import decode

NO_PRODUCTS: Final = "without products"
TOGETHER: Final = "shipment type"
_BY_WORDS: Final = (
    ("status of canceled", rules.SHIP_CANCELLED),
    ("status of holded", rules.SHIP_HELD),
    ("does not allow a shipment", rules.SHIP_CONFLICT),
    ("could not save a shipment", rules.SHIP_SOURCE),
)


class CannotShip(Exception):
    """A dispatch does not fit its order as it is now; `rule` says in which way."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule


@dataclass
class Order:
    """An order as Magento holds it now, kept true while a batch ships from it."""

    lines: list[Line]
    shipments: list[Shipment] = field(default_factory=list)
    gone: Counter[str] = field(default_factory=Counter)
    """Units by line that this batch has shipped."""

    def take(self, units: Mapping[str, int]) -> list[tuple[Line, int]]:
        """Lines and how many of each make up these units; raises CannotShip where not enough is open."""
        taken: list[tuple[Line, int]] = []
        for sku, wanted in units.items():
            left = wanted
            lines = [line for line in self.lines if line.sku == sku]
            for line in lines:
                part = min(left, line.open - self.gone[line.id])
                if part > 0:
                    taken.append((line, part))
                    left -= part
            if left:
                rule = rules.SHIP_CONFLICT if left == wanted and lines else rules.SHIP_QUANTITY
                raise CannotShip(rule.code, f"{wanted} of SKU {sku} dispatched, {wanted - left} open in Magento")
        return taken

    def note(self, shipment: Shipment, taken: Iterable[tuple[Line, int]]) -> None:
        """Remember a shipment that was just made."""
        self.shipments.append(shipment)
        for line, units in taken:
            self.gone[line.id] += units


def send_shipments(client: MagentoClient, batch: Sequence[Record]) -> list[Outcome]:
    """Ship a batch; a record whose call had no answer is in doubt and is looked up."""
    documents = {record.key: decode(record.document) for record in batch}
    orders = _orders(client, documents.values())
    return [_send(client, key, document, orders.get(document["order"])) for key, document in documents.items()]


def look_up_shipments(client: MagentoClient, records: Sequence[Record]) -> list[Outcome]:
    """Dispatches that are shipments by now, with the shipment's id."""
    documents = {record.key: decode(record.document) for record in records}
    there = _shipments(client, [document["order"] for document in documents.values()])
    found = {key: shipment_of(document, there.get(document["order"], ())) for key, document in documents.items()}
    return [
        Outcome(key, State.ACCEPTED, receipt=shipment.key)
        for key, shipment in found.items()
        if shipment is not None and _complete(documents[key], shipment)
    ]


def shipment_of(document: Json, there: Sequence[Shipment]) -> Shipment | None:
    """The shipment that a document's dispatch is, None where there is none."""
    key = matched(wanted_of(document), there).get(document["dispatch"])
    return next((shipment for shipment in there if shipment.key == key), None)


def _complete(document: Json, there: Shipment) -> bool:
    return not document["tracking"] or has(there, document["tracking"])


def _send(client: MagentoClient, key: str, document: Json, order: Order | None) -> Outcome:
    if order is None:
        return _rejected(key, REJECTED.code, "Magento does not have the order any more")
    there = shipment_of(document, order.shipments)
    try:
        if there is not None:
            if not _complete(document, there):
                _add_track(client, document, there)
            return Outcome(key, State.ACCEPTED, receipt=there.key)
        receipt = _ship(client, document, order)
    except CannotShip as error:
        return _rejected(key, error.rule, str(error))
    except Refused as refused:
        words = refused.words.lower()
        rule = next((rule for part, rule in _BY_WORDS if part in words), REJECTED)
        return _rejected(key, rule.code, refused.words)
    except InDoubt as doubt:
        return Outcome(key, State.IN_DOUBT, str(doubt))
    return Outcome(key, State.ACCEPTED, receipt=receipt)


def _ship(client: MagentoClient, document: Json, order: Order) -> str:
    """Ship the units of a document; gives the shipment's id."""
    taken = order.take(document["units"])
    together: set[str] = client.shared.setdefault("together", set())
    items = _items(taken, together)
    try:
        receipt = _post(client, document, items)
    except Refused as refused:
        again = _other_items(refused, taken, together)
        if again is None:
            raise
        receipt = _post(client, document, again)
    tracking = (document["tracking"],) if document["tracking"] else ()
    order.note(Shipment(receipt, document["units"], tracking, document["dispatch"]), taken)
    return receipt


def _other_items(
    refused: Refused, taken: Sequence[tuple[Line, int]], together: set[str]
) -> list[tuple[str, int]] | None:
    """Items that name bundles the other way; None where the refusal is about something else.

    Nothing in an order says whether a bundle ships whole or part by part: the refusal does, and is remembered.
    """
    parts = {_product(line) for line, _ in taken if line.bundle is not None}
    if TOGETHER in refused.words.lower() and parts - together:
        together |= parts
        return _items(taken, together)
    wholes = [line for line, _ in taken if line.item.get("product_type") == BUNDLE and line.parts]
    if NO_PRODUCTS in refused.words.lower() and wholes:
        return [item for line, units in taken for item in _parts_of(line, units)]
    return None


def _items(taken: Sequence[tuple[Line, int]], together: set[str]) -> list[tuple[str, int]]:
    """Order items and quantities; parts of a bundle that ships whole become the bundle."""
    found: dict[str, int] = {}
    for line, units in taken:
        if line.bundle is None or _product(line) not in together:
            found[line.id] = found.get(line.id, 0) + units
            continue
        whole, rest = divmod(units, line.units_in_bundle or 1)
        name = str(identity(line.bundle.get("item_id")))
        if rest or found.get(name, whole) != whole:
            raise CannotShip(
                rules.SHIP_QUANTITY.code, f"bundle {line.bundle.get('sku')} ships whole, and a part was dispatched"
            )
        found[name] = whole
    return list(found.items())


def _parts_of(line: Line, units: int) -> list[tuple[str, int]]:
    if not line.parts:
        return [(line.id, units)]
    lines = [Line(part, bundle=line.item) for part in line.parts]
    return [(one.id, units * (one.units_in_bundle or 1)) for one in lines]


def _product(line: Line) -> str:
    return str((line.bundle or {}).get("product_id"))


def _post(client: MagentoClient, document: Json, items: Sequence[tuple[str, int]]) -> str:
    named = f"Dispatch {document['number'] or document['dispatch']} of Stokly"
    body: Json = {
        # Never without items: Magento would ship all that is open.
        "items": [{"order_item_id": int(item), "qty": units} for item, units in items],
        "notify": document["notify"],
        "appendComment": False,
        "comment": {"comment": f"{named} {mark(DISPATCH, document['dispatch'])}", "is_visible_on_front": 0},
    }
    if document["tracking"]:
        body["tracks"] = [_track(document)]
    if document["source"]:
        body["arguments"] = {"extension_attributes": {"source_code": document["source"]}}
    return str(client.post(f"/order/{document['order']}/ship", body, once=True))


def _track(document: Json) -> Json:
    return {"track_number": document["tracking"], "title": document["title"], "carrier_code": document["carrier"]}


def _add_track(client: MagentoClient, document: Json, there: Shipment) -> None:
    """Give a shipment that is there the tracking number it lacks. Source: contract 7 (tracks later)."""
    entity = {"order_id": int(document["order"]), "parent_id": int(there.key), "weight": 0, "qty": 1, "description": ""}
    client.post("/shipment/track", {"entity": {**entity, **_track(document)}}, once=True)


def _orders(client: MagentoClient, documents: Iterable[Json]) -> dict[str, Order]:
    """Orders of some documents with their lines and shipments, by id."""
    ids = list(dict.fromkeys(document["order"] for document in documents))
    wanted = ORDERS.only(f"entity_id,updated_at,items[{ITEM_MEMBERS}]")
    pages = of_ids(client, wanted, ENTITY, ids, size=client.settings.order_page)
    orders = {
        str(identity(row.get(ENTITY))): Order(flatten(objects(row.get("items")) or []))
        for page in pages
        for row in page.rows
    }
    for key, shipments in _shipments(client, list(orders)).items():
        orders[key].shipments = shipments
    return orders


def _shipments(client: MagentoClient, ids: Sequence[str]) -> dict[str, list[Shipment]]:
    """Shipments by order, oldest first."""
    found: dict[str, list[Shipment]] = {}
    pages = of_ids(client, SHIPMENTS, "order_id", list(dict.fromkeys(ids)), size=client.settings.order_page)
    for row in (row for page in pages for row in page.rows):
        units: Counter[str] = Counter()
        for item in objects(row.get("items")) or []:
            units[str(item.get("sku"))] += int(item.get("qty") or 0)
        tracks = tuple(str(t["track_number"]) for t in objects(row.get("tracks")) or [] if t.get("track_number"))
        reference = marked(row.get("comments"), DISPATCH)
        order = str(identity(row.get("order_id")))
        found.setdefault(order, []).append(Shipment(str(identity(row.get(ENTITY))), units, tracks, reference))
    return found


def _rejected(key: str, rule: str, reason: str) -> Outcome:
    return Outcome(key, State.REJECTED, reason, rule=rule)
