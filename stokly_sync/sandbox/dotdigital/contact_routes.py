"""Contacts in v3: one by any identifier, all by pages, and the imports and bulk deletes.

Belongs here: HTTP in and out. Rules on a contact are in `upserts`, on imports in `imports` and
`contact_import`. Source: Dotdigital API contract 2 (contacts) and 6 (read-back).
"""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.dotdigital.bodies import MERGE_IN_PATCH, check_contact, consents_are_good, decoded
from stokly_sync.sandbox.dotdigital.identifiers import check_path, contact_at
from stokly_sync.sandbox.dotdigital.paging import bad_filter, marker_page, since
from stokly_sync.sandbox.dotdigital.problems import ProblemError, bad_json, invalid_id, v3
from stokly_sync.sandbox.dotdigital.reading import PARTS, show_contact, wanted_fields
from stokly_sync.sandbox.dotdigital.store import Contact, Record
from stokly_sync.sandbox.kit import JsonResponse

if TYPE_CHECKING:
    from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox

SERVICE = "contacts"


class ContactRoutes:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "DotdigitalSandbox") -> None:
        self._system = system

    async def contacts(self, request: Request) -> Response:
        """A page of contacts in ascending order of their ids (section 6)."""
        store, query = self._system.store, request.query_params
        parts = [part for part in query.get("include", "").replace(",", "|").split("|") if part]
        if set(parts) - set(PARTS):
            raise bad_filter(SERVICE, query["include"])
        rows = ((contact.contact_id, contact) for contact in self._selected(request))
        page, links = marker_page(request, rows, SERVICE)
        fields = wanted_fields(query.get("data-fields"))
        items = [show_contact(store, contact, fields=fields, parts=parts) for contact in page]
        return JsonResponse({"_items": items, "_links": links})

    async def contact(self, request: Request) -> Response:
        """One contact with all there is about it."""
        return self._shown(self._addressed(request))

    async def create(self, request: Request) -> Response:
        """Create a contact; 409 if anybody has one of its identifiers."""
        body = check_contact(decoded(await request.body(), SERVICE), required=("identifiers",))
        given = body["identifiers"]
        if "contactId" in given:
            raise invalid_id(SERVICE, "contactId", str(given["contactId"]))
        self._check(body, given, None)
        return self._shown(self._created(body, given), 201)

    async def patch(self, request: Request) -> Response:
        """Upsert one contact with only the fields that are sent; the answer says whether it was new."""
        system, path = self._system, request.path_params
        merge = MERGE_IN_PATCH.get(request.query_params.get("merge-option", "overwrite"))
        if merge is None:
            raise bad_json(SERVICE, ("merge-option", "Invalid value"))
        name, value = path["identifier"], path["value"]
        check_path(system.store, SERVICE, name, value)
        contact = system.store.find(name, value)
        # A server's id is only given out, so nobody can be created under one.
        if contact is None and name == "contactId":
            raise invalid_id(SERVICE, name, value)
        body = check_contact(decoded(await request.body(), SERVICE))
        given = {**({} if contact is not None else {name: value}), **(body.get("identifiers") or {})}
        self._check(body, given, contact)
        if contact is None:
            return self._shown(self._created(body, given), 201)
        system.upserts.update(contact, body, given, merge=merge, now=system.clock.now())
        system.touch()
        return self._shown(contact)

    async def replace(self, request: Request) -> Response:
        """Put a body in place of a whole contact; what it omits is lost."""
        system, contact = self._system, self._addressed(request)
        body = check_contact(decoded(await request.body(), SERVICE), required=("identifiers",))
        self._check(body, body["identifiers"], contact)
        system.upserts.replace(contact, body, body["identifiers"], now=system.clock.now())
        system.touch()
        return self._shown(contact)

    async def delete(self, request: Request) -> Response:
        """Delete one contact, and the insight records that it owns."""
        contact = self._addressed(request)
        self._system.store.remove([contact])
        self._system.touch()
        return JsonResponse({"contactId": contact.contact_id})

    async def start_import(self, request: Request) -> Response:
        """Take a bulk import (section 2)."""
        return JsonResponse({"importId": self._system.imports.accept_contacts(await request.body())}, 202)

    async def import_status(self, request: Request) -> Response:
        """How an import stands; its report is there once it has finished."""
        number = request.path_params["id"]
        job = self._system.jobs.find("contacts", number)
        if job is None:
            raise v3(404, "contacts:importNotFound", f"The import request '{number}' could not be found!")
        return JsonResponse({"importId": job.id, "status": self._system.jobs.status(job), **job.result})

    async def start_delete(self, request: Request) -> Response:
        """Take a bulk delete."""
        return JsonResponse({"deleteId": self._system.imports.accept_delete(await request.body())}, 202)

    async def delete_status(self, request: Request) -> Response:
        """How a bulk delete stands."""
        number = request.path_params["id"]
        job = self._system.jobs.find("delete", number)
        if job is None:
            raise v3(404, "contacts:importNotFound", f"The import request '{number}' could not be found!")
        return JsonResponse({"deleteId": job.id, "status": self._system.jobs.status(job), **job.result})

    def _selected(self, request: Request) -> list[Contact]:
        query = request.query_params
        if {"~created", "~modified"} <= set(query) or {"~listId", "~segmentId"} <= set(query):
            raise bad_filter(SERVICE, "one of two filters at a time")
        created, modified = since(query, "~created", SERVICE), since(query, "~modified", SERVICE)
        on_list = query.get("~listId")
        if (on_list is not None and not on_list.isdecimal()) or "~segmentId" in query:
            raise bad_filter(SERVICE, on_list or query["~segmentId"])
        return [
            contact
            for contact in self._system.store.contacts.values()
            if (created is None or contact.created >= created)
            and (modified is None or contact.updated >= modified)
            and (on_list is None or int(on_list) in contact.lists)
        ]

    def _addressed(self, request: Request) -> Contact:
        path = request.path_params
        return contact_at(self._system.store, SERVICE, path["identifier"], path["value"])

    def _created(self, body: Record, given: dict[str, Any]) -> Contact:
        contact = self._system.upserts.create(body, given, now=self._system.clock.now())
        self._system.touch()
        return contact

    def _check(self, body: Record, given: dict[str, Any], contact: Contact | None) -> None:
        """Refuse values that cannot be stored, and identifiers of others."""
        upserts = self._system.upserts
        if upserts.identifier_failure(given) is not None:
            name = next(key for key, value in given.items() if upserts.identifier_failure({key: value}))
            raise invalid_id(SERVICE, name, str(given[name]))
        taken = upserts.taken(given, contact)
        if taken is not None:
            text = f"The id value '{given[taken]}' for the identifier '{taken}' already exists."
            raise v3(409, "contacts:idAlreadyExists", f"{text} All identifiers must be unique!")
        if "consentRecords" in body and not consents_are_good(body["consentRecords"]):
            raise bad_json(SERVICE, ("consentRecords", "Invalid value"))
        wrong_field = upserts.field_failure(body)
        if self._system.switches.unknown_field == "report" and wrong_field is not None:
            wrong_field = None if wrong_field["failureCode"] == "dataFieldNotFound" else wrong_field
        self._refuse(wrong_field or upserts.list_failure(body))

    def _refuse(self, wrong: dict[str, str] | None) -> None:
        """400 with the code that an import would report; the contract names none for single calls."""
        if wrong is not None:
            problem: ProblemError = v3(400, f"contacts:{wrong['failureCode']}", wrong["description"])
            raise problem

    def _shown(self, contact: Contact, status: int = 200) -> Response:
        return JsonResponse(show_contact(self._system.store, contact, fields=None), status)
