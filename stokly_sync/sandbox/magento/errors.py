"""Refusals as Magento words them: a text with placeholders that the server leaves open, and their values.

Belongs here: the shape of an error and the texts that several calls share.
Source: Magento API contract 5.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Parameters = Sequence[Any] | Mapping[str, Any]

NO_ENTITY = "The entity that was requested doesn't exist. Verify the entity and try again."
NO_PRODUCT = "The product that was requested doesn't exist. Verify the product and try again."
NO_ROUTE = "Request does not match any route."
NOT_PROCESSED = "Specified request cannot be processed."
REQUIRED = '"%fieldName" is required. Enter and try again.'
NOT_SUPPORTED = '"%fieldName" is not supported. Correct the field name and try again.'
CRASH = "An error has happened during application run. See exception log for details."

_PLACE = re.compile(r"%(\w+)")


class MagentoError(Exception):
    """The call is answered with this text; `parameters` is a list for `%1` and a mapping for `%name`."""

    def __init__(
        self,
        message: str,
        parameters: Parameters | None = None,
        *,
        status: int = 400,
        errors: Sequence["MagentoError"] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.parameters = parameters
        self.status = status
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """The answer's body, placeholders not filled in."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = [error.body() for error in self.errors]
        if self.parameters:
            body["parameters"] = self.parameters
        return body

    def filled(self) -> str:
        """The text with its placeholders filled in, as the result of a queued operation has it."""
        named = self.parameters or {}
        values = named if isinstance(named, Mapping) else {str(n): value for n, value in enumerate(named, start=1)}
        return _PLACE.sub(lambda found: str(values.get(found.group(1), found.group(0))), self.message)


class CrashError(Exception):
    """The server falls over: 500 with plain text."""


def required(field: str) -> MagentoError:
    """A parameter is missing."""
    return MagentoError(REQUIRED, {"fieldName": field})


def no_entity() -> MagentoError:
    """There is no such order, invoice, shipment or credit memo."""
    return MagentoError(NO_ENTITY, status=404)


def no_product() -> MagentoError:
    """There is no product of that SKU."""
    return MagentoError(NO_PRODUCT, status=404)


def internal(report: str) -> MagentoError:
    """The database refused; the details are in a log that no caller sees."""
    text = f"Internal Error. Details are available in Magento log file. Report ID: webapi-{report}"
    return MagentoError(text, status=500)


def document(kind: str, *lines: str) -> MagentoError:
    """A document (Shipment, Invoice, Creditmemo) does not pass its validation."""
    return MagentoError("\n".join([f"{kind} Document Validation Error(s):", *lines]))
