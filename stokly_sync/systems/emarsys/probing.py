"""What the doctor asks Emarsys: credentials, rights, fields, the event, and what only a person can put right.

Reading only.
"""

from __future__ import annotations

from collections.abc import Iterator

from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Probe
from stokly_sync.systems.emarsys.client import EmarsysClient
from stokly_sync.systems.emarsys.setup import custom_fields, known_fields


def probe(client: EmarsysClient) -> Iterator[Probe]:
    """Checks of the credentials, the custom fields and their index, the event, and the settings of files and sales."""
    try:
        held = known_fields(client)
    except (PermanentError, TransientError) as error:
        advice = "Set EMARSYS_CLIENT_ID, EMARSYS_CLIENT_SECRET and EMARSYS_BASE_URL, and switch on field.get."
        yield Probe("Emarsys API user", ok=False, finding=str(error), advice=advice)
        return
    yield Probe("Emarsys API user", ok=True, finding=f"accepted ({client.settings.auth})")
    new = [name for ours, (name, _) in custom_fields(client.settings).items() if ours not in held]
    finding = f"made by the first load: {', '.join(new)}" if new else "all there"
    yield Probe("Emarsys custom fields", ok=True, finding=finding)
    if "customer" in held:
        yield _index(client, held["customer"])
    yield _event(client)
    yield from _settings(client)


def _index(client: EmarsysClient, field: str) -> Probe:
    subject = f"Emarsys field {client.settings.id_field}"
    if not client.settings.id_field_indexed:
        advice = "Ask the vendor's support to index it, then set EMARSYS_ID_FIELD_INDEXED=true."
        return Probe(subject, ok=False, finding="not indexed: contacts are found by address alone", advice=advice)
    try:
        client.ids_of(field, ["doctor"])
    except (PermanentError, TransientError) as error:
        return Probe(subject, ok=False, finding=str(error), advice="Ask the vendor's support to index the field.")
    return Probe(subject, ok=True, finding="indexed")


def _event(client: EmarsysClient) -> Probe:
    wanted = client.settings.dispatch_event
    subject = f"Emarsys external event {wanted}"
    try:
        rows = client.read("GET", "/event/")
    except (PermanentError, TransientError) as error:
        return Probe(subject, ok=False, finding=str(error), advice="Switch on event.list for the API user.")
    names = {str(row.get(name)) for row in rows if isinstance(row, dict) for name in ("id", "name")}
    if wanted in names:
        return Probe(subject, ok=True, finding="there")
    if wanted.isdecimal():
        return Probe(subject, ok=False, finding="not there", advice="Set EMARSYS_DISPATCH_EVENT to one that is.")
    return Probe(subject, ok=True, finding="made by the first dispatch; a program must listen to it")


def _settings(client: EmarsysClient) -> Iterator[Probe]:
    settings = client.settings
    if settings.sales_token is None or settings.merchant_id is None:
        advice = "Set EMARSYS_SALES_TOKEN and EMARSYS_MERCHANT_ID, or the modes of orders and refunds to off."
        yield Probe("Emarsys sales data", ok=False, finding="no credentials", advice=advice)
    if settings.history_from is None:
        advice = "Set EMARSYS_HISTORY_FROM, or adopt what the account holds with `stokly-sync adopt`."
        yield Probe("Emarsys sales history", ok=True, finding="no beginning is set", advice=advice)
    if settings.catalogue_url is None or not settings.product_url:
        advice = "Set EMARSYS_CATALOGUE_URL and EMARSYS_PRODUCT_URL, or the mode of products to off."
        yield Probe("Emarsys catalogue", ok=False, finding="no folder, or no product address", advice=advice)
