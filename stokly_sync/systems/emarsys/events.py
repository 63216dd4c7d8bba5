"""Sending dispatches as external events: the vendor drops a trigger id that it has seen, so sending again is harmless.

Source: Emarsys API contract 1.8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.emarsys.client import EmarsysClient, row_errors
from stokly_sync.systems.emarsys.rules import EVENT_UNHEARD, REJECTED
from stokly_sync.systems.emarsys.setup import EMAIL, event_of, fields_of
from stokly_sync.systems.transport import decode


def trigger_id(dispatch: str) -> str:
    """The vendor's trigger id of a dispatch: the same for ever, whatever is sent again."""
    return f"stokly-dispatch-{dispatch}"


def send_events(client: EmarsysClient, batch: Sequence[Record]) -> list[Outcome]:
    """Trigger the event for one batch of dispatches; a contact's error is that of each of its dispatches."""
    by_id = client.settings.id_field_indexed
    told = {record.key: decode(record.document) for record in batch}
    names = {key: str(body["customer" if by_id else "email"]) for key, body in told.items()}
    event = event_of(client)
    body = {
        "key_id": fields_of(client).customer if by_id else EMAIL,
        "contacts": [_row(key, names[key], one) for key, one in told.items()],
    }
    data = client.ask("POST", f"/event/{event}/trigger", body)
    failed = row_errors(data)
    unheard = isinstance(data, Mapping) and data.get("connectedTo") is False
    return [_outcome(key, failed.get(name), unheard=unheard) for key, name in names.items()]


def _row(key: str, name: str, body: Json) -> Json:
    return {
        "external_id": name,
        "trigger_id": trigger_id(key),
        "event_time": body["at"],
        "data": {"global": body["told"]},
    }


def _outcome(key: str, failed: tuple[str, str] | None, *, unheard: bool) -> Outcome:
    if failed is not None:
        return Outcome(key, State.REJECTED, f"{failed[0]}: {failed[1]}", rule=REJECTED.code)
    if unheard:
        return Outcome(key, State.REJECTED, "nothing listens to the event", rule=EVENT_UNHEARD.code)
    return Outcome(key, State.ACCEPTED, receipt=trigger_id(key))
