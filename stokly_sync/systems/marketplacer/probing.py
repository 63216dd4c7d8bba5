"""What the doctor asks a Marketplacer instance: the key, whose it is, the schema, carriers, and open settings.

Reading only. The vendor publishes no schema, so every text that we send is held against the server's own; what does not
fit is named before a flow meets it. Source: Marketplacer API contract, opening, and 12.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stokly_sync.errors import StoklySyncError
from stokly_sync.flow import Probe
from stokly_sync.systems.marketplacer import queries
from stokly_sync.systems.marketplacer.client import MarketplacerClient
from stokly_sync.systems.marketplacer.sending import known

_NEEDED: Final = {
    "what a line costs": ("line_cost", "line_total"),
    "the tax of lines": ("line_tax",),
    "postage": ("postage", "line_postage"),
}


def probe(client: MarketplacerClient) -> Iterator[Probe]:
    """The doctor's lines for one instance; about six small reads."""
    try:
        principal = client.read(queries.PRINCIPAL).data.get("apiKeyPrincipal") or {}
    except StoklySyncError as error:
        yield Probe("Marketplacer key", ok=False, finding=str(error), advice="Nothing else can be looked at before.")
        return
    whose = "a seller's key" if principal.get("seller") else "an operator's key"
    yield Probe("Marketplacer key", ok=True, finding=f"accepted: {whose}")
    yield from _schema(client)
    yield from _members(client)
    yield from _settings(client)


def _schema(client: MarketplacerClient) -> Iterator[Probe]:
    # Here and not above: nobody else needs it, and every start of ours would load it.
    from graphql import build_client_schema, get_introspection_query, parse, validate

    subject = "Marketplacer schema"
    try:
        told = client.read(get_introspection_query(descriptions=False)).data
        schema = build_client_schema(told)  # type: ignore[arg-type]  # the server's own description
    except (StoklySyncError, TypeError) as error:
        advice = "Ask for introspection to be allowed, or trust the names in MARKETPLACER_MEMBERS."
        yield Probe(subject, ok=False, finding=f"not told: {error}", advice=advice)
        return
    texts = queries.documents(client.members, operator=client.role == "operator")
    faults = {name: validate(schema, parse(text)) for name, text in texts.items()}
    for name, found in faults.items():
        if found:
            said = "; ".join(error.message for error in found[:3])
            advice = "This is not asked for or sent before the mapping follows the schema; report it with this text."
            yield Probe(f"{subject}: {name}", ok=False, finding=said, advice=advice)
    if not any(faults.values()):
        yield Probe(subject, ok=True, finding=f"all {len(texts)} requests fit")


def _members(client: MarketplacerClient) -> Iterator[Probe]:
    for what, names in _NEEDED.items():
        found = list(dict.fromkeys(client.members.names[name] for name in names if name in client.members))
        if found:
            yield Probe(f"Marketplacer: {what}", ok=True, finding=f"told as {', '.join(found)}")
        else:
            advice = f"Name the member in MARKETPLACER_MEMBERS ({' or '.join(names)}), or set MARKETPLACER_TAX_RATE."
            yield Probe(f"Marketplacer: {what}", ok=False, finding="no known member has it", advice=advice)


def _settings(client: MarketplacerClient) -> Iterator[Probe]:
    settings = client.settings
    try:
        carriers = known(client, "shipmentCarriers", queries.CARRIERS)
    except StoklySyncError as error:
        yield Probe("Marketplacer carriers", ok=False, finding=str(error), advice="Ask for the right to read them.")
        return
    wanted = {*settings.carriers.values(), *filter(None, [settings.default_carrier])}
    absent = sorted(name for name in wanted if name not in carriers and name.strip().lower() not in carriers)
    advice = "Correct MARKETPLACER_CARRIERS." if absent else ""
    finding = f"not there: {', '.join(absent)}" if absent else f"{len(set(carriers.values()))} there"
    yield Probe("Marketplacer carriers", ok=not absent, finding=finding, advice=advice)
    if not settings.channels:
        advice = "Set MARKETPLACER_CHANNELS where another channel may use the same order numbers."
        yield Probe("Marketplacer orders in Stokly", ok=True, finding="known by their reference alone", advice=advice)
    if settings.advert_upsert and client.role == "operator" and settings.seller_id is None:
        advice = "Set MARKETPLACER_SELLER_ID: an operator's key creates products for somebody."
        yield Probe("Marketplacer products", ok=False, finding="no seller is set to create them for", advice=advice)
    if settings.refunds_pay and client.role == "seller":
        advice = "Set MARKETPLACER_REFUNDS_PAY=false: only an operator may pay refunds."
        yield Probe("Marketplacer refunds", ok=False, finding="a seller's key cannot pay them", advice=advice)
