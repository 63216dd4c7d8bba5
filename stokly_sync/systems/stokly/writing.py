"""Sending documents of a channel to Stokly: looked up first, then written one by one, never twice.

Stokly deduplicates nothing and shows what it took only after a while. So every batch begins by asking what is there, no
write is repeated, and once a batch has written anything it tells what it knows of each record instead of failing as a
whole: what it left out is looked up after Stokly's delay. Source: Stokly API contract 2.1, 4, 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from stokly_sync.crashpoints import crashpoint
from stokly_sync.errors import InDoubt, NotOffered, PermanentError, TransientError
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.stokly import lookups
from stokly_sync.systems.stokly.client import StoklyClient, WriteRefused
from stokly_sync.systems.stokly.unverified import (
    PROVEN_PATHS,
    cancel_call,
    credit_note_body,
    path_of,
    refunds_offered,
)
from stokly_sync.systems.transport import decode

POLL: Final = 2.0
"""Seconds between two looks for an account that was made a moment ago. Source: Stokly API contract 2.1."""
DOUBTS: Final = 3
"""So many writes in a row without an answer mean that Stokly is down; fewer may be the records' own fault."""

Bodies = Mapping[str, Json]
Write = Callable[[Json], str | None]


def send_customers(client: StoklyClient, batch: Sequence[Record], *, channel: str) -> list[Outcome]:
    """Make accounts for customers that have none, by account code or e-mail address; who has one is not changed."""
    bodies = _bodies(batch)
    known = look_up_customers(client, batch)
    if client.settings.channel(channel).customers_by_email:
        there = {outcome.key for outcome in known}
        emails = {key: str(b["email"]).casefold() for key, b in bodies.items() if key not in there and b.get("email")}
        known += _found(emails, lookups.customers_by(client, "email", emails.values()))
    return known + _written(bodies, known, lambda body: client.write("POST", PROVEN_PATHS["customers"], body))


def look_up_customers(client: StoklyClient, records: Sequence[Record]) -> list[Outcome]:
    """Which customers have an account, by their account code."""
    codes = {key: str(body["barcode"]) for key, body in _bodies(records).items()}
    return _found(codes, lookups.customers_by(client, "barcode", codes.values()))


def send_orders(client: StoklyClient, batch: Sequence[Record], *, channel: str) -> list[Outcome]:
    """Make the sale orders that Stokly does not have; one whose account cannot be seen yet stays planned."""
    bodies = _bodies(batch)
    known = look_up_orders(client, batch, channel=channel)
    there = {outcome.key for outcome in known}
    accounts = _accounts(client, [body for key, body in bodies.items() if key not in there])
    waiting = {key for key, body in bodies.items() if body["account"] and body["account"] not in accounts} - there
    early = [Outcome(key, State.PLANNED) for key in sorted(waiting)]

    def write(body: Json) -> str | None:
        order = dict(body["order"]) | {"sourceId": lookups.channel_id(client, channel)}
        if body["account"]:
            order["customer"] = {"customerId": accounts[body["account"]]}
        return client.write("POST", PROVEN_PATHS["orders"], order)

    return known + early + _written(bodies, [*known, *early], write)


def look_up_orders(client: StoklyClient, records: Sequence[Record], *, channel: str) -> list[Outcome]:
    """Which orders Stokly has, by the channel and its number."""
    numbers = {key: str(body["order"]["sourceReferenceId"]) for key, body in _bodies(records).items()}
    rows = lookups.orders_by_number(client, channel, numbers.values())
    return _found(numbers, {number: str(row["saleOrderId"]) for number, row in rows.items()})


def send_cancellations(client: StoklyClient, batch: Sequence[Record], *, channel: str) -> list[Outcome]:
    """Cancel orders that Stokly has and has not removed; there is nothing to cancel of any other."""
    bodies = _bodies(batch)
    rows = lookups.orders_by_number(client, channel, (str(body["number"]) for body in bodies.values()))
    live = {number: row for number, row in rows.items() if row.get("stage") != "removed"}
    idle = [Outcome(key, State.ACCEPTED) for key, body in bodies.items() if body["number"] not in live]

    def write(body: Json) -> str | None:
        method, path, content = cancel_call(client.settings, str(live[body["number"]]["saleOrderId"]))
        client.write(method, path, content)
        return None

    return idle + _written(bodies, idle, write)


def send_refunds(client: StoklyClient, batch: Sequence[Record]) -> list[Outcome]:
    """Make the refunds that Stokly does not have: on their order, or as credit notes where it offers no refunds."""
    bodies = _bodies(batch)
    known = look_up_refunds(client, batch)
    if refunds_offered(client):
        return known + _written(
            bodies,
            known,
            lambda body: client.write("POST", f"{PROVEN_PATHS['orders']}/{body['order_id']}/refunds", body["refund"]),
        )
    path = path_of(client.settings, "credit_notes")
    return known + _written(bodies, known, lambda body: client.write("POST", path, credit_note_body(body)))


def look_up_refunds(client: StoklyClient, records: Sequence[Record]) -> list[Outcome]:
    """Which refunds Stokly has, by our mark or as one that we never landed, or by the barcode of their credit note."""
    bodies = _bodies(records)
    if refunds_offered(client):
        ids = lookups.refunds_like(client, bodies)
        return _found({key: key for key in bodies}, ids)
    codes = {key: str(body["barcode"]) for key, body in bodies.items()}
    return _found(codes, lookups.credit_notes_by_code(client, codes.values()))


def send_invoices(client: StoklyClient, batch: Sequence[Record]) -> list[Outcome]:
    """Invoice the orders that Stokly has no invoice of."""
    bodies = _bodies(batch)
    known = look_up_invoices(client, batch)

    def write(body: Json) -> str | None:
        path = f"{PROVEN_PATHS['orders']}/{body['order_id']}/invoices"
        return client.write("POST", path, {"invoices": [body["invoice"]]})

    return known + _written(bodies, known, write)


def look_up_invoices(client: StoklyClient, records: Sequence[Record]) -> list[Outcome]:
    """Which orders Stokly has an invoice of."""
    orders = {key: str(body["order_id"]) for key, body in _bodies(records).items()}
    return _found(orders, lookups.invoices_by_order(client, orders.values()))


def _accounts(client: StoklyClient, bodies: Sequence[Json]) -> dict[str, str]:
    """Ids of the accounts that orders name, by account code; what was just made is waited for."""
    wanted = {str(body["account"]): body["email"] for body in bodies if body["account"]}
    found = lookups.customers_by(client, "barcode", wanted)
    emails = {code: str(email).casefold() for code, email in wanted.items() if email and code not in found}
    by_email = lookups.customers_by(client, "email", emails.values())
    found |= {code: by_email[email] for code, email in emails.items() if email in by_email}
    waited = 0.0
    while len(found) < len(wanted) and waited < client.settings.visible_after:
        client.pause(POLL)
        waited += POLL
        found |= lookups.customers_by(client, "barcode", wanted.keys() - found.keys())
    return found


def _bodies(batch: Sequence[Record]) -> dict[str, Json]:
    return {record.key: decode(record.document) for record in batch}


def _found(names: Mapping[str, str], ids: Mapping[str, str]) -> list[Outcome]:
    return [Outcome(key, State.ACCEPTED, receipt=ids[name]) for key, name in names.items() if name in ids]


def _written(bodies: Bodies, known: Sequence[Outcome], write: Write) -> list[Outcome]:
    """Write what is not known, one by one; after some doubts in a row, or a trouble behind a success, no more.

    Raises what the first write raises when nothing was written before it.
    """
    outcomes: list[Outcome] = []
    doubts = 0
    done = {outcome.key for outcome in known}
    for key, body in bodies.items():
        if key in done:
            continue
        try:
            outcomes.append(Outcome(key, State.ACCEPTED, receipt=write(body)))
            doubts = 0
        except (WriteRefused, NotOffered) as refusal:
            outcomes.append(Outcome(key, State.REJECTED, str(refusal)))
        except InDoubt as doubt:
            outcomes.append(Outcome(key, State.IN_DOUBT, str(doubt)))
            doubts += 1
            if doubts == DOUBTS:
                break
        except (TransientError, PermanentError):
            if not outcomes and not known:
                raise
            break
        crashpoint("send:between-records")
    return outcomes
