"""Small helpers of all seeds: ids, times, rounding.

Ids are made from what they name, so that the same seed has the same ids in every process.
"""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
NINE_PLACES = Decimal("0.000000001")
ZERO = Decimal(0)


def make_id(kind: str, key: object) -> str:
    """A UUID of the look of version 4, always the same for the same kind and key."""
    digits = hashlib.blake2b(f"{kind}\n{key}".encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def stamp(moment: datetime) -> str:
    """A moment as seeds and the Stokly sandbox keep it: `2025-05-28T11:46:00.000Z`, UTC, cut to milliseconds.

    Raises:
        ValueError: if the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; the sandbox keeps UTC only.")
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def midnight(day: date, *, days: int = 0) -> datetime:
    """The start of a day in UTC, moved by so many days."""
    return datetime.combine(day, time(), UTC) + timedelta(days=days)


def cents(amount: Decimal) -> Decimal:
    """An amount rounded half-even to two places."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def nine_places(amount: Decimal) -> Decimal:
    """An amount rounded half-even to nine places, without trailing zeros beyond the second."""
    rounded = amount.quantize(NINE_PLACES, ROUND_HALF_EVEN)
    short = rounded.quantize(CENT, ROUND_HALF_EVEN)
    return short if short == rounded else rounded.normalize()
