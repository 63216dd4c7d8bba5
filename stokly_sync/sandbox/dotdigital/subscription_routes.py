"""Subscription in v2: who is gone since when, and single calls that unsubscribe, resubscribe or suppress.

Belongs here: HTTP in and out of consent outside the contact itself. Source: Dotdigital API contract 2
(lists, subscription).
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.dotdigital.account_routes import old_body
from stokly_sync.sandbox.dotdigital.bodies import whole
from stokly_sync.sandbox.dotdigital.identifiers import is_email
from stokly_sync.sandbox.dotdigital.paging import select_page
from stokly_sync.sandbox.dotdigital.problems import v2
from stokly_sync.sandbox.dotdigital.reading import show_old_contact, show_suppression
from stokly_sync.sandbox.dotdigital.store import Contact
from stokly_sync.sandbox.dotdigital.upserts import GONE, set_status
from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode

if TYPE_CHECKING:
    from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox


class SubscriptionRoutes:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "DotdigitalSandbox") -> None:
        self._system = system

    async def suppressed_since(self, request: Request) -> Response:
        """Everybody who is unsubscribed or suppressed since a date, with the reason."""
        return self._since(request, GONE)

    async def unsubscribed_since(self, request: Request) -> Response:
        """Everybody who is unsubscribed since a date."""
        return self._since(request, ("unsubscribed",))

    async def unsubscribe(self, request: Request) -> Response:
        """Unsubscribe one person by e-mail."""
        contact = self._person(await old_body(request))
        if contact.email_status != "suppressed":
            self._set(contact, "unsubscribed")
        return JsonResponse(show_suppression(contact, self._system.switches.v2_times))

    async def resubscribe(self, request: Request) -> Response:
        """Ask a person by mail whether they want to come back; until then they are pending."""
        return await self._back(request, "pendingOptIn", "ContactChallenged")

    async def resubscribe_at_once(self, request: Request) -> Response:
        """Subscribe a person again without asking."""
        return await self._back(request, "subscribed", "ContactAdded")

    async def suppress(self, request: Request) -> Response:
        """Suppress people by id or e-mail; those not known are listed."""
        try:
            people = decode(await request.body())
        except NotJsonError as error:
            raise v2(400, "ERROR_MALFORMED_REQUEST") from error
        if not isinstance(people, list) or not people or not all(isinstance(one, dict) for one in people):
            raise v2(400, "ERROR_CONTACTS_ARE_NOT_SPECIFIED")
        answer: dict[str, list[Any]] = {"suppressed": [], "notFound": []}
        for one in people:
            contact = self._found(one)
            if contact is not None:
                self._set(contact, "suppressed")
            shown = {"id": one.get("id", 0), "email": one.get("email")}
            answer["notFound" if contact is None else "suppressed"].append(shown)
        return JsonResponse(answer)

    def _since(self, request: Request, statuses: tuple[str, ...]) -> Response:
        edge = _date(request.path_params["date"])
        gone = [
            (contact.removed, contact.contact_id, contact)
            for contact in self._system.store.contacts.values()
            if contact.removed is not None and contact.removed >= edge and contact.email_status in statuses
        ]
        rows = [contact for _, _, contact in sorted(gone, key=lambda row: row[:2])]
        page = select_page(request.query_params, rows)
        return JsonResponse([show_suppression(contact, self._system.switches.v2_times) for contact in page])

    async def _back(self, request: Request, status: str, word: str) -> Response:
        body = await old_body(request)
        contact = self._person(body.get("unsubscribedContact"))
        if contact.email_status == "suppressed":
            raise v2(400, "ERROR_CONTACT_SUPPRESSED")
        self._set(contact, status)
        return JsonResponse({"contact": show_old_contact(contact), "status": word})

    def _person(self, body: Any) -> Contact:
        if not isinstance(body, dict) or not is_email(body.get("email")):
            raise v2(400, "ERROR_INVALID_EMAIL")
        contact = self._found(body)
        if contact is None:
            raise v2(404, "ERROR_CONTACT_NOT_FOUND")
        return contact

    def _found(self, body: dict[str, Any]) -> Contact | None:
        number, email = body.get("id"), body.get("email")
        if whole(number):
            return self._system.store.find("contactId", number)
        return self._system.store.find("email", email) if isinstance(email, str) else None

    def _set(self, contact: Contact, status: str) -> None:
        contact.updated = self._system.clock.now()
        set_status(contact, status, now=contact.updated)
        self._system.touch()


def _date(given: str) -> datetime:
    # A "+" arrives as a space when the caller did not encode it.
    try:
        edge = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError as error:
        raise v2(400, "ERROR_PARAMETER_INVALID") from error
    return edge.replace(tzinfo=UTC) if edge.tzinfo is None else edge
