"""The envelope of every Core API answer, and the refusals that come in it.

Belongs here: reply codes as a table and how an answer is wrapped. Which rule leads to which code is said
where the rule is. Source: Emarsys API contract 1.5 (envelope), 1.6 to 1.9 (codes).
"""

from collections.abc import Mapping
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.kit import JsonResponse, NotJsonError, decode

Errors = dict[str, dict[str, str]]
"""Row key -> {reply code: text}, as in `data.errors`."""

INSIDE_200 = frozenset({2004, 2005, 2006, 2007, 2008, 2010})
"""Failures that come with HTTP 200, at the top as well as in rows (section 1.5)."""


class RefusedError(Exception):
    """The call is answered with this reply code; the HTTP status is 200 for the family of section 1.5, else 400."""

    def __init__(self, code: int, text: str, *, status: int | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status if status is not None else 200 if code in INSIDE_200 else 400

    def response(self) -> Response:
        """The answer."""
        return reply("", code=self.code, text=self.text, status=self.status)


class RowError(Exception):
    """One row of a batch fails; the batch goes on."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    def entry(self) -> dict[str, str]:
        """The row's value in `data.errors`."""
        return {str(self.code): self.text}


def reply(data: Any, *, code: int = 0, text: str = "OK", status: int = 200) -> Response:
    """An answer in the envelope."""
    return JsonResponse({"replyCode": code, "replyText": text, "data": data}, status)


def with_errors(
    data: Mapping[str, Any], errors: Errors, *, empty: Literal["array", "object", "absent"]
) -> dict[str, Any]:
    """`data` with its `errors`, in the chosen form when there are none (section 1.5)."""
    if errors or empty == "object":
        return {**data, "errors": errors}
    return {**data, "errors": []} if empty == "array" else dict(data)


async def body_object(request: Request) -> dict[str, Any]:
    """The body of a call, which must be a JSON object sent as such.

    Raises:
        RefusedError: 400 with reply code 1; the vendor's code for it is not documented.
    """
    if not request.headers.get("Content-Type", "").lower().startswith("application/json"):
        raise RefusedError(1, "Content-Type must be application/json.")
    try:
        body = decode(await request.body())
    except NotJsonError as error:
        raise RefusedError(1, "The request body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise RefusedError(1, "The request body must be a JSON object.")
    return body


def as_text(value: Any) -> str | None:
    """A key or id given as text or whole number, as text; None for anything else or for nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def whole_number(value: str | None, default: int) -> int | None:
    """A query parameter as a number, zero or more; None if it is no such number."""
    if value is None or value == "":
        return default
    return int(value) if value.isascii() and value.isdecimal() else None
