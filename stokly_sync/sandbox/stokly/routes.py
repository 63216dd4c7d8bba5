"""Stokly's calls as Starlette routes: who may call, which list or record is meant, what is answered.

Belongs here: the order of refusals (rate, token, permission, path, query) and one route for every list,
sub-list and detail that `top_level` and `sublists` declare. Every answer, errors too, carries
`x-ratelimit-remaining`. Source: Stokly API contract 1.1, 2, 3.0, 5.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.kit import FixedWindow, JsonResponse
from stokly_sync.sandbox.stokly.bodies import RefusedWriteError
from stokly_sync.sandbox.stokly.disturbances import Pages
from stokly_sync.sandbox.stokly.filters import InvalidFilterError
from stokly_sync.sandbox.stokly.grant import Grants, RefusedError
from stokly_sync.sandbox.stokly.paging import BadQueryError, ListQuery, Lists, Page, cut, read_query, select
from stokly_sync.sandbox.stokly.schema import Collection, Kind, SubList
from stokly_sync.sandbox.stokly.shapes import Shaper
from stokly_sync.sandbox.stokly.store import Store, UnknownRecordError
from stokly_sync.sandbox.stokly.sublists import SUBLISTS
from stokly_sync.sandbox.stokly.switches import StoklySwitches
from stokly_sync.sandbox.stokly.top_level import COLLECTIONS, UNLISTED
from stokly_sync.sandbox.stokly.write_routes import Writes

REMAINING = "x-ratelimit-remaining"

Answer = Callable[[Request], Awaitable[Response]]
Work = Callable[[Request, bytes], Response]


class Api:
    """The calls of one account; `routes` is what the server mounts."""

    def __init__(
        self,
        *,
        store: Store,
        grants: Grants,
        limiter: FixedWindow,
        switches: StoklySwitches,
        shaper: Shaper,
        pages: Pages,
        touched: Callable[[], None],
    ) -> None:
        self._store = store
        self._grants = grants
        self._limiter = limiter
        self._switches = switches
        self._shaper = shaper
        self._pages = pages
        self._touched = touched
        self._lists = Lists()

    def routes(self) -> list[Route]:
        """The grant, every declared list, detail and sub-list, and a 404 for everything else."""
        routes = [self._route("/v1/grant", self._grant, method="POST", secured=False)]
        for collection in COLLECTIONS.values():
            if collection.name not in UNLISTED:
                routes.append(self._route(collection.path, self._list(collection)))
            if collection.detail:
                routes.append(self._route(f"{collection.path}/{{id}}", self._detail(collection)))
        for method, path, work in Writes(store=self._store, switches=self._switches, touched=self._touched).routes():
            routes.append(self._route(path, work, method=method))
        for sublist in SUBLISTS:
            path = f"{COLLECTIONS[sublist.parent].path}/{{id}}/{sublist.name}"
            routes.append(self._route(path, self._sublist(sublist)))
        everything = self._guarded(self._no_such_path, secured=True)
        routes.append(Route("/{path:path}", everything, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
        return routes

    def _route(self, path: str, work: Work, *, method: str = "GET", secured: bool = True) -> Route:
        return Route(path, self._guarded(work, secured=secured), methods=[method])

    def _guarded(self, work: Work, *, secured: bool) -> Answer:
        async def answer(request: Request) -> Response:
            body = await request.body()
            self._limiter.on, self._limiter.limit = self._switches.limits, self._switches.limit
            taken = self._limiter.take()
            if taken.allowed:
                response = self._judged(work, request, body, secured=secured)
            else:
                wait = max(1, -int(-taken.retry_after // 1))
                response = _refusal(429, "Too many requests", {"retry-after": str(wait)})
            response.headers[REMAINING] = str(taken.remaining)
            return response

        return answer

    def _judged(self, work: Work, request: Request, body: bytes, *, secured: bool) -> Response:
        try:
            if secured:
                self._grants.check(request.headers.get("authorization"))
                if any(request.url.path.startswith(prefix) for prefix in self._switches.denied_paths):
                    return _refusal(403, "You do not have permission to do this")
            if self._store.settle():
                self._touched()
            return work(request, body)
        except RefusedError as error:
            return _refusal(401, str(error))
        except InvalidFilterError:
            return _refusal(400, "Invalid filter")
        except RefusedWriteError as error:
            return _refusal(error.status, str(error))
        except BadQueryError as error:
            return _refusal(400, str(error))
        except UnknownRecordError:
            return _refusal(404, "Not found")

    def _grant(self, _request: Request, body: bytes) -> Response:
        granted = self._grants.grant(body, lifetime=self._switches.token_lifetime)
        result = {"accessToken": granted.token, "expiry": granted.expiry}
        return JsonResponse({"data": {"authenticationResult": result}})

    def _no_such_path(self, _request: Request, _body: bytes) -> Response:
        return _refusal(404, "Not found")

    def _list(self, collection: Collection) -> Work:
        name = collection.name

        def work(request: Request, _body: bytes) -> Response:
            self._refuse_absent(name)
            query = self._query(request)
            page = self._lists.page(
                name, self._store.rows(name), self._store.versions[name], query, self._askable(collection)
            )
            response = self._envelope(name, self._shaper.collection(name, page.rows), page)
            if self._pages.served(name, self._store):
                self._touched()
            return response

        return work

    def _detail(self, collection: Collection) -> Work:
        name = collection.name

        def work(request: Request, _body: bytes) -> Response:
            self._refuse_absent(name)
            row = self._store.get(name, request.path_params["id"])
            return JsonResponse({"data": self._shaper.collection(name, [row], detail=True)[0]})

        return work

    def _sublist(self, sublist: SubList) -> Work:
        name = sublist.store_name

        def work(request: Request, _body: bytes) -> Response:
            self._refuse_absent(sublist.parent, sublist.of or sublist.name, name)
            parent = request.path_params["id"]
            self._store.get(sublist.parent, parent)
            query = self._query(request)
            chosen = select(self._store.children(name, parent), query, sublist.members)
            page = cut(chosen, query)
            return self._envelope(name, self._shaper.sublist(name, page.rows), page)

        return work

    def _envelope(self, name: str, rows: list[dict[str, Any]], page: Page) -> Response:
        if name in self._switches.duplicate_rows and rows:
            rows = [*rows, rows[0]]
        return JsonResponse({"metadata": {"count": page.count}, "data": rows})

    def _query(self, request: Request) -> ListQuery:
        return read_query(request.query_params, switches=self._switches)

    def _askable(self, collection: Collection) -> Mapping[str, Kind]:
        """The members that a filter may name now."""
        can_ask = collection.name in self._switches.updated_at_filters
        if collection.name == "customers" and not self._switches.customers_updated_at:
            can_ask = False
        if can_ask or "updatedAt" not in collection.members:
            return collection.members
        return {name: kind for name, kind in collection.members.items() if name != "updatedAt"}

    def _refuse_absent(self, *names: str) -> None:
        absent = self._switches.absent_endpoints
        if any(name in absent for name in names):
            raise UnknownRecordError("This endpoint is switched off.")


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JsonResponse({"message": message}, status, headers)
