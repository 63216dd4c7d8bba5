"""Sending sales data: lines of orders and refunds as CSV, each upload once and never again by itself (E3, E8).

The vendor books lines of people it does not know on a nameless contact for good, so the gates let nothing leave before
its contact, a guest's too. What was sent without an answer is in doubt; delivery parks it for a person. Source: Emarsys
API contract 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.emarsys.client import EmarsysClient
from stokly_sync.systems.emarsys.documents.common import plain
from stokly_sync.systems.transport import decode


def send_sales(client: EmarsysClient, batch: Sequence[Record]) -> list[Outcome]:
    """Upload the lines of one batch of orders or refunds; accepted means taken, processing cannot be asked for.

    Raises InDoubt when nobody knows whether the lines arrived.
    """
    content = written((decode(record.document) for record in batch), client)
    said = client.upload_sales(content)
    receipt = f"{sha256(content).hexdigest()[:16]} of {len(content)} bytes: {said}"
    return [Outcome(record.key, State.ACCEPTED, receipt=receipt) for record in batch]


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
            **body.get("custom", {}),
        }
        for line in body["lines"]:
            amount = format(line["price"], "f")
            cells = {"item": line["item"], "price": amount, "c_sales_amount": amount, "quantity": str(line["quantity"])}
            rows.append(",".join(cell({**of_order, **cells}.get(name, "")) for name in names))
    return ("\n".join(rows) + "\n").encode()


def cell(text: str) -> str:
    """A value as a CSV field: quoted where it holds a comma, a quote, or a space at an end."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text or text != text.strip() else text
