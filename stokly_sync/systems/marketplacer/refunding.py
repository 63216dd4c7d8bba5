"""Refund requests on their way: looked up, created, goods marked as back, and paid where that is ours to do (P10).

The steps of a request guard themselves: one that was taken is refused the second time. So a request that stopped half
way is found by looking up and taken further; where it stands is asked, never assumed. Source: Marketplacer API contract
5.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stokly_sync.errors import PermanentError, StoklySyncError, TransientError
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.marketplacer import queries, rules
from stokly_sync.systems.marketplacer.client import MarketplacerClient, refusal
from stokly_sync.systems.marketplacer.sending import fates
from stokly_sync.systems.transport import decode

_BEFORE_RETURN: Final = frozenset({"AWAITING"})
_PAID: Final = frozenset({"REFUNDED"})
_OVER: Final = frozenset({"DENIED", "REFUND_DENIED"})
_LISTED: Final = "refund requests"


@dataclass(frozen=True)
class _Request:
    """A request in the marketplace: its id, where it stands, and the pence to pay for it."""

    id: str
    status: str
    cash: int


def send_refunds(client: MarketplacerClient, batch: Sequence[Record]) -> Sequence[Outcome]:
    """Create the requests that are not there, and take all of them as far as they should go."""
    bodies = {record.key: decode(record.document) for record in batch}
    requests = _found(client, bodies)
    lacking = [record for record in batch if record.key not in requests]
    outcomes: dict[str, Outcome] = {}
    if lacking:
        answers = client.change("refundRequestCreate", [_input(bodies[r.key]) for r in lacking], once=True)
        told = fates(lacking, answers, member="refundRequest", rule=rules.REFUND_REFUSED.code)
        for outcome, answer in zip(told, answers, strict=True):
            if outcome.state is State.ACCEPTED and outcome.receipt is not None:
                status = str((answer.get("refundRequest") or {}).get("status") or "AWAITING")
                requests[outcome.key] = _Request(outcome.receipt, status, bodies[outcome.key]["cashAmountCents"])
            else:
                outcomes[outcome.key] = outcome
    outcomes |= {outcome.key: outcome for outcome in _advance(client, requests)}
    return [outcomes[record.key] for record in batch]


def look_up_refunds(client: MarketplacerClient, batch: Sequence[Record]) -> Sequence[Outcome]:
    """Those of the requests that are there, taken further where they stopped half way."""
    client.once.pop(_LISTED, None)
    return _advance(client, _found(client, {record.key: decode(record.document) for record in batch}))


def settle_refunds(client: MarketplacerClient, submitted: Sequence[Outcome]) -> Sequence[Outcome]:
    """Requests that stopped half way, taken further; those that stand where they stood are left out."""
    parts = {o.key: (o.receipt or "").split(" ") for o in submitted}
    known = {key: part for key, part in parts.items() if len(part) == 2 and part[1].isdecimal()}
    if not known:
        return []
    states = _states(client, [part[0] for part in known.values()])
    requests = {
        key: _Request(part[0], states[part[0]], int(part[1])) for key, part in known.items() if part[0] in states
    }
    return [outcome for outcome in _advance(client, requests) if outcome.state is not State.SUBMITTED]


def _advance(client: MarketplacerClient, requests: Mapping[str, _Request]) -> list[Outcome]:
    """Mark as returned what waits, then pay where the settings and the key say so."""
    at = dict(requests)
    failed: dict[str, Outcome] = {}
    _step(client, at, failed, "refundRequestReturn", lambda r: r.status in _BEFORE_RETURN, lambda r: {})
    if client.settings.refunds_pay and client.role == "operator":
        unpaid = _BEFORE_RETURN | _PAID | _OVER
        _step(
            client,
            at,
            failed,
            "refundRequestRefund",
            lambda r: r.status not in unpaid,
            lambda r: {"cashAmountCents": r.cash},
        )
    done = [_done(key, request) for key, request in at.items() if key not in failed]
    return [*done, *failed.values()]


def _done(key: str, request: _Request) -> Outcome:
    if request.status in _OVER:
        why = "the marketplace's operator denied the refund"
        return Outcome(key, State.REJECTED, why, rule=rules.REFUND_REFUSED.code)
    return Outcome(key, State.ACCEPTED, receipt=request.id)


def _step(
    client: MarketplacerClient,
    at: dict[str, _Request],
    failed: dict[str, Outcome],
    mutation: str,
    due: Any,
    more: Any,
) -> None:
    """One step for the requests that are due; what was refused is asked where it stands before that counts."""
    keys = [key for key, request in at.items() if key not in failed and due(request)]
    if not keys:
        return
    inputs = [{"refundRequestId": at[key].id, "notes": [], **more(at[key])} for key in keys]
    try:
        answers = client.change(mutation, inputs)
    except TransientError as error:
        failed |= {key: _later(key, at[key], str(error)) for key in keys}
        return
    refused: dict[str, str] = {}
    for key, answer in zip(keys, answers, strict=True):
        said = str(answer) if isinstance(answer, StoklySyncError) else refusal(answer)
        if said is not None:
            refused[key] = said
        else:
            status = str((answer.get("refundRequest") or {}).get("status") or "RETURNED")
            at[key] = _Request(at[key].id, status, at[key].cash)
    stands = _states(client, [at[key].id for key in refused]) if refused else {}
    for key, said in refused.items():
        status = stands.get(at[key].id, at[key].status)
        if due(_Request(at[key].id, status, 0)):
            failed[key] = Outcome(key, State.REJECTED, said, rule=rules.REFUND_REFUSED.code)
        else:
            at[key] = _Request(at[key].id, status, at[key].cash)


def _later(key: str, request: _Request, why: str) -> Outcome:
    """Created, and a later step had no answer: taken further when it is settled."""
    return Outcome(key, State.SUBMITTED, why, receipt=f"{request.id} {request.cash}")


def _found(client: MarketplacerClient, bodies: Mapping[str, Json]) -> dict[str, _Request]:
    """Requests that show our refunds: the same invoice and goods, less those that stand for equal ones before."""
    held, found = _listed(client), {}
    for key, body in bodies.items():
        alike = held.get((body["invoiceId"], _signature_of(body)), [])
        place = int(body.get("before") or 0)
        if place < len(alike):
            found[key] = _Request(alike[place].id, alike[place].status, body["cashAmountCents"])
    return found


def _listed(client: MarketplacerClient) -> dict[tuple[str, str], list[_Request]]:
    """Requests by invoice and goods, as they were when the load began: they cannot be asked for by invoice.

    That is enough for every batch of it. A refund is found by how many like it stand before it, and those that the
    load itself made stand behind all that were there.
    """
    if _LISTED not in client.once:
        held: dict[tuple[str, str], list[_Request]] = defaultdict(list)
        for page in client.connection(queries.requests(client.members), "refundRequests", {"filters": {}}):
            for node in page.nodes:
                invoice = (node.get("invoice") or {}).get("id")
                if invoice and node.get("status") not in _OVER:
                    held[str(invoice), _signature(node)].append(_Request(str(node["id"]), str(node.get("status")), 0))
        client.once[_LISTED] = dict(held)
    there: dict[tuple[str, str], list[_Request]] = client.once[_LISTED]
    return there


def _signature(node: Mapping[str, Any]) -> str:
    units: Counter[str] = Counter()
    for item in node.get("lineItems") or ():
        units[str((item.get("lineItem") or {}).get("id") or "custom")] += item.get("request_quantity") or 0
    return repr(sorted(units.items()))


def _signature_of(body: Mapping[str, Any]) -> str:
    units: Counter[str] = Counter()
    for item in body["lineItems"]:
        units[item.get("lineItemId") or "custom"] += item["quantity"]
    return repr(sorted(units.items()))


def _states(client: MarketplacerClient, ids: Sequence[str]) -> dict[str, str]:
    nodes = client.read(queries.requests_by_id(), {"ids": list(ids)}).data.get("nodes") or ()
    return {str(n["id"]): str(n.get("status")) for n in nodes if isinstance(n, Mapping) and n.get("id")}


def _input(body: Mapping[str, Any]) -> Json:
    if not body["lineItems"]:
        raise PermanentError("a refund without lines was planned; correct systems/marketplacer/documents/refunds.py")
    return {name: body[name] for name in ("invoiceId", "lineItems", "notes")}
