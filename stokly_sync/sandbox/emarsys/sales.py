"""Sales data: the append-only table of lines, and what makes an upload acceptable.

Belongs here: header, types and the table. Lines are never compared with those that are there, as the
vendor does not either; repeated ones are counted for tests. Source: Emarsys API contract 2.2 to 2.4.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from stokly_sync.sandbox.emarsys.csv_text import CsvError, Row, is_date, is_float, is_integer, is_stamp, read_csv
from stokly_sync.sandbox.emarsys.values import is_email

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

AMOUNTS = ("price", "c_sales_amount")

_STANDARD: dict[str, Callable[[str], bool]] = {
    "item": bool,
    "price": is_float,
    "c_sales_amount": is_float,
    "order": bool,
    "timestamp": is_stamp,
    "date": is_date,
    "customer": bool,
    "email": is_email,
    "quantity": is_float,
}
_PREFIXED: dict[str, Callable[[str], bool]] = {"i_": is_integer, "f_": is_float, "t_": is_stamp}
"""Types of custom columns by prefix; an empty value is allowed there. Others are text."""


class Line(msgspec.Struct, frozen=True, array_like=True):
    """One line as it came; `header` is the place of its header, `known` whether its customer was a contact then."""

    merchant: str
    upload: int
    header: int
    values: list[str]
    known: bool


class Upload(msgspec.Struct, frozen=True):
    """One upload that was taken; `sha256` is of the body."""

    number: int
    merchant: str
    at: datetime
    lines: int
    sha256: str


class SalesData(msgspec.Struct):
    """Every line and every upload, in the order in which they came, and the headers that there were."""

    lines: list[Line] = msgspec.field(default_factory=list)
    uploads: list[Upload] = msgspec.field(default_factory=list)
    headers: list[list[str]] = msgspec.field(default_factory=list)

    def header_of(self, columns: list[str]) -> int:
        """The place of a header, which is added if it is new."""
        if columns not in self.headers:
            self.headers.append(columns)
        return self.headers.index(columns)

    def value(self, line: Line, *names: str) -> str:
        """The value of the first of these columns that a line has, or nothing."""
        columns = self.headers[line.header]
        return next((line.values[columns.index(name)] for name in names if name in columns), "")

    def shown(self) -> list[dict[str, str]]:
        """Every line by column."""
        return [dict(zip(self.headers[line.header], line.values, strict=True)) for line in self.lines]


def read_upload(content: bytes, *, columns: Sequence[str], max_lines: int, max_bytes: int) -> list[Row]:
    """The lines of an upload, without the header.

    Raises:
        CsvError: with the text of the 400 answer.
    """
    if not content.strip():
        raise CsvError("The file is empty.")
    if len(content) > max_bytes:
        raise CsvError(f"The file is larger than {max_bytes} bytes.")
    header, *rows = read_csv(content)
    if header != list(columns):
        raise CsvError(f"Row 1: the header must be {','.join(columns)}.")
    if len(rows) > max_lines:
        raise CsvError(f"The file has more than {max_lines} lines.")
    checks = [_check(name) for name in columns]
    for number, row in enumerate(rows, start=2):
        for name, check, value in zip(columns, checks, row, strict=True):
            if not check(value):
                raise CsvError(f"Row {number}: invalid value in column {name}.")
    return rows


def _check(column: str) -> Callable[[str], bool]:
    standard = _STANDARD.get(column)
    if standard is not None:
        return standard
    prefixed = _PREFIXED.get(column[:2])
    return (lambda value: not value or prefixed(value)) if prefixed is not None else (lambda value: True)


def take_upload(system: "EmarsysSandbox", merchant: str, content: bytes) -> Upload:
    """Check an upload and append all its lines, or none.

    Raises:
        CsvError: with the text of the 400 answer.
    """
    switches = system.switches
    columns = list(switches.sales_columns)
    rows = read_upload(content, columns=columns, max_lines=switches.sales_max_lines, max_bytes=switches.sales_max_bytes)
    number = len(system.sales.uploads) + 1
    upload = Upload(number, merchant, system.clock.now(), len(rows), hashlib.sha256(content).hexdigest())
    system.sales.uploads.append(upload)
    header = system.sales.header_of(columns)
    for row in rows:
        system.sales.lines.append(Line(merchant, number, header, row, known=_is_known(system, columns, row)))
    system.touch()
    return upload


def _is_known(system: "EmarsysSandbox", columns: list[str], row: Row) -> bool:
    if "email" in columns:
        return bool(system.store.find("3", row[columns.index("email")]))
    field = system.store.fields.named(system.switches.external_id_field)
    return field is not None and bool(system.store.find(field.id, row[columns.index("customer")]))


def sales_totals(sales: SalesData, merchant: str | None = None) -> dict[str, Any]:
    """Sums over the table, of one merchant or of all; amounts exact, as text.

    `duplicates` counts lines beyond the first of each set of equal ones; `placeholder` those whose
    customer was no contact; `refund_lines` those with a negative amount or quantity.
    """
    lines = [line for line in sales.lines if merchant in (None, line.merchant)]
    seen = Counter((line.merchant, line.header, tuple(line.values)) for line in lines)
    prices = [Decimal(sales.value(line, *AMOUNTS) or 0) for line in lines]
    quantities = [Decimal(sales.value(line, "quantity") or 0) for line in lines]
    return {
        "lines": len(lines),
        "orders": len({sales.value(line, "order") for line in lines}),
        "price": format(sum(prices, start=Decimal(0)), "f"),
        "quantity": format(sum(quantities, start=Decimal(0)), "f"),
        "refund_lines": sum(1 for price, count in zip(prices, quantities, strict=True) if price < 0 or count < 0),
        "refund_price": format(sum((price for price in prices if price < 0), start=Decimal(0)), "f"),
        "duplicates": sum(count - 1 for count in seen.values()),
        "placeholder": sum(1 for line in lines if not line.known),
        "uploads": sum(1 for upload in sales.uploads if merchant in (None, upload.merchant)),
    }
