"""What the doctor asks Ometria: the key, its rights, our collection, and whether the settings fit. Reading only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stokly_sync.contracts.mapping import PropertyField
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Json, Probe
from stokly_sync.systems.ometria.client import OmetriaClient

LISTS: Final = ("/products", "/orders", "/push/_errors")


def probe(client: OmetriaClient) -> Iterator[Probe]:
    """Checks of the key, of each list, of the collection, of custom fields and of what no source proves."""
    try:
        held = client.collections()
    except (PermanentError, TransientError) as error:
        yield Probe("Ometria key", ok=False, finding=str(error), advice="Set OMETRIA_API_KEY and OMETRIA_BASE_URL.")
        return
    yield Probe("Ometria key", ok=True, finding="accepted")
    samples: dict[str, Json | None] = {}
    for path in LISTS:
        try:
            samples[path] = client.sample(path)
            yield Probe(f"Ometria GET {path}", ok=True, finding="may be read")
        except (PermanentError, TransientError) as error:
            advice = "Give the key the right to read this; without it nothing is reconciled."
            yield Probe(f"Ometria GET {path}", ok=False, finding=str(error), advice=advice)
    name = client.settings.collection
    count = held.get(name)
    finding = f"{count} contacts" if count is not None else "not there yet; the first push makes it"
    yield Probe(f"Ometria collection {name}", ok=True, finding=finding)
    yield from _custom_fields(client, samples, count)
    yield from _settings(client)


def _custom_fields(client: OmetriaClient, samples: Mapping[str, Json | None], contacts: int | None) -> Iterator[Probe]:
    settings = client.settings
    contact: Json | None = None
    if contacts and settings.contact_properties:
        contact = client.sample(client.contacts_path)
    for what, mapping, sample in (
        ("contacts", settings.contact_properties, contact),
        ("products", settings.product_properties, samples.get("/products")),
        ("orders", settings.order_properties, samples.get("/orders")),
    ):
        if mapping:
            yield _fields_probe(what, mapping, sample)


def _fields_probe(what: str, mapping: Mapping[str, PropertyField], sample: Json | None) -> Probe:
    subject = f"Ometria custom fields of {what}"
    if sample is None:
        return Probe(subject, ok=True, finding=f"{len(mapping)} mapped; no record there yet to compare with")
    held = sample.get("properties")
    seen = set(held) if isinstance(held, Mapping) else set()
    new = sorted(set(mapping) - seen)
    finding = f"{len(mapping)} mapped; not on the record looked at: {', '.join(new)}" if new else "all seen"
    return Probe(subject, ok=True, finding=finding)


def _settings(client: OmetriaClient) -> Iterator[Probe]:
    settings = client.settings
    if settings.price_includes_vat and not settings.tax_rates:
        advice = "Set tax_rates under [ometria], or price_includes_vat = false."
        yield Probe("Ometria prices", ok=False, finding="with VAT, but no VAT rate is known", advice=advice)
    yield Probe(
        "Ometria queue",
        ok=True,
        finding=f"its headers come with pushes only; without them {settings.queue_drain_wait:g} s are waited",
    )
    yield Probe("Ometria discounts", ok=True, finding=f"sent {settings.discount_sign}; the vendor documents no sign")
