"""Answers that are no success, in the two shapes of the vendor: v2 messages and v3 error codes.

Belongs here: the shapes. Which call answers which problem is decided where the rule is.
Source: Dotdigital API contract 1 (errors).
"""

from typing import Any

from starlette.responses import Response

from stokly_sync.sandbox.kit import JsonResponse


class ProblemError(Exception):
    """The call ends with this answer; nothing of it was kept."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body

    def answer(self) -> Response:
        """The answer on the wire."""
        return JsonResponse(self.body, self.status)


def v2(status: int, code: str, sentence: str | None = None) -> ProblemError:
    """A v2 problem: `{"message": "Error: ERROR_..."}`, or a sentence before the code."""
    return ProblemError(status, {"message": f"Error: {code}" if sentence is None else f"{sentence}. {code}"})


def v3(status: int, code: str, description: str, *details: tuple[str, str]) -> ProblemError:
    """A v3 problem; `code` is `service:code`, `details` are pairs of item and description."""
    body: dict[str, Any] = {"errorCode": code, "description": description}
    if details:
        body["details"] = [{"item": item, "description": text} for item, text in details]
    return ProblemError(status, body)


def bad_json(service: str, *details: tuple[str, str]) -> ProblemError:
    """400: the body is no JSON document, or not of the documented shape."""
    return v3(400, f"{service}:badJson", "The request JSON is badly formed", *details)


def invalid_id(service: str, identifier: str, value: str) -> ProblemError:
    """400: a value that cannot be one of that identifier, or an identifier that the account does not have."""
    text = f"The id value '{value}' is invalid for the identifier '{identifier}'"
    return v3(400, f"{service}:invalidId", text)


def contact_not_found(service: str, identifier: str, value: str) -> ProblemError:
    """404: nobody has that identifier."""
    text = "The following contacts could not be found"
    return v3(404, f"{service}:contactNotFound", text, (value, f"Not found using the identifier '{identifier}'"))
