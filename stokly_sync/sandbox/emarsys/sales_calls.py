"""The Sales Data API's one route: a raw CSV body under a token of its own, answered in plain text.

Belongs here: HTTP in and out, and the answers that come late or never although the lines were taken. A
connection cut before or after is a kit fault. Texts of failures and 415 are not documented.
Source: Emarsys API contract 2.1 (request), 2.5 (response).
"""

import asyncio
import hmac
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from stokly_sync.sandbox.emarsys.csv_text import CsvError
from stokly_sync.sandbox.emarsys.sales import take_upload

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox


def sales_routes(system: "EmarsysSandbox") -> list[Route]:
    """The route of `POST /hapi/merchant/{merchant}/sales-data/api`."""

    async def upload(request: Request) -> Response:
        merchant = request.path_params["merchant"]
        if not _is_allowed(system, merchant, request.headers.get("Authorization", "")):
            return PlainTextResponse("Unauthorized\n", 401)
        if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "text/csv":
            return PlainTextResponse("Content-Type must be text/csv\n", 415)
        try:
            take_upload(system, merchant, await request.body())
        except CsvError as error:
            return PlainTextResponse(f"{error}\n", 400)
        await _wait(system, request)
        return PlainTextResponse("Upload accepted\n")

    return [Route("/hapi/merchant/{merchant}/sales-data/api", upload, methods=["POST"])]


def _is_allowed(system: "EmarsysSandbox", merchant: str, header: str) -> bool:
    scheme, _, token = header.partition(" ")
    expected = system.switches.merchants.get(merchant)
    known = expected is not None and hmac.compare_digest(token.strip().encode(), expected.encode())
    return scheme.lower() == "bearer" and known


async def _wait(system: "EmarsysSandbox", request: Request) -> None:
    """Hold back the answer as the switches say, at the longest until the caller has gone."""
    switches = system.switches
    if switches.sales_reply == "prompt" or switches.sales_reply_times == 0:
        return
    if switches.sales_reply_times is not None:
        switches.sales_reply_times -= 1
    patience = switches.sales_late_by if switches.sales_reply == "late" else None
    try:
        async with asyncio.timeout(patience):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return
