"""Insight data in v3: collections, their records for the account and for contacts, imports and jobs.

Belongs here: HTTP in and out. Rules on a record are in `insight` and `schema`, on imports in `imports`.
Source: Dotdigital API contract 3 (insight data) and 6 (read-back).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.dotdigital.bodies import decoded
from stokly_sync.sandbox.dotdigital.identifiers import contact_at
from stokly_sync.sandbox.dotdigital.imports import check_collection
from stokly_sync.sandbox.dotdigital.insight import COLLECTION_NAME, RecordRefused
from stokly_sync.sandbox.dotdigital.jobs import Kind
from stokly_sync.sandbox.dotdigital.paging import marker_page, since
from stokly_sync.sandbox.dotdigital.problems import bad_json, invalid_id, v3
from stokly_sync.sandbox.dotdigital.reading import show_collection, show_record
from stokly_sync.sandbox.dotdigital.schema import show
from stokly_sync.sandbox.dotdigital.store import Collection, InsightRecord
from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode

if TYPE_CHECKING:
    from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox

SERVICE = "insightData"
MAX_KEYS = 5000


class InsightRoutes:
    """The handlers, bound to one sandbox; a path with an identifier is about one contact's records."""

    def __init__(self, system: "DotdigitalSandbox") -> None:
        self._system = system

    async def start_import(self, request: Request) -> Response:
        """Take a bulk import, which makes the collection if it is missing (section 3)."""
        return JsonResponse({"importId": self._system.imports.accept_insight(await request.body())}, 202)

    async def import_status(self, request: Request) -> Response:
        """How an import stands."""
        return self._status(request, "insight", "importId", "importNotFound")

    async def job_status(self, request: Request) -> Response:
        """How the emptying or deletion of a collection stands."""
        return self._status(request, "collection", "jobId", "asyncJobNotFound")

    async def collections(self, _request: Request) -> Response:
        """Every collection with its number of records."""
        return JsonResponse([self._summary(one) for one in self._system.store.collections.values()])

    async def account_collections(self, _request: Request) -> Response:
        """The collections of the account alone."""
        rows = [one for one in self._system.store.collections.values() if one.scope == "account"]
        return JsonResponse([self._summary(one) for one in rows])

    async def contact_collections(self, request: Request) -> Response:
        """The collections in which one contact has records, with their number."""
        owner = self._owner(request)
        counted = (
            (one, sum(row.owner == owner for row in one.records.values()))
            for one in self._system.store.collections.values()
            if one.scope == "contact"
        )
        return JsonResponse([show_collection(one, count) for one, count in counted if count])

    async def create(self, request: Request) -> Response:
        """Create an empty collection: 201, 200 if it was there, 412 at the account's limit."""
        store, query = self._system.store, request.query_params
        name, scope, kind = request.path_params["collection"], query.get("collectionScope"), query.get("collectionType")
        check_collection(name, scope, kind)
        if name in store.collections:
            return Response(status_code=200)
        if len(store.collections) >= self._system.switches.collections:
            return Response(status_code=412)
        store.collections[name] = Collection(name, str(scope), str(kind))
        self._system.touch()
        return Response(status_code=201)

    async def drop(self, request: Request) -> Response:
        """Take the order to delete a collection with everything in it."""
        collection = self._collection(request, scope=None)
        return JsonResponse({"jobId": self._system.imports.accept_collection(collection.name, drop=True)}, 202)

    async def empty(self, request: Request) -> Response:
        """Take the order to empty a collection, of all contacts or of one."""
        collection = self._collection(request, scope="contact" if "identifier" in request.path_params else None)
        number = self._system.imports.accept_collection(collection.name, owner=self._owner(request))
        return JsonResponse({"jobId": number}, 202)

    async def schema(self, request: Request) -> Response:
        """The types that a collection's first values fixed."""
        collection = self._collection(request, scope=None)
        fields = [{"name": "json", "mode": "NULLABLE", "type": "RECORD", "fields": show(collection.schema)}]
        shown = {"collectionName": collection.name, "collectionType": collection.type, "schema": fields}
        return JsonResponse(shown)

    async def records(self, request: Request) -> Response:
        """A page of records, of the account or of one contact."""
        collection, owner = self._collection(request), self._owner(request)
        return self._page(request, ((key, row) for key, row in collection.records.items() if row.owner == owner))

    async def all_contacts_records(self, request: Request) -> Response:
        """A page of the records of all contacts."""
        return self._page(request, self._collection(request, scope="contact").records.items())

    async def record(self, request: Request) -> Response:
        """One record."""
        return JsonResponse(show_record(*self._record(request)))

    async def put(self, request: Request) -> Response:
        """Create or replace one record: 201 or 204; never makes a collection (section 3)."""
        system, owner, collection = self._system, self._owner(request), self._collection(request)
        body = decoded(await request.body(), SERVICE)
        if isinstance(body, str):
            try:
                body = decode(body.encode())
            except NotJsonError as error:
                raise bad_json(SERVICE) from error
        key, now = request.path_params["record"], system.clock.now()
        try:
            fresh = system.writer.write(collection, key, body, owner=owner, now=now, merge=False)
        except RecordRefused as refused:
            raise bad_json(SERVICE, (refused.detail, refused.reason)) from refused
        system.touch()
        return Response(status_code=201 if fresh else 204)

    async def delete(self, request: Request) -> Response:
        """Delete one record."""
        key, _ = self._record(request)
        del self._collection(request).records[key]
        self._system.touch()
        return Response(status_code=204)

    async def delete_records(self, request: Request) -> Response:
        """Delete 1 to 5000 records by key and say which were not there."""
        collection, owner = self._collection(request), self._owner(request)
        body = decoded(await request.body(), SERVICE)
        keys = body.get("keys") if isinstance(body, dict) else None
        if (
            not isinstance(keys, list)
            or not 1 <= len(keys) <= MAX_KEYS
            or not all(isinstance(key, str) for key in keys)
        ):
            raise v3(400, "insightData:noRecordsSpecified", f"Specify 1 to {MAX_KEYS} keys of records to be deleted.")
        missing = []
        for key in keys:
            row = collection.records.get(key)
            if row is None or row.owner != owner:
                missing.append(key)
            else:
                del collection.records[key]
        self._system.touch()
        done = {"totalRecords": len(keys), "totalDeleted": len(keys) - len(missing), "totalNotFound": len(missing)}
        return JsonResponse({"summary": done, "notFound": missing, "failures": []})

    def _status(self, request: Request, kind: Kind, name: str, code: str) -> Response:
        number = request.path_params["id"]
        job = self._system.jobs.find(kind, number)
        if job is None:
            raise v3(404, f"insightData:{code}", f"The job '{number}' could not be found!")
        return JsonResponse({name: job.id, "status": self._system.jobs.status(job), **job.result})

    def _summary(self, collection: Collection) -> dict[str, Any]:
        return show_collection(collection, self._system.record_count(collection))

    def _page(self, request: Request, rows: Iterable[tuple[str, InsightRecord]]) -> Response:
        edge = since(request.query_params, "~modified", SERVICE)
        wanted = ((row.number, (key, row)) for key, row in rows if edge is None or row.updated >= edge)
        page, links = marker_page(request, wanted, SERVICE)
        return JsonResponse({"_items": [show_record(key, row) for key, row in page], "_links": links})

    def _owner(self, request: Request) -> int | None:
        path = request.path_params
        if "identifier" not in path:
            return None
        return contact_at(self._system.store, SERVICE, path["identifier"], path["value"]).contact_id

    def _collection(self, request: Request, *, scope: str | None = "path") -> Collection:
        """The collection in the path; `scope` "path" means the one that the path speaks of, None any."""
        name = request.path_params["collection"]
        if scope == "path":
            scope = "contact" if "identifier" in request.path_params else "account"
        if not COLLECTION_NAME.fullmatch(name):
            raise invalid_id(SERVICE, "collectionName", name)
        collection = self._system.store.collections.get(name)
        if collection is None or scope not in (None, collection.scope):
            text = "The collection could not be found"
            raise v3(404, "insightData:collectionNotFound", text, (name, "Not found"))
        return collection

    def _record(self, request: Request) -> tuple[str, InsightRecord]:
        owner, collection, key = self._owner(request), self._collection(request), request.path_params["record"]
        row = collection.records.get(key)
        if row is None or row.owner != owner:
            where = f"Not found in the collection '{collection.name}'"
            raise v3(404, "insightData:recordNotFound", "The Insight data record could not be found", (key, where))
        return key, row
