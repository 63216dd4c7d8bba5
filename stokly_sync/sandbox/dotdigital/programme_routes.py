"""Dispatch mail triggers: events, and programmes with their enrolments.

Belongs here: HTTP in and out of what starts a mail. Source: Dotdigital API contract 4.
"""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stokly_sync.sandbox.dotdigital.account_routes import old_body
from stokly_sync.sandbox.dotdigital.bodies import decoded, whole
from stokly_sync.sandbox.dotdigital.insight import RecordRefused
from stokly_sync.sandbox.dotdigital.paging import select_page
from stokly_sync.sandbox.dotdigital.problems import bad_json, v2
from stokly_sync.sandbox.dotdigital.reading import show_enrolment, show_time
from stokly_sync.sandbox.dotdigital.store import Enrolment, Programme
from stokly_sync.sandbox.kit import JsonResponse

if TYPE_CHECKING:
    from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox

MAX_EVENTS = 5000
LONGEST_TYPE, LONGEST_SUMMARY = 80, 160
MAX_ENROLLED, MAX_LISTS = 25, 10


class ProgrammeRoutes:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "DotdigitalSandbox") -> None:
        self._system = system

    async def programmes(self, request: Request) -> Response:
        """Every programme."""
        page = select_page(request.query_params, list(self._system.store.programmes.values()))
        return JsonResponse([self._shown(programme) for programme in page])

    async def programme(self, request: Request) -> Response:
        """One programme."""
        return JsonResponse(self._shown(self._programme(request.path_params["id"])))

    async def enrol(self, request: Request) -> Response:
        """Enrol up to 25 contacts or 10 lists; at most 20 calls an hour over all programmes."""
        system, body = self._system, await old_body(request)
        programme = self._programme(body.get("programId"))
        if programme.status != "Active":
            raise v2(422, "ERROR_PROGRAM_NOT_ACTIVE")
        people, lists = self._people(body.get("contacts")), self._lists(body.get("addressBooks"))
        if not people and not lists:
            raise v2(400, "ERROR_ENROLMENT_INVALID")
        hour = system.limits.enrolments
        if system.limits.on and hour.used() >= system.switches.enrolments_per_hour:
            raise v2(400, "ERROR_ENROLMENT_ALLOWANCE_EXCEEDED")
        hour.add()
        now = system.clock.now()
        over = now + timedelta(seconds=system.switches.import_delay)
        enrolment = Enrolment(str(uuid.uuid4()), programme.id, people, lists, now, over)
        enrolment.faults = self._enrol(programme, [*people, *self._members(lists)])
        system.store.enrolments[enrolment.id] = enrolment
        system.touch()
        return JsonResponse(show_enrolment(enrolment, finished=False), 201)

    async def enrolment(self, request: Request) -> Response:
        """How an enrolment stands."""
        enrolment = self._enrolment(request)
        return JsonResponse(show_enrolment(enrolment, finished=self._is_over(enrolment)))

    async def faults(self, request: Request) -> Response:
        """Who was not enrolled and why, as CSV; the first reason is spelt as the vendor spells it."""
        enrolment = self._enrolment(request)
        if not self._is_over(enrolment):
            raise v2(400, "ERROR_ENROLMENT_IS_PROCESSING")
        text = "\n".join(["Id,Email,TelephoneNumber,Reason", *enrolment.faults, ""])
        return PlainTextResponse(text, media_type="text/csv")

    async def events(self, request: Request) -> Response:
        """Take 1 to 5000 events; what becomes of them is not told, events of unknown people vanish."""
        system = self._system
        body = decoded(await request.body(), "events")
        if not isinstance(body, list) or not 1 <= len(body) <= MAX_EVENTS:
            raise bad_json("events", ("events", f"1 to {MAX_EVENTS} events are expected"))
        for position, event in enumerate(body):
            wrong = _wrong_member(event)
            if wrong is not None:
                raise bad_json("events", (f"events[{position}].{wrong}", "Invalid value"))
        for event in body:
            try:
                owner = system.writer.owner(event["contactIdentity"])
            except RecordRefused:
                system.store.lost_events += 1
                continue
            received = show_time(system.clock.now())
            system.store.events.append({"eventTimestamp": received, **event, "contactId": owner, "received": received})
        system.touch()
        return Response(status_code=202)

    def _shown(self, programme: Programme) -> dict[str, Any]:
        return {
            "id": programme.id,
            "name": programme.name,
            "status": programme.status,
            "dateCreated": "2020-01-01T09:40:18.527Z",
        }

    def _programme(self, number: Any) -> Programme:
        programme = self._system.store.programmes.get(number) if whole(number) else None
        if programme is None:
            raise v2(404, "ERROR_PROGRAM_NOT_FOUND")
        return programme

    def _people(self, given: Any) -> list[int]:
        if given is None:
            return []
        if not isinstance(given, list) or len(given) > MAX_ENROLLED or not all(map(whole, given)):
            raise v2(400, "ERROR_ENROLMENT_INVALID")
        if any(number not in self._system.store.contacts for number in given):
            raise v2(400, "ERROR_CONTACT_NOT_FOUND")
        return given

    def _lists(self, given: Any) -> list[int]:
        if given is None:
            return []
        if not isinstance(given, list) or len(given) > MAX_LISTS:
            raise v2(400, "ERROR_ADDRESSBOOK_TOOMANY")
        if any(not whole(number) or number not in self._system.store.lists for number in given):
            raise v2(400, "ERROR_ADDRESSBOOK_NOT_FOUND")
        return given

    def _members(self, lists: Iterable[int]) -> list[int]:
        wanted = set(lists)
        return [number for number, contact in self._system.store.contacts.items() if wanted & set(contact.lists)]

    def _enrol(self, programme: Programme, people: Iterable[int]) -> list[str]:
        faults = []
        for number in people:
            contact = self._system.store.contacts[number]
            reason = "AlreadyInProgram" if number in programme.enrolled else None
            if contact.email_status in ("unsubscribed", "suppressed"):
                reason = "Unsubcribed"
            if reason is None:
                programme.enrolled.add(number)
            else:
                names = contact.identifiers
                faults.append(f"{number},{names.get('email', '')},{names.get('mobileNumber', '')},{reason}")
        return faults

    def _enrolment(self, request: Request) -> Enrolment:
        enrolment = self._system.store.enrolments.get(request.path_params["id"])
        if enrolment is None:
            raise v2(404, "ERROR_ENROLMENT_NOT_FOUND")
        return enrolment

    def _is_over(self, enrolment: Enrolment) -> bool:
        return self._system.clock.now() >= enrolment.over


def _wrong_member(event: Any) -> str | None:
    """The first member of an event that is not of the documented form."""
    if not isinstance(event, dict) or not isinstance(event.get("contactIdentity"), dict):
        return "contactIdentity"
    kind, timeline = event.get("type"), event.get("timelineDetails", {"summary": "none"})
    if not isinstance(kind, str) or not 1 <= len(kind) <= LONGEST_TYPE:
        return "type"
    summary = timeline.get("summary") if isinstance(timeline, dict) else None
    if not isinstance(summary, str) or not 1 <= len(summary) <= LONGEST_SUMMARY:
        return "timelineDetails"
    if not isinstance(event.get("id", ""), str):
        return "id"
    return None if isinstance(event.get("eventData", {}), dict) else "eventData"
