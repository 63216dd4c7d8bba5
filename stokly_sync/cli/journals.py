"""`journals`: what payouts come to in the books, and the files that accounting packages import (P5).

A journal is put into a file once: what was exported stands, unless a person asks for all of it again. Journals of
another currency go into a file of their own.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from stokly_sync.contracts.journals import Journal
from stokly_sync.contracts.money import text
from stokly_sync.contracts.remittances import REMITTANCES
from stokly_sync.delivery.journals import journals, keep_journals, note_exported
from stokly_sync.errors import SettingsError
from stokly_sync.pipeline.services import Services
from stokly_sync.systems.accounting import FORMATS, Package, files


def export(name: str, out: Path, *, again: bool) -> int:
    """Write the journals that no file holds yet, or with `again` all of them; prints what was written."""
    chosen = FORMATS.get(name)
    if chosen is None:
        raise SettingsError(f"There is no format {name!r}; formats are {', '.join(FORMATS)}.")
    services = Services.open()
    try:
        for channel in REMITTANCES:
            package = _package(services, channel)
            found = _kept(services, channel, exported=again)
            if not found:
                sys.stdout.write(f"{channel}: no journal to export\n")
                continue
            texts = _texts(found, chosen.name, package, channel)
            paths = _paths(out, texts)
            now = datetime.now(UTC)
            with services.warehouse.transaction() as connection:
                note_exported(connection, found, brand=services.warehouse.brand, package=name, now=now)
                # Before the commit: a file without a note is written again, a note without a file would lose it.
                for path, content in paths.items():
                    _put(path, content)
            names = ", ".join(str(path) for path in paths)
            sys.stdout.write(f"{channel}: {len(found):,} journals for {chosen.title} in {names}\n")
    finally:
        services.close()
    return 0


def show() -> int:
    """List the journals with their amounts by role."""
    services = Services.open()
    try:
        table = Table(header_style="bold")
        for column in ("journal", "date", "currency", "lines"):
            table.add_column(column, no_wrap=column != "lines")
        for channel in REMITTANCES:
            for journal in _kept(services, channel, exported=True):
                lines = ", ".join(f"{line.role.value} {text(line.amount)}" for line in journal.lines)
                table.add_row(journal.id, f"{journal.at:%Y-%m-%d}", journal.currency, lines)
    finally:
        services.close()
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=180)).print(table)
    return 0


def _kept(services: Services, channel: str, *, exported: bool) -> list[Journal]:
    keep_journals(services.warehouse, channel, now=datetime.now(UTC))
    return journals(services.warehouse, channel, exported=exported)


def _package(services: Services, channel: str) -> Package:
    settings = services.settings.systems[channel]
    return Package(settings.accounts, settings.journal_tax)


def _texts(found: Sequence[Journal], name: str, package: Package, channel: str) -> list[tuple[str, list[str]]]:
    by_currency: dict[str, list[Journal]] = defaultdict(list)
    for journal in found:
        by_currency[journal.currency].append(journal)
    try:
        return [(currency, files(FORMATS[name], some, package)) for currency, some in sorted(by_currency.items())]
    except KeyError as error:
        role = str(error.args[0])
        raise SettingsError(
            f"Journals need an account for {role}: set {role} under [{channel}.accounts] in the settings file."
        ) from error


def _paths(out: Path, texts: Sequence[tuple[str, list[str]]]) -> Mapping[Path, str]:
    """The files by path: numbered where a package takes few lines, named by currency where there are several."""
    found: dict[Path, str] = {}
    for currency, parts in texts:
        for number, content in enumerate(parts, start=1):
            marks = ([currency] if len(texts) > 1 else []) + ([str(number)] if number > 1 else [])
            found[out.with_stem("-".join([out.stem, *marks]))] = content
    return found


def _put(path: Path, content: str) -> None:
    """Written aside and put in place in one step."""
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_bytes(content.encode("utf-8"))
        aside.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error
