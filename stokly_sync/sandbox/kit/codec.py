"""JSON in and out, with money kept digit by digit.

Fractions are decoded to `Decimal` and encoded as JSON numbers, so 12.500000001 leaves as it came and no
binary float is ever in between. Belongs here: bytes to values and back. What a value means does not.
"""

from decimal import Decimal
from typing import Any

import msgspec
from starlette.responses import Response

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class NotJsonError(ValueError):
    """The bytes are no JSON document."""


def decode(data: bytes) -> Any:
    """Decode a JSON document to builtin types, with `int` for whole numbers and `Decimal` for fractions.

    Raises:
        NotJsonError: if the bytes are not one JSON document.
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotJsonError(str(error)) from error


def encode(value: Any) -> bytes:
    """Encode builtin types, `Decimal` (as a number), aware `datetime` and msgspec structs as compact JSON."""
    return _ENCODER.encode(value)


class JsonResponse(Response):
    """An answer with a JSON body, encoded by `encode`."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body's bytes."""
        return encode(content)
