"""Publishing the catalogue: one file of all products, written aside, checked, and put in place in one step (E5).

Emarsys fetches the file on a schedule and replaces its whole catalogue by it, so that a partial file would delete
products. The folder may be local or any fsspec address; its credentials stand in the address or in the surroundings of
its library. Source: Emarsys API contract 3.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import fsspec.core  # type: ignore[import-untyped]

from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Document
from stokly_sync.systems.emarsys.client import EmarsysClient
from stokly_sync.systems.emarsys.sales import cell

COLUMNS: Final = (
    *("item", "title", "link", "image", "category", "available", "price", "description", "brand", "c_currency"),
)
REQUIRED: Final = ("item", "title", "link")


def publish(client: EmarsysClient, documents: Iterator[Sequence[Document]]) -> str:
    """Publish all products; gives the number of rows and the start of the file's hash.

    Raises PermanentError where a setting is missing or the file breaks the vendor's rules, TransientError where the
    folder cannot be written; then what was published before still stands.
    """
    settings = client.settings
    if settings.catalogue_url is None:
        raise PermanentError("Emarsys: no folder for the catalogue; set EMARSYS_CATALOGUE_URL, or products to off.")
    if not settings.product_url:
        raise PermanentError("Emarsys: products need an address; set EMARSYS_PRODUCT_URL, with {sku} in it.")
    with tempfile.TemporaryDirectory(prefix="catalogue-") as folder:
        file = Path(folder) / settings.catalogue_file
        rows = _write(file, documents, (*COLUMNS, *settings.product_fields))
        _check(file, rows)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        _put(file, settings.catalogue_url, settings.catalogue_file)
    return f"{rows} products, file {digest[:16]}"


def current(client: EmarsysClient) -> bool:
    """Whether a file of today (UTC) is in place; True where no folder is set."""
    settings = client.settings
    if settings.catalogue_url is None:
        return True
    try:
        files, root = fsspec.core.url_to_fs(settings.catalogue_url)
        told = files.info(f"{root}/{settings.catalogue_file}")
    except FileNotFoundError:
        return False
    except Exception as error:
        raise TransientError(f"Emarsys: the catalogue's folder cannot be read ({type(error).__name__}).") from error
    at = _modified(told)
    return at is None or at.date() >= client.clock.now().astimezone(UTC).date()


def rows_of(client: EmarsysClient) -> list[dict[str, str]]:
    """The rows of the published file; none where there is no file."""
    settings = client.settings
    if settings.catalogue_url is None:
        return []
    try:
        files, root = fsspec.core.url_to_fs(settings.catalogue_url)
        with files.open(f"{root}/{settings.catalogue_file}", "rt", encoding="utf-8", newline="") as opened:
            return list(csv.DictReader(opened))
    except FileNotFoundError:
        return []


def _write(file: Path, documents: Iterator[Sequence[Document]], columns: Sequence[str]) -> int:
    rows = 0
    with file.open("w", encoding="utf-8", newline="") as opened:
        opened.write(",".join(columns) + "\n")
        for chunk in documents:
            for document in chunk:
                opened.write(",".join(cell(document.body.get(name, "")) for name in columns) + "\n")
                rows += 1
    return rows


def _check(file: Path, expected: int) -> None:
    """Read the file as its reader will; raises PermanentError naming the first thing that is wrong."""
    seen: set[str] = set()
    with file.open(encoding="utf-8", newline="") as opened:
        for number, row in enumerate(csv.DictReader(opened), start=2):
            empty = next((name for name in REQUIRED if not row.get(name)), None)
            if empty is not None:
                raise PermanentError(f"Emarsys: row {number} of the catalogue has no {empty}; nothing was published.")
            if row["item"] in seen:
                raise PermanentError(f"Emarsys: row {number} of the catalogue repeats an item; nothing was published.")
            if row["available"] not in ("true", "false") or not _is_price(row["price"]):
                raise PermanentError(f"Emarsys: row {number} of the catalogue is not valid; nothing was published.")
            seen.add(row["item"])
    if len(seen) != expected or not seen:
        raise PermanentError(f"Emarsys: the catalogue has {len(seen)} rows of {expected}; nothing was published.")


def _is_price(text: str) -> bool:
    try:
        return not text or Decimal(text) >= 0
    except InvalidOperation:
        return False


def _put(file: Path, url: str, name: str) -> None:
    """Put the file beside its place, see that it arrived whole, then move it there."""
    try:
        files, root = fsspec.core.url_to_fs(url)
        files.makedirs(root, exist_ok=True)
        aside = f"{root}/.{name}.part"
        files.put_file(str(file), aside)
        files.invalidate_cache()
        if files.info(aside)["size"] != file.stat().st_size:
            raise TransientError("Emarsys: the catalogue did not arrive whole in its folder; nothing was published.")
        files.mv(aside, f"{root}/{name}")
    except TransientError:
        raise
    except Exception as error:
        # The error's own text may hold the address with its password.
        raise TransientError(f"Emarsys: the catalogue's folder cannot be written ({type(error).__name__}).") from error


def _modified(told: dict[str, Any]) -> datetime | None:
    """When a file was written, in the words of the folder's library; None where it does not say."""
    for name in ("mtime", "LastModified", "last_modified", "created"):
        value = told.get(name)
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    return None
