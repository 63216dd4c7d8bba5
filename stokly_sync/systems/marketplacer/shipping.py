"""Shipments on their way: looked up, then created, never twice (P4).

Before each batch the invoices are asked which shipments they have; one that shows a dispatch is tied to it. A lost
answer leaves the batch to be looked up again. The marketplace's own guard, more than is left to ship, makes us look
once more before it counts as a refusal. Source: Marketplacer API contract 4.3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.marketplacer import queries, rules
from stokly_sync.systems.marketplacer.client import MarketplacerClient
from stokly_sync.systems.marketplacer.sending import fates, known
from stokly_sync.systems.transport import decode

GUARD: Final = "exceeds the maximum number of undispatched"
"""How the marketplace says that the goods were shipped before. Source: contract 4.3."""


def send_shipments(client: MarketplacerClient, batch: Sequence[Record]) -> Sequence[Outcome]:
    """Create the shipments that are not there."""
    bodies = {record.key: decode(record.document) for record in batch}
    outcomes = {outcome.key: outcome for outcome in _found(client, bodies)}
    carriers = known(client, "shipmentCarriers", queries.CARRIERS)
    ready: list[Record] = []
    for record in batch:
        if record.key in outcomes:
            continue
        carrier = bodies[record.key]["carrier"]
        if carrier.strip().lower() not in carriers and carrier not in carriers:
            why = f"there is no carrier {carrier!r} in the marketplace"
            outcomes[record.key] = Outcome(record.key, State.REJECTED, why, rule=rules.CARRIER_UNMAPPED.code)
        else:
            ready.append(record)
    if ready:
        answers = client.change("shipmentCreate", [_input(bodies[r.key], carriers) for r in ready], once=True)
        told = fates(
            ready,
            answers,
            member="shipment",
            rule=rules.SHIPMENT_REFUSED.code,
            others={GUARD: rules.SHIP_QUANTITY.code},
        )
        outcomes |= {outcome.key: outcome for outcome in _looked_again(client, told, bodies)}
    return [outcomes[record.key] for record in batch]


def look_up_shipments(client: MarketplacerClient, batch: Sequence[Record]) -> Sequence[Outcome]:
    """Those of the shipments that are there, with their ids."""
    return _found(client, {record.key: decode(record.document) for record in batch})


def _looked_again(client: MarketplacerClient, told: Sequence[Outcome], bodies: Mapping[str, Json]) -> list[Outcome]:
    """Refusals because nothing is left to ship, turned into what they are where the shipment is there."""
    guarded = {o.key: bodies[o.key] for o in told if o.rule == rules.SHIP_QUANTITY.code}
    there = {outcome.key: outcome for outcome in _found(client, guarded)} if guarded else {}
    return [there.get(outcome.key, outcome) for outcome in told]


def _found(client: MarketplacerClient, bodies: Mapping[str, Json]) -> list[Outcome]:
    """Accepted outcomes of the shipments that the invoices have already, each shipment for one record."""
    ids = list(dict.fromkeys(body["invoiceId"] for body in bodies.values()))
    nodes = client.read(queries.shipments_of(), {"ids": ids}).data.get("nodes") or ()
    free = {
        node["id"]: list(node.get("shipments") or ()) for node in nodes if isinstance(node, Mapping) and "id" in node
    }
    found = []
    for key, body in bodies.items():
        held = free.get(body["invoiceId"], [])
        shipment = next((one for one in held if _shows(one, body)), None)
        if shipment is not None:
            held.remove(shipment)
            found.append(Outcome(key, State.ACCEPTED, receipt=str(shipment["id"])))
    return found


def _shows(shipment: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    theirs, ours = (str(one.get("trackingNumber") or "").replace(" ", "").upper() for one in (shipment, body))
    if theirs != ours:
        return False
    held: Counter[str] = Counter()
    for item in shipment.get("shippedItems") or ():
        held[str((item.get("lineItem") or {}).get("id"))] += item.get("quantity") or 0
    wanted: Counter[str] = Counter()
    for item in body["shippedItems"]:
        wanted[item["lineItemId"]] += item["quantity"]
    return held == wanted


def _input(body: Mapping[str, Any], carriers: Mapping[str, str]) -> Json:
    carrier = body["carrier"]
    wire = {name: body[name] for name in ("invoiceId", "shippedItems", "dispatchedAt", "trackingNumber")}
    return {**wire, "postageCarrierId": carriers.get(carrier) or carriers[carrier.strip().lower()]}
