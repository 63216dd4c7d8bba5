"""From "taken" to "accepted" or "rejected": what became of pushed records (O7).

A push is answered before its records are looked at, so their fate is what the error list says once the vendor's queue
is worked off. Where entries of that list may have been lost, the records in question are read one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from stokly_sync.errors import BatchRefused
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.ometria.client import OmetriaClient, PushAnswer, wait_until
from stokly_sync.systems.ometria.errorlog import Push, explain
from stokly_sync.systems.ometria.rules import REJECTED

READ_BACK: Final = "checked by reading it back"
NOT_VERIFIABLE: Final = "accepted, not verifiable: error reports may have been lost, and this record cannot be read"
GONE: Final = "not there after the queue was worked off; its error report was lost"
OUTDATED: Final = "Ometria holds an older state after the queue was worked off; its error report was lost"
_SLACK: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Kind:
    """A type of record: its name in error reports, and the path to read one (None where that is not possible)."""

    name: str
    path: str | None


def send(client: OmetriaClient, batch: Sequence[Record]) -> list[Outcome]:
    """Push one batch; records that the answer itself refuses are rejected, all others are submitted.

    Raises BatchRefused when records were refused and the answer does not say which. Source: Ometria API contract 2.
    """
    answer = client.push([record.document for record in batch])
    refused = _refused(answer)
    keys = {record.key for record in batch}
    unnamed = answer.rejected > len(keys & refused.keys()) or (answer.status == "ERROR" and not refused)
    if unnamed and len(batch) > 1:
        raise BatchRefused(f"Ometria refused {answer.rejected or 'some'} of {len(batch)} records without naming them")
    if unnamed:
        refused = {batch[0].key: "refused without a reason"}
    receipt = answer.push.receipt
    return [
        Outcome(key, State.REJECTED, refused[key], rule=REJECTED.code)
        if key in refused
        else Outcome(key, State.SUBMITTED, receipt=receipt)
        for key in (record.key for record in batch)
    ]


def settle(client: OmetriaClient, submitted: Sequence[Outcome], kind: Kind) -> list[Outcome]:
    """What became of submitted records; waits until the newest of them has left the vendor's queue.

    Waits at most ten minutes; records that are still on their way then, or that would need more reading than
    `verify_calls` allows, are left out and asked for again.
    """
    if not submitted:
        return []
    start = client.clock.now()
    pushes = {receipt: Push.of(receipt) or Push("", start) for receipt in {o.receipt for o in submitted}}
    newest = max(push.at for push in pushes.values())
    wait_until(client.clock, min(newest + client.patience, start + timedelta(seconds=600)))
    if client.log.read_at is None or client.log.read_at < newest + client.patience:
        client.follow_errors(since=min(push.at for push in pushes.values()))
    done = client.clock.now() - client.patience
    missed = {receipt for receipt, push in pushes.items() if client.log.may_have_missed(push)}
    known: list[Outcome] = []
    reading = client.settings.verify_calls
    for outcome in submitted:
        push = pushes[outcome.receipt]
        reason = client.log.reason(push, kind.name, outcome.key)
        if reason is not None:
            known.append(Outcome(outcome.key, State.REJECTED, reason, outcome.receipt, REJECTED.code))
        elif push.at > done:
            continue
        elif outcome.receipt not in missed:
            known.append(Outcome(outcome.key, State.ACCEPTED, receipt=outcome.receipt))
        elif kind.path is None:
            known.append(Outcome(outcome.key, State.ACCEPTED, NOT_VERIFIABLE, outcome.receipt))
        elif reading > 0:
            reading -= 1
            known.append(_verified(client, outcome, push, kind.path))
    return known


def _verified(client: OmetriaClient, outcome: Outcome, push: Push, path: str) -> Outcome:
    record = client.one(path, outcome.key)
    if record is None and "/" in outcome.key:
        # Servers read an escaped slash in a path in different ways, so "not found" proves nothing.
        return Outcome(outcome.key, State.ACCEPTED, NOT_VERIFIABLE, outcome.receipt)
    why = GONE if record is None else OUTDATED if _older(record, push.at) else None
    if why is not None:
        return Outcome(outcome.key, State.REJECTED, why, outcome.receipt, REJECTED.code)
    return Outcome(outcome.key, State.ACCEPTED, READ_BACK, outcome.receipt)


def _older(record: Json, pushed_at: datetime) -> bool:
    """Whether the record says that it was last written before the push; contacts do, others are silent."""
    try:
        written = datetime.fromisoformat(str(record.get("dt_object_updated")))
    except ValueError:
        return False
    return written.tzinfo is not None and written < pushed_at - _SLACK


def _refused(answer: PushAnswer) -> dict[str, str]:
    """Reasons by record id from `rejected_items`: ids alone, or objects with an id and perhaps a message."""
    found: dict[str, str] = {}
    for item in answer.rejected_items:
        record_id = item.get("id", item.get("record_id")) if isinstance(item, Mapping) else item
        if record_id is not None and not isinstance(record_id, Mapping | list):
            found[str(record_id)] = _reason(item)
    return found


def _reason(item: Any) -> str:
    if not isinstance(item, Mapping):
        return "refused without a reason"
    inner = item.get("message")
    told = inner if isinstance(inner, Mapping) else item
    words = told.get("error_message", told.get("message", told.get("error")))
    return explain(words if isinstance(words, str) else None, told.get("error_path"))
