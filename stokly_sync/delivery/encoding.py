"""Documents as bytes: encoded once when planned, hashed, and sent exactly so.

The order of members is fixed, so that the same content always has the same hash. Decimals become JSON numbers with
the digits they have; nothing passes through a binary float.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple, TypeVar

import msgspec

from stokly_sync.flow import BatchLimits, Document

T = TypeVar("T")

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class Encoded(NamedTuple):
    """A document ready to be stored: its text as it will be sent, and the hash of that text."""

    key: str
    text: bytes
    hash: str
    version: datetime
    event_at: datetime | None
    value: int | None
    currency: str | None


def hash_of(text: bytes) -> str:
    """The blake2b hash of an encoded document, 128 bits as 32 hexadecimal digits."""
    return blake2b(text, digest_size=16).hexdigest()


def encode(document: Document) -> Encoded:
    """Encode and hash a document. Raises TypeError when its content holds something that JSON cannot."""
    content = document.content
    text = content if isinstance(content, bytes) else _ENCODER.encode(content)
    return Encoded(
        document.key,
        text,
        hash_of(text),
        document.version,
        document.event_at,
        document.value,
        document.currency,
    )


def batches(items: Iterable[T], limits: BatchLimits, *, document: Callable[[T], bytes]) -> Iterator[list[T]]:
    """Cut items into batches within the destination's limits, in their order and as full as they can be.

    A record that is larger than the limit travels alone, so that only it can be refused. Bytes are counted as in a
    JSON list: the brackets and one comma a record.
    """
    batch: list[T] = []
    size = 2
    for item in items:
        weight = len(document(item)) + 1
        if batch and (len(batch) >= limits.records or size + weight > limits.bytes):
            yield batch
            batch, size = [], 2
        batch.append(item)
        size += weight
    if batch:
        yield batch
