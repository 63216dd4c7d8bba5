"""Sending contacts: found or made, written, and merged where their customers were merged in Stokly (E1, E2).

A batch costs two calls to look up, one more where addresses are known, and one each to update and to create. Nothing
here touches opt-in, but for a merge: an opt-out of the contact that goes must outlive it. Source: Emarsys API contract
1.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stokly_sync.errors import BatchRefused
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.emarsys.client import EmarsysClient, ReplyError
from stokly_sync.systems.emarsys.lookup import Found, Reason, look_up, place
from stokly_sync.systems.emarsys.rules import DUPLICATE, REJECTED
from stokly_sync.systems.emarsys.setup import EMAIL, OPT_IN, OPTED_OUT, Fields, fields_of
from stokly_sync.systems.transport import decode

MOVED: Final = frozenset({"2008", "2009"})
"""Codes of a row that came or went between looking up and writing: it is looked up once more."""
SEVERAL: Final = "2010"


def send_contacts(client: EmarsysClient, batch: Sequence[Record]) -> list[Outcome]:
    """Write one batch of contacts and merge those that belong together; the fate of each is known at once."""
    wanted = {record.key: decode(record.document) for record in batch}
    known, again = _write(client, wanted)
    if again:
        more, left = _write(client, {key: wanted[key] for key in again})
        known += more + [_rejected(key, *told) for key, told in left.items()]
    return known


def _write(client: EmarsysClient, wanted: Mapping[str, Json]) -> tuple[list[Outcome], dict[str, tuple[str, str]]]:
    """Look up and write; gives what is known, and the rows that have to be looked up again with their errors."""
    fields = fields_of(client)
    customers = [name for body in wanted.values() for name in (body["customer"], *body.get("merged", ()))]
    found = look_up(client, fields, customers, (body["email"] for body in wanted.values()))
    outcomes: list[Outcome] = []
    there: dict[str, str] = {}
    new: list[str] = []
    for key, body in wanted.items():
        spot = place(body["customer"], body["email"], found, (*body.get("merged", ()), *body.get("former", ())))
        if isinstance(spot, Reason):
            outcomes.append(Outcome(key, State.REJECTED, spot.text, rule=spot.rule))
        elif spot is None:
            new.append(key)
        else:
            there[key] = spot
    failed = _update(client, fields, wanted, there) | _create(client, fields, wanted, new)
    again = {key: told for key, told in failed.items() if told[0] in MOVED}
    for key in (*there, *new):
        if key in failed and key not in again:
            outcomes.append(_rejected(key, *failed[key]))
        elif key not in failed:
            outcomes.append(_merge(client, fields, key, wanted[key], found, there.get(key)))
    return outcomes, again


def _update(
    client: EmarsysClient, fields: Fields, wanted: Mapping[str, Json], there: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Write contacts that are there, found by their internal id; gives failed rows by our key."""
    if not there:
        return {}
    rows = [{"id": number, **_row(fields, wanted[key])} for key, number in there.items()]
    failed = client.put_contacts("id", rows, create=False)
    return {key: failed[number] for key, number in there.items() if number in failed}


def _create(
    client: EmarsysClient, fields: Fields, wanted: Mapping[str, Json], new: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Make contacts that are not there, by our id or, as long as that is not indexed, by address."""
    if not new:
        return {}
    by_id = client.settings.id_field_indexed
    failed = client.put_contacts(
        fields.customer if by_id else EMAIL, [_row(fields, wanted[key]) for key in new], create=True
    )
    names = {key: wanted[key]["customer" if by_id else "email"] for key in new}
    return {key: failed[name] for key, name in names.items() if name in failed}


def _row(fields: Fields, body: Json) -> Json:
    return fields.coded({"customer": body["customer"], "email": body["email"], **body["fields"]})


def _merge(client: EmarsysClient, fields: Fields, key: str, body: Json, found: Found, number: str | None) -> Outcome:
    """Merge the contacts of customers that went up in this one; those that are gone already are done."""
    for loser in body.get("merged", ()):
        ids = found.by_customer.get(loser, [])
        if not ids or ids == [number]:
            continue
        try:
            client.ask("POST", "/contact/merge", _merging(client, fields, loser=loser, winner=key, ids=ids))
        except (ReplyError, BatchRefused) as error:
            if not isinstance(error, ReplyError) or error.code != "2008":
                return Outcome(key, State.REJECTED, f"customer {loser} cannot be merged: {error}", rule=REJECTED.code)
    return Outcome(key, State.ACCEPTED)


def _merging(client: EmarsysClient, fields: Fields, *, loser: str, winner: str, ids: Sequence[str]) -> Json:
    rows: list[dict[str, Any]] = [row for page in client.contacts([OPT_IN], ids) for row in page]
    out = any(str(row.get(OPT_IN)) == OPTED_OUT for row in rows)
    return {
        "key_id": fields.customer,
        "source_key_value": loser,
        "target_key_value": winner,
        # What the surviving contact says of itself stands; an opt-out alone comes over.
        "merge_rules": {OPT_IN: "overwrite"} if out else {},
        "delete_source": True,
    }


def _rejected(key: str, code: str, text: str) -> Outcome:
    rule = DUPLICATE if code == SEVERAL else REJECTED
    return Outcome(key, State.REJECTED, f"{code}: {text}", rule=rule.code)
