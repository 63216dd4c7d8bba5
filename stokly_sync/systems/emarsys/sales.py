"""Sending sales data: lines of orders and refunds as CSV, each upload once and never again by itself (E3, E8).

The vendor books lines of people it does not know on a nameless contact for good, so guests get a contact first. What
was sent without an answer is in doubt; delivery parks it for a person. Source: Emarsys API contract 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.emarsys.client import EmarsysClient
from stokly_sync.systems.emarsys.documents.common import plain
from stokly_sync.systems.emarsys.lookup import Found, look_up
from stokly_sync.systems.emarsys.rules import DUPLICATE, REJECTED
from stokly_sync.systems.emarsys.setup import EMAIL, fields_of
from stokly_sync.systems.transport import decode


def send_sales(client: EmarsysClient, batch: Sequence[Record]) -> list[Outcome]:
    """Upload the lines of one batch of orders or refunds; accepted means taken, processing cannot be asked for.

    Raises InDoubt when nobody knows whether the lines arrived.
    """
    bodies = {record.key: decode(record.document) for record in batch}
    names, refused = _guests(client, {k: body for k, body in bodies.items() if body["guest"]})
    sent = [key for key in bodies if key not in refused]
    if not sent:
        return list(refused.values())
    content = written([{**bodies[k], "customer": names.get(k, bodies[k]["customer"])} for k in sent], client)
    said = client.upload_sales(content)
    receipt = f"{sha256(content).hexdigest()[:16]} of {len(content)} bytes: {said}"
    return [*refused.values(), *(Outcome(key, State.ACCEPTED, receipt=receipt) for key in sent)]


def written(bodies: Iterable[Json], client: EmarsysClient) -> bytes:
    """Lines as CSV with the account's columns in their order. Source: Emarsys API contract 2.2, 2.3."""
    names = client.settings.sales_columns
    rows = [",".join(names)]
    for body in bodies:
        of_order = {
            "order": body["order"],
            "timestamp": body["at"],
            "date": body["at"][:10],
            "customer": body["customer"],
            "email": body["email"] or "",
            "s_currency": body["currency"],
            "s_channel": plain(body["channel"], 255),
        }
        for line in body["lines"]:
            amount = format(line["price"], "f")
            cells = {"item": line["item"], "price": amount, "c_sales_amount": amount, "quantity": str(line["quantity"])}
            rows.append(",".join(cell({**of_order, **cells}[name]) for name in names))
    return ("\n".join(rows) + "\n").encode()


def cell(text: str) -> str:
    """A value as a CSV field: quoted where it holds a comma, a quote, or a space at an end."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text or text != text.strip() else text


def _guests(client: EmarsysClient, guests: Mapping[str, Json]) -> tuple[dict[str, str], dict[str, Outcome]]:
    """See to it that guests are contacts; gives the customer id to book on, and rejections, by our key."""
    if not guests:
        return {}, {}
    fields = fields_of(client)
    found = look_up(client, fields, [b["customer"] for b in guests.values()], (b["email"] for b in guests.values()))
    names: dict[str, str] = {}
    refused: dict[str, Outcome] = {}
    rows: dict[str, Any] = {}
    for key, body in guests.items():
        held = _contacts_of(body, found)
        if len(held) > 1:
            reason = f"contacts {', '.join(sorted(held))} in Emarsys have the guest's address"
            refused[key] = Outcome(key, State.REJECTED, reason, rule=DUPLICATE.code)
            continue
        owner = next(iter(held.values()), "")
        names[key] = owner or body["customer"]
        if not owner:
            rows[body["email"].lower()] = {EMAIL: body["email"], fields.customer: body["customer"]}
    failed = client.put_contacts(EMAIL, list(rows.values()), create=True) if rows else {}
    addresses = {email.lower(): told for email, told in failed.items()}
    for key, body in guests.items():
        told = addresses.get(body["email"].lower())
        if told is not None and key not in refused:
            refused[key] = Outcome(key, State.REJECTED, f"{told[0]}: {told[1]}", rule=REJECTED.code)
    return names, refused


def _contacts_of(body: Json, found: Found) -> dict[str, str]:
    """The contacts that a guest may be, by internal id, and the customer ids that they carry."""
    customer = str(body["customer"])
    by_id = dict.fromkeys(found.by_customer.get(customer, []), customer)
    return by_id or dict(found.carried(body["email"]))
