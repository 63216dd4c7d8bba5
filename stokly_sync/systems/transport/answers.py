"""What came back: JSON with exact numbers, and the tables that turn a status into one of our errors.

Belongs here: decoding, encoding, and vendors' error behaviour as data (status and text -> error class and a sentence
for a person). A system puts its own rows before `COMMON`; the first row that fits decides. Nothing here talks to a
network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from stokly_sync.errors import (
    CredentialsError,
    InDoubt,
    PermanentError,
    PermissionDenied,
    StoklySyncError,
    TransientError,
)

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def decode(body: bytes) -> Any:
    """JSON to Python values; every number that is not whole becomes a Decimal, digit by digit.

    Raises ValueError when the body is no JSON.
    """
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def encode(value: Any) -> bytes:
    """Python values to compact JSON, Decimals as numbers with all their digits.

    Raises TypeError for values that JSON has no form for.
    """
    return _ENCODER.encode(value)


@dataclass(frozen=True)
class Answer:
    """An answer that the caller asked for: 2xx, or a status it named as expected.

    `data` is the decoded JSON, None for an empty body (or for an expected error that is no JSON); header names are
    found in any case; `requested_at` is when this attempt started (UTC), `elapsed` its duration in seconds.
    """

    status: int
    headers: Mapping[str, str]
    data: Any
    body: bytes
    requested_at: datetime
    elapsed: float


@dataclass(frozen=True)
class Verdict:
    """One row of an error table: answers with this status (inclusive range) and text mean this error.

    `sentence` says what it means and what to do next; `contains` is looked for in the body without regard to case.
    `done` says whether a request that writes may have taken effect although it was answered with an error.
    """

    status: int | tuple[int, int]
    error: type[StoklySyncError]
    sentence: str
    contains: str | None = None
    done: bool = False
    limit: bool = False
    """Whether it means that too many calls were made, so that every process that shares the key stays away."""

    def fits(self, status: int, text: str) -> bool:
        """Whether this row speaks about such an answer; `text` is the body in lower case."""
        low, high = (self.status, self.status) if isinstance(self.status, int) else self.status
        return low <= status <= high and (self.contains is None or self.contains.lower() in text)


COMMON: Final[tuple[Verdict, ...]] = (
    Verdict(401, CredentialsError, "The credentials are not accepted; check the system's settings."),
    Verdict(403, PermissionDenied, "The credentials lack the right to this resource; ask for it in the account."),
    Verdict(408, TransientError, "The server gave up waiting; try again later.", done=True),
    Verdict(429, TransientError, "Too many requests; wait and try again.", limit=True),
    Verdict((500, 599), TransientError, "The server has a problem of its own; try again later.", done=True),
    Verdict((300, 399), PermanentError, "The server points elsewhere; check the base URL in the settings."),
    Verdict((400, 499), PermanentError, "The request was refused; another attempt cannot help."),
    Verdict((100, 599), PermanentError, "The answer was not expected here; report it with this text."),
)
"""The meaning of statuses where a vendor's own table says nothing; its last row fits every answer."""


def verdict(table: Sequence[Verdict], *, status: int, body: bytes) -> Verdict:
    """The first row of `table`, then of `COMMON`, that fits the answer."""
    text = body[:4000].decode("utf-8", "replace").lower()
    return next(row for row in (*table, *COMMON) if row.fits(status, text))


def in_doubt(what: str) -> InDoubt:
    """The error for a write whose effect nobody knows; `what` says what was sent and how it ended."""
    return InDoubt(f"{what}. It may or may not have taken effect: ask the other system before sending it again.")
