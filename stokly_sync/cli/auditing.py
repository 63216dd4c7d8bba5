"""`audit`: run the audit and print or write its report."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from stokly_sync import pages
from stokly_sync.cli.syncing import shown
from stokly_sync.pipeline.auditing import report, run_audit
from stokly_sync.pipeline.services import Services


def audit(file: Path | None) -> int:
    """Give 0 when every destination could be compared, 1 when one could not; errors as `run_audit`."""
    services = Services.open()
    try:
        with shown(quiet=False):
            audited = run_audit(services)
        text = report(audited, zone=services.settings.zone)
    finally:
        services.close()
    if file is not None:
        file.write_text(pages.html(text, title=f"Audit of {audited.report.brand}"), "utf-8")
        sys.stdout.write(f"The report stands in {file}.\n")
    elif sys.stdout.isatty():
        Console(highlight=False).print(Markdown(text))
    else:
        sys.stdout.write(text)
    return 1 if audited.failed else 0
