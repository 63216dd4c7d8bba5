"""Reading a retail transactions file: the columns of the UCI Online Retail data set, row by row.

Belongs here: text to typed entries, the kind of each row, and the shift of dates. What becomes of the
entries is in `transactions`. A row that cannot be read stops the load, with its line number: a file with
holes would make every total doubtful.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import IO

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
_DATE_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M")

COUNTRIES = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Brazil": "BR",
    "Canada": "CA",
    "Channel Islands": "JE",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "Malta": "MT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "RSA": "ZA",
    "Saudi Arabia": "SA",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "USA": "US",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
}
"""Country names of the file -> ISO 3166-1 alpha-2; other names (`Unspecified`) give an order no country."""

SERVICE_CODES = frozenset({"POST", "DOT", "M", "D", "S", "C2", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS"})
SERVICE_PREFIX = "GIFT_"


class TransactionsFileError(ValueError):
    """The file cannot be read as a transactions file; says where and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: `sku` in upper case, `at` in UTC and shifted, `customer` and `country` empty if not given."""

    invoice: str
    sku: str
    description: str
    quantity: int
    at: datetime
    price: Decimal
    customer: str
    country: str

    @property
    def is_credit(self) -> bool:
        """Whether the row belongs to a `C...` invoice."""
        return self.invoice.startswith("C")

    @property
    def is_bad_debt(self) -> bool:
        """Whether the row belongs to an `A...` invoice."""
        return self.invoice.startswith("A")


def is_service(sku: str) -> bool:
    """Whether a SKU (in upper case) is a charge or a voucher without stock."""
    return sku in SERVICE_CODES or sku.startswith(SERVICE_PREFIX)


def read_entries(path: Path, *, today: date) -> list[Entry]:
    """All rows in the file's order, with dates moved by whole days so that the last day is yesterday.

    Args:
        path: CSV with a header, UTF-8, gzip-compressed if it ends in `.gz`.
        today: the day after the one to which the file's last day is moved.

    Raises:
        TransactionsFileError: for a missing file or column, or a value that cannot be read, with its line.
    """
    try:
        with _open(path) as stream:
            entries = list(_read(stream, path))
    except (OSError, UnicodeDecodeError) as error:
        raise TransactionsFileError(f"Cannot read transactions file {path}: {error}") from error
    if not entries:
        raise TransactionsFileError(f"Transactions file {path} has no rows.")
    shift = (today - timedelta(days=1)) - max(entry.at for entry in entries).date()
    return [_moved(entry, shift) for entry in entries]


def _moved(entry: Entry, shift: timedelta) -> Entry:
    return Entry(
        entry.invoice,
        entry.sku,
        entry.description,
        entry.quantity,
        entry.at + shift,
        entry.price,
        entry.customer,
        entry.country,
    )


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _read(stream: IO[str], path: Path) -> Iterator[Entry]:
    rows = csv.reader(stream)
    header = next(rows, [])
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise TransactionsFileError(f"Transactions file {path} lacks the column {missing[0]!r}.")
    places = [header.index(column) for column in COLUMNS]
    for number, row in enumerate(rows, start=2):
        try:
            invoice, sku, description, quantity, at, price, customer, country = [row[at] for at in places]
            yield Entry(
                invoice.strip().upper(),
                sku.strip().upper(),
                description.strip(),
                int(quantity),
                _moment(at),
                _amount(price),
                customer.strip().removesuffix(".0"),
                country.strip(),
            )
        except (ValueError, IndexError, InvalidOperation) as error:
            raise TransactionsFileError(f"Transactions file {path}, line {number}: {error!r}.") from error


@lru_cache(maxsize=4096)
def _amount(text: str) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite():
        raise ValueError(f"{text!r} is no amount")
    return amount


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no date")
