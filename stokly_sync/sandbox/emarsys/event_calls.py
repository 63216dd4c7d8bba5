"""The calls about external events: listing, making and triggering them.

Belongs here: what is checked before a trigger counts, and which trigger ids were seen. A trigger that
reaches nobody (5005) is not remembered, so that it may be sent again. That template variables and section
groups exclude each other is not checked: the vendor's code for it is not known.
Source: Emarsys API contract 1.8.
"""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.emarsys.envelope import (
    Errors,
    RefusedError,
    RowError,
    as_text,
    body_object,
    reply,
    with_errors,
)
from stokly_sync.sandbox.emarsys.guard import Row
from stokly_sync.sandbox.emarsys.keys import BATCH, call_key, key_value, only_one
from stokly_sync.sandbox.emarsys.store import Event, Trigger
from stokly_sync.sandbox.kit import encode

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

PAYLOAD_BYTES = 1_000_000
DATA_BYTES = 100_000

_EVENT_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.000)?Z")


class EventCalls:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "EmarsysSandbox") -> None:
        self._system = system

    def table(self) -> list[Row]:
        """Their routes."""
        return [
            ("GET", "/event", "event.list", self.events),
            ("POST", "/event", "event.create", self.create),
            ("GET", "/event/{id}", "event.get", self.event),
            ("GET", "/event/{id}/usages", "event.get", self.usages),
            ("POST", "/event/{id}/trigger", "event.trigger", self.trigger),
        ]

    async def events(self, _request: Request) -> Response:
        """Every event."""
        return reply([_shown(event) for event in self._system.store.events.values()])

    async def event(self, request: Request) -> Response:
        """One event, in an array of one as in the vendor's collection."""
        return reply([_shown(self._event(request))])

    async def usages(self, request: Request) -> Response:
        """What listens to an event."""
        event = self._event(request)
        programs = [] if self._system.switches.nobody_listens else [event.id]
        return reply({"program_ids": programs, "email_ids": [], "interactions_program_ids": []})

    async def create(self, request: Request) -> Response:
        """Make an event: 5002 without a name, 5003 if it is taken."""
        system = self._system
        name = (await body_object(request)).get("name")
        if not isinstance(name, str) or not name.strip():
            raise RefusedError(5002, "The name of the event is missing.")
        if any(event.name == name for event in system.store.events.values()):
            raise RefusedError(5003, "An event of that name exists.")
        number = system.store.next_id()
        system.store.events[number] = Event(number, name, system.clock.now())
        system.touch()
        return reply({"id": number, "name": name})

    async def trigger(self, request: Request) -> Response:
        """Trigger an event for one contact or, with `contacts`, for up to 1,000."""
        system = self._system
        event = self._event(request)
        if len(await request.body()) > PAYLOAD_BYTES:
            raise RefusedError(5008, "The payload exceeds 1 MB.")
        body = await body_object(request)
        key = call_key(system, body.get("key_id"))
        rows = body.get("contacts")
        if rows is not None and (not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows)):
            raise RefusedError(10001, "contacts must be an array of objects.")
        if rows is not None and len(rows) > BATCH:
            raise RefusedError(1000, f"Batch size limit of {BATCH} contacts exceeded.")
        for row in rows if rows is not None else [body]:
            self._check(row)
        if rows is None:
            return self._single(event, key, body)
        return self._batch(event, key, rows)

    def _single(self, event: Event, key: str, body: dict[str, Any]) -> Response:
        try:
            found = self._trigger_of(event, key, body)
        except RowError as error:
            raise RefusedError(error.code, error.text) from error
        self._refuse_unheard()
        self._keep(event, found)
        return reply(self._connected())

    def _batch(self, event: Event, key: str, rows: list[dict[str, Any]]) -> Response:
        self._refuse_unheard()
        ids: list[str] = []
        errors: Errors = {}
        for row in rows:
            try:
                found = self._trigger_of(event, key, row)
            except RowError as error:
                errors[as_text(row.get("external_id")) or ""] = error.entry()
            else:
                self._keep(event, found)
                ids.append(str(found.contact_id))
        shown = with_errors({"ids": ids}, errors, empty=self._system.switches.empty_errors)
        return reply({**shown, **self._connected()})

    def _check(self, row: dict[str, Any]) -> None:
        """What makes the whole call fail, whichever row it is in."""
        given = row.get("event_time")
        if given is not None and not _is_event_time(given):
            raise RefusedError(5010, "event_time must be YYYY-MM-DDTHH:MM:SSZ.")
        data = row.get("data")
        if data is not None and not isinstance(data, dict):
            raise RefusedError(5011, "data must be an object.")
        advanced = self._system.switches.advanced_events
        if data is not None and advanced and len(encode(data)) > DATA_BYTES:
            raise RefusedError(5008, "The event data exceed 100 kB.")

    def _trigger_of(self, event: Event, key: str, row: dict[str, Any]) -> Trigger:
        value = key_value(key, row.get("external_id"))
        contact = only_one(self._system, key, value)
        name = as_text(row.get("trigger_id"))
        data = {member: held for member, held in (row.get("data") or {}).items() if member != "ems_event_time"}
        return Trigger(
            event_id=event.id,
            contact_id=contact.id,
            external_id=value,
            trigger_id=name,
            event_time=row.get("event_time"),
            data=data,
            at=self._system.clock.now(),
            dropped=name is not None and name in event.seen,
        )

    def _keep(self, event: Event, trigger: Trigger) -> None:
        if trigger.trigger_id is not None:
            event.seen.add(trigger.trigger_id)
        self._system.store.triggers.append(trigger)
        self._system.touch()

    def _refuse_unheard(self) -> None:
        switches = self._system.switches
        if switches.nobody_listens and not switches.advanced_events:
            raise RefusedError(5005, "No program or campaign is triggered.")

    def _connected(self) -> dict[str, Any]:
        switches = self._system.switches
        if not switches.advanced_events:
            return {}
        listening = {"email": False, "acProgram": True, "interactionsProgram": False}
        return {"connectedTo": False if switches.nobody_listens else listening}

    def _event(self, request: Request) -> Event:
        given: str = request.path_params["id"]
        number = int(given) if given.isascii() and given.isdecimal() else -1
        found = self._system.store.events.get(number)
        if found is None:
            raise RefusedError(5001, "Invalid event ID.")
        return found


def _shown(event: Event) -> dict[str, Any]:
    return {"id": str(event.id), "name": event.name, "created": event.created.strftime("%Y-%m-%d %H:%M:%S")}


def _is_event_time(given: Any) -> bool:
    if not isinstance(given, str) or not _EVENT_TIME.fullmatch(given):
        return False
    try:
        datetime.fromisoformat(given)
    except ValueError:
        return False
    return True
