"""The door of `POST /push`: what is refused before a record is even queued.

Belongs here: the whole-request checks (array, at most 100, one type, 60 KB a record, poison). What a
record must look like is checked later, when the queue comes to it (`validation`).
Source: Ometria API contract 1 (limits), 2 (write path) and 5 (errors).
"""

from collections.abc import Collection
from typing import Any

import msgspec

from stokly_sync.sandbox.kit import NotJsonError, decode
from stokly_sync.sandbox.ometria.switches import OmetriaSwitches
from stokly_sync.sandbox.ometria.validation import RECORD_TYPES

BATCH_LIMIT = 100
RECORD_BYTES = 60_000
"""60 KB, read as thousands: the stricter of the two readings."""

Record = dict[str, Any]


class RefusedError(ValueError):
    """The whole request is refused with 400 and this text; nothing of it is kept."""


def read_push(body: bytes, *, switches: OmetriaSwitches) -> list[Record]:
    """The records of one push, all of one known type.

    Raises:
        RefusedError: with the text of the 400 answer, which names no record.
    """
    try:
        records = decode(body)
    except NotJsonError as error:
        raise RefusedError("Payload invalid: not a JSON document.") from error
    if not isinstance(records, list):
        raise RefusedError("Payload invalid: an array of records is expected.")
    if not records:
        raise RefusedError("Payload invalid: no records.")
    if len(records) > BATCH_LIMIT:
        raise RefusedError(f"Payload invalid: more than {BATCH_LIMIT} records.")
    if not all(isinstance(record, dict) for record in records):
        raise RefusedError("Payload invalid: each record must be an object.")
    kinds = {str(record.get("@type")) for record in records}
    if not kinds <= set(RECORD_TYPES):
        raise RefusedError(f"Payload invalid: @type must be one of {', '.join(RECORD_TYPES)}.")
    if len(kinds) > 1:
        raise RefusedError("Payload invalid: records of one @type only.")
    _check_sizes(body)
    if any(is_named(record, switches.poison_ids) for record in records):
        raise RefusedError("Payload invalid: record could not be read.")
    return records


def is_named(record: Record, ids: Collection[str]) -> bool:
    """Whether the record's id, if it is one, is among the given ones."""
    name = record.get("id")
    return isinstance(name, str) and name in ids


def _check_sizes(body: bytes) -> None:
    if len(body) <= RECORD_BYTES:
        return
    # Measured as sent, with the sender's own spacing and escapes.
    if any(len(memoryview(raw)) > RECORD_BYTES for raw in msgspec.json.decode(body, type=list[msgspec.Raw])):
        raise RefusedError("Payload invalid: Record is too large.")
