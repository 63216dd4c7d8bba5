"""What the doctor asks Dotdigital: the API user, the region, the rights, and what set-up would make. Reading only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Probe
from stokly_sync.systems.dotdigital.client import DotdigitalClient
from stokly_sync.systems.dotdigital.setup import data_fields

LISTS: Final = ("/v2/data-fields", "/v2/address-books", "/insightData/v3/collections")


def probe(client: DotdigitalClient) -> Iterator[Probe]:
    """Checks of the API user, the account's address, each list, and of what is there already."""
    try:
        host = client.account.get("ApiEndpoint", "")
    except (PermanentError, TransientError) as error:
        advice = "Set DOTDIGITAL_USERNAME and DOTDIGITAL_PASSWORD of an API user."
        yield Probe("Dotdigital API user", ok=False, finding=str(error), advice=advice)
        return
    yield Probe("Dotdigital API user", ok=True, finding="accepted")
    yield Probe("Dotdigital region", ok=True, finding=f"the account's address is {host or client.settings.base_url}")
    for path in LISTS:
        try:
            rows = client.read(path, missing=[])
        except (PermanentError, TransientError) as error:
            advice = "Give the API user the right to read this, and set DOTDIGITAL_BASE_URL to the first region."
            yield Probe(f"Dotdigital GET {path}", ok=False, finding=str(error), advice=advice)
            continue
        yield Probe(f"Dotdigital GET {path}", ok=True, finding="may be read")
        if path == LISTS[0]:
            yield _fields(client, rows)
    yield _status(client)


def _fields(client: DotdigitalClient, rows: list[Mapping[str, object]]) -> Probe:
    held = {str(row.get("name")).upper(): str(row.get("type")) for row in rows}
    wanted = data_fields(client.settings)
    wrong = [name for name, kind in wanted.items() if held.get(name.upper(), kind) != kind]
    new = [name for name in wanted if name.upper() not in held]
    if wrong:
        advice = "Delete these fields in Dotdigital, or set DOTDIGITAL_FIELD_PREFIX to another prefix."
        return Probe("Dotdigital data fields", ok=False, finding=f"of another type: {', '.join(wrong)}", advice=advice)
    finding = f"made by the first load: {', '.join(new)}" if new else "all there"
    return Probe("Dotdigital data fields", ok=True, finding=finding)


def _status(client: DotdigitalClient) -> Probe:
    status = client.settings.new_contact_status
    if status == "subscribed":
        advice = "Set new_contact_status to unsubscribed unless everybody in Stokly has agreed to mail."
        return Probe("Dotdigital new contacts", ok=False, finding="are subscribed", advice=advice)
    return Probe("Dotdigital new contacts", ok=True, finding=f"are {status}; those that are there keep their status")
