"""Pages and filters: markers and `~modified` in v3, `select` and `skip` in v2.

Belongs here: reading query parameters and cutting rows. Source: Dotdigital API contract 6 (read-back).
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from starlette.requests import Request

from stokly_sync.sandbox.dotdigital.problems import ProblemError, v2, v3

T = TypeVar("T")

MAX_LIMIT = 5000
MAX_SELECT = 1000
_SINCE = re.compile(r"gte::\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z")


def bad_filter(service: str, value: str) -> ProblemError:
    """400: a query parameter that cannot be read."""
    return v3(400, f"{service}:invalidFilter", f"The filter value '{value}' is invalid")


def since(query: Mapping[str, str], name: str, service: str) -> datetime | None:
    """The instant of `gte::2026-01-01T00:00:00Z`, which is the only form taken.

    Raises:
        ProblemError: 400 `<service>:invalidFilter`.
    """
    given = query.get(name)
    if given is None:
        return None
    if not _SINCE.fullmatch(given):
        raise bad_filter(service, given)
    try:
        return datetime.fromisoformat(given.removeprefix("gte::"))
    except ValueError as error:
        raise bad_filter(service, given) from error


def marker_page(request: Request, rows: Iterable[tuple[int, T]], service: str) -> tuple[list[T], dict[str, Any]]:
    """One page of numbered rows in ascending order, and its `_links`; `next` is absent on the last page.

    Raises:
        ProblemError: 400 `<service>:invalidFilter` for a limit outside 1 to 5000 or an unknown marker.
    """
    query = request.query_params
    limit = _limit(query.get("limit"), service)
    after = _number(query.get("marker"), service)
    page = list(islice((row for row in rows if row[0] > after), limit + 1))
    more = len(page) > limit
    page = page[:limit]
    links = {"self": _link(request, after), "first": _link(request, 0)}
    if more:
        links["next"] = _link(request, page[-1][0])
    return [row for _, row in page], links


def _limit(given: str | None, service: str) -> int:
    if given is None:
        return MAX_LIMIT
    if not given.isdecimal() or not 1 <= int(given) <= MAX_LIMIT:
        raise bad_filter(service, given)
    return int(given)


def _number(marker: str | None, service: str) -> int:
    if not marker:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(marker).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise bad_filter(service, marker) from error
    if word != "after" or not number.isdecimal():
        raise bad_filter(service, marker)
    return int(number)


def _link(request: Request, after: int) -> dict[str, str]:
    marker = base64.urlsafe_b64encode(f"after:{after}".encode()).decode()
    return {"marker": marker, "link": str(request.url.include_query_params(marker=marker))}


def select_page(query: Mapping[str, str], rows: Sequence[T]) -> list[T]:
    """One v2 page: `select` 1 to 1000 (default 1000), `skip` from 0.

    Raises:
        ProblemError: 400 `ERROR_PARAMETER_INVALID`.
    """
    select, skip = query.get("select", str(MAX_SELECT)), query.get("skip", "0")
    if not select.isdecimal() or not skip.isdecimal() or not 1 <= int(select) <= MAX_SELECT:
        raise v2(400, "ERROR_PARAMETER_INVALID")
    return list(rows[int(skip) : int(skip) + int(select)])
