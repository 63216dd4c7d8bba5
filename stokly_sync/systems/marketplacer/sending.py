"""Changes of variants and products on their way: batches by aliases, the fate of each from its payload (P1, P2).

A change of a variant names absolute values and may be repeated. A product is created once: its SKUs are looked up right
before, so that one whose answer was lost is found and not made again. Source: Marketplacer API contract 2.2, 2.3, 3.2,
3.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stokly_sync.errors import CredentialsError, PermissionDenied, TransientError
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.marketplacer import queries, rules
from stokly_sync.systems.marketplacer.client import MarketplacerClient, refusal
from stokly_sync.systems.transport import decode, found_once


def send_products(client: MarketplacerClient, batch: Sequence[Record]) -> Sequence[Outcome]:
    """Change variants, and create products that the marketplace lacks."""
    bodies = {record.key: decode(record.document) for record in batch}
    changes = [record for record in batch if "variantId" in bodies[record.key]]
    outcomes = _update(client, changes, [_input(bodies[r.key], bodies[r.key]["attributes"]) for r in changes])
    new = [record for record in batch if "variantId" not in bodies[record.key]]
    return [*outcomes, *(_create(client, new, bodies) if new else ())]


def send_stock(client: MarketplacerClient, batch: Sequence[Record]) -> Sequence[Outcome]:
    """Set the stock of variants; an absolute number, so that it may be sent again."""
    bodies = [decode(record.document) for record in batch]
    return _update(client, batch, [_input(body, {"countOnHand": body["countOnHand"]}) for body in bodies])


def fates(
    records: Sequence[Record],
    answers: Sequence[Any],
    *,
    member: str,
    rule: str,
    others: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """The outcome of each record by its payload; `others` are rules for refusals that contain a text.

    Raises what says nothing of a single record: no right at all, credentials, a server in trouble.
    """
    stopped = [a for a in answers if isinstance(a, CredentialsError | PermissionDenied | TransientError)]
    if stopped and len(stopped) == len(answers):
        raise stopped[0]
    return [_fate(record, answer, member, rule, others or {}) for record, answer in zip(records, answers, strict=True)]


def _fate(record: Record, answer: Any, member: str, rule: str, others: Mapping[str, str]) -> Outcome:
    said = str(answer) if isinstance(answer, Exception) else refusal(answer)
    if said is not None:
        found = next((code for text, code in others.items() if text in said.lower()), rule)
        return Outcome(record.key, State.REJECTED, said, rule=found)
    made = answer.get(member) or {}
    return Outcome(record.key, State.ACCEPTED, receipt=str(made["id"]) if made.get("id") else None)


def _update(client: MarketplacerClient, records: Sequence[Record], inputs: Sequence[Json]) -> list[Outcome]:
    if not records:
        return []
    answers = client.change("variantUpdate", inputs)
    return fates(records, answers, member="variant", rule=rules.REJECTED.code)


def _input(body: Mapping[str, Any], attributes: Mapping[str, Any]) -> Json:
    return {"variantId": body["variantId"], "attributes": dict(attributes)}


def _create(client: MarketplacerClient, records: Sequence[Record], bodies: Mapping[str, Json]) -> list[Outcome]:
    there = _variants(client, [record.key for record in records])
    found = [Outcome(r.key, State.ACCEPTED, receipt=there[r.key]) for r in records if r.key in there]
    lacking = [record for record in records if record.key not in there]
    if not lacking:
        return found
    answers = client.change("advertUpsert", [_advert(client, bodies[r.key]) for r in lacking], once=True)
    return [*found, *fates(lacking, answers, member="advert", rule=rules.REJECTED.code)]


def _variants(client: MarketplacerClient, skus: Sequence[str]) -> dict[str, str]:
    """Ids of variants by SKU, for those that are there."""
    wanted = set(skus)
    return {
        variant["sku"]: variant["id"]
        for page in client.connection(queries.variants_by_sku(), "advertsWhere", {"skus": list(skus)})
        for advert in page.nodes
        for variant in (advert.get("variants") or {}).get("nodes") or ()
        if variant.get("sku") in wanted
    }


def _advert(client: MarketplacerClient, body: Mapping[str, Any]) -> Json:
    attributes = {name: value for name, value in body["advert"].items() if value is not None}
    brand = brand_of(client, body.get("brandName"))
    given: Json = {"attributes": attributes | ({"brandId": brand} if brand else {})}
    return given | ({"sellerId": client.settings.seller_id} if client.settings.seller_id else {})


def brand_of(client: MarketplacerClient, name: str | None) -> str | None:
    """The id of the brand with that name, else the one of the settings."""
    if name is not None:
        found = known(client, "brands", queries.BRANDS).get(name.strip().lower())
        if found is not None:
            return found
    return client.settings.brand_id


def known(client: MarketplacerClient, name: str, query: str) -> Mapping[str, str]:
    """Ids of a list of reference data by name in small letters, and by the id itself; read once a day."""

    def listed(client: MarketplacerClient) -> dict[str, str]:
        found: dict[str, str] = {}
        for page in client.connection(query, name, {}):
            for node in page.nodes:
                found[str(node.get("name")).strip().lower()] = found[str(node.get("id"))] = str(node.get("id"))
        return found

    held: Mapping[str, str] = found_once(client, name, listed)
    return held
