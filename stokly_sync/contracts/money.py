"""Money as whole numbers of a billionth of the major unit ("nano"), exact from wire to wire.

Stokly gives up to nine decimals, SQLite has no decimal type and pandas sums int64 natively: so amounts live as signed
64-bit integers in the currency's major unit times 10^9, with the currency beside them. The range is about
+/- 9.2 billion; an amount outside it, or with more than nine decimals, is a problem of its row and never rounded in
silence. `benchmarks/money.py` compares this with Arrow decimals. No binary float takes part anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal

NANO = 10**9
PLACES = 9
LARGEST = 2**63 - 1

_CENT = Decimal("0.01")
# Minor-unit digits that differ from two (ISO 4217).
_DIGITS = {"JPY": 0, "KRW": 0, "ISK": 0, "VND": 0, "CLP": 0, "BHD": 3, "KWD": 3, "JOD": 3, "OMR": 3, "TND": 3}


def nano(amount: Decimal | int | str) -> int:
    """Convert an amount in major units to nano units.

    Raises ValueError when the amount is not a finite number, has more than nine decimals, or is out of range.
    """
    try:
        value = Decimal(amount)
        scaled = value.scaleb(PLACES)
        whole = int(scaled)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise ValueError(f"not an amount: {str(amount)[:40]!r}") from error
    if whole != scaled:
        raise ValueError(f"more than nine decimals: {str(amount)[:40]}")
    if abs(whole) > LARGEST:
        raise ValueError(f"out of range: {str(amount)[:40]}")
    return whole


def decimal(nanos: int) -> Decimal:
    """Convert nano units to an exact Decimal in major units."""
    return Decimal(nanos).scaleb(-PLACES)


def minor_digits(currency: str | None) -> int:
    """Decimals of a currency's minor unit; two where the currency is unknown."""
    return _DIGITS.get(currency or "", 2)


def minor_unit(currency: str | None) -> int:
    """One minor unit of `currency` in nano units: the tolerance of sums, a line (DESIGN, money)."""
    return int(10 ** (PLACES - minor_digits(currency)))


def rounded(nanos: int, currency: str | None) -> Decimal:
    """Round once, half-even, to the currency's minor unit; for documents only."""
    step = Decimal(1).scaleb(-minor_digits(currency))
    return decimal(nanos).quantize(step, rounding=ROUND_HALF_EVEN)


def text(nanos: int) -> str:
    """Amount as text with two places, as reports print it."""
    return str(decimal(nanos).quantize(_CENT, rounding=ROUND_HALF_EVEN))


def totals(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Sum nano amounts per currency with Python integers, which cannot overflow; currencies sorted."""
    sums: dict[str, int] = {}
    for currency, amount in pairs:
        sums[currency] = sums.get(currency, 0) + int(amount)
    return dict(sorted(sums.items()))


def texts(sums: Mapping[str, int]) -> dict[str, str]:
    """`text` for each currency."""
    return {currency: text(amount) for currency, amount in sums.items()}
