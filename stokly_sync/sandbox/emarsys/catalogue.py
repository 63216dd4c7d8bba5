"""The catalogue: a file that is fetched, checked as a whole, and then replaces everything that was there.

Belongs here: fetching, checking, replacing and the history of imports. A file that is refused leaves the
catalogue as it was. Refused as partial are: a last line that does not end, rows of another width, no
rows, and an HTTP answer shorter than it promised. Source: Emarsys API contract 3; the texts, and that
columns other than the known ones are refused, are not documented.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec
import requests

from stokly_sync.sandbox.emarsys.csv_text import CsvError, is_float, read_csv

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

FILE_NAME = "catalogue.csv"
"""What is fetched from the sandbox's own folder when no other source is set."""

PATIENCE = 10.0

Product = dict[str, str]


class Import(msgspec.Struct, frozen=True):
    """One import; `error` is empty for one that was done. Counts compare with the catalogue before it."""

    number: int
    at: datetime
    error: str
    sha256: str
    rows: int = 0
    available: int = 0
    added: int = 0
    changed: int = 0
    gone: int = 0
    gone_with_sales: int = 0

    @property
    def done(self) -> bool:
        """Whether the catalogue was replaced."""
        return not self.error


class Catalogue(msgspec.Struct):
    """The present products by `item`, and every import so far."""

    products: dict[str, Product] = msgspec.field(default_factory=dict)
    imports: list[Import] = msgspec.field(default_factory=list)


@dataclass(frozen=True)
class Fetched:
    """What stood at a source, or why nothing could be had."""

    content: bytes
    error: str = ""


def poll_catalogue(system: "EmarsysSandbox", source: str | None = None) -> Import:
    """Fetch the file and import it, as the vendor does on a schedule; the outcome is added to the history.

    `source` is a path, or a `file:`, `http:` or `https:` URL (with credentials, if need be); None takes
    the one of the switches. Never raises for a file that is missing or wrong: that is an `Import` with an
    `error`.
    """
    return import_catalogue(system, fetch_catalogue(system, source))


def fetch_catalogue(system: "EmarsysSandbox", source: str | None = None) -> Fetched:
    """What stands at the source; its address may hold credentials and is never repeated."""
    return _fetch(source or system.switches.catalogue_source or str(system.catalogue_folder / FILE_NAME))


def import_catalogue(system: "EmarsysSandbox", fetched: Fetched) -> Import:
    """Check what was fetched and replace the catalogue by it."""
    catalogue = system.catalogue
    number, at = len(catalogue.imports) + 1, system.clock.now()
    digest = hashlib.sha256(fetched.content).hexdigest() if not fetched.error else ""
    try:
        if fetched.error:
            raise CsvError(fetched.error)
        products = read_catalogue(fetched.content, required=system.switches.catalogue_columns)
    except CsvError as error:
        outcome = Import(number, at, str(error), digest)
    else:
        outcome = _compared(system, products, number=number, at=at, digest=digest)
        catalogue.products = products
    catalogue.imports.append(outcome)
    system.touch()
    return outcome


def read_catalogue(content: bytes, *, required: Sequence[str]) -> dict[str, Product]:
    """The products of a file by `item`.

    Raises:
        CsvError: naming row and column.
    """
    if not content.endswith(b"\n"):
        raise CsvError("The file is partial: its last line does not end.")
    header, *rows = read_csv(content)
    _check_header(header, required)
    products: dict[str, Product] = {}
    for number, row in enumerate(rows, start=2):
        product = dict(zip(header, row, strict=True))
        for name, value in product.items():
            if (not value and name in required) or (value and not _COLUMNS.get(_plain(name), bool)(value)):
                raise CsvError(f"Row {number}: invalid value in column {name}.")
        if product["item"] in products:
            raise CsvError(f"Row {number}: item appears twice.")
        products[product["item"]] = product
    return products


def _check_header(header: Sequence[str], required: Sequence[str]) -> None:
    if len(set(header)) != len(header):
        raise CsvError("Row 1: a column appears twice.")
    lacking = [name for name in ("item", *required) if name not in header]
    if lacking:
        raise CsvError(f"Row 1: column {lacking[0]} is missing.")
    unknown = [name for name in header if _plain(name) not in _COLUMNS and not name.startswith("c_")]
    if unknown:
        raise CsvError(f"Row 1: column {unknown[0]} is not known.")


def _plain(name: str) -> str:
    """The name of a column without a language suffix such as `_de` or `_de_DE`."""
    if name in _COLUMNS or name.startswith("c_"):
        return name
    return next((known for known in _COLUMNS if name.startswith(f"{known}_")), name)


def _is_url(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and " " not in value


def _is_price(value: str) -> bool:
    return is_float(value) and not value.startswith("-")


def _is_flag(value: str) -> bool:
    return value in ("true", "false")


_COLUMNS: dict[str, Callable[[str], bool]] = {
    "item": bool,
    "title": bool,
    "link": _is_url,
    "image": _is_url,
    "zoom_image": _is_url,
    "category": bool,
    "available": _is_flag,
    "price": _is_price,
    "msrp": _is_price,
    "description": bool,
    "brand": bool,
}
"""Standard column -> check of a value that is not empty; `c_` columns are text."""


def _compared(
    system: "EmarsysSandbox", products: Mapping[str, Product], *, number: int, at: datetime, digest: str
) -> Import:
    before = system.catalogue.products
    gone = before.keys() - products.keys()
    sold = {system.sales.value(line, "item") for line in system.sales.lines} if gone else set()
    return Import(
        number=number,
        at=at,
        error="",
        sha256=digest,
        rows=len(products),
        available=sum(1 for product in products.values() if product.get("available") == "true"),
        added=len(products.keys() - before.keys()),
        changed=sum(1 for item in products.keys() & before.keys() if products[item] != before[item]),
        gone=len(gone),
        gone_with_sales=len(gone & sold),
    )


def _fetch(source: str) -> Fetched:
    parts = urlsplit(source)
    try:
        if parts.scheme in ("http", "https"):
            answer = requests.get(source, timeout=PATIENCE)
            short = len(answer.content) < int(answer.headers.get("Content-Length", 0))
            if short and "Content-Encoding" not in answer.headers:
                return Fetched(b"", "The file is partial: the answer is shorter than it promised.")
            return Fetched(answer.content) if answer.ok else Fetched(b"", f"The source answered {answer.status_code}.")
        path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(source)
        return Fetched(path.read_bytes())
    except FileNotFoundError:
        return Fetched(b"", "There is no file at the source.")
    except (OSError, requests.RequestException) as error:
        return Fetched(b"", f"The source cannot be read: {type(error).__name__}.")


def catalogue_totals(catalogue: Catalogue) -> dict[str, Any]:
    """Counts of the present catalogue and of the imports."""
    return {
        "items": len(catalogue.products),
        "available": sum(1 for product in catalogue.products.values() if product.get("available") == "true"),
        "imports": sum(1 for row in catalogue.imports if row.done),
        "refused": sum(1 for row in catalogue.imports if not row.done),
    }
