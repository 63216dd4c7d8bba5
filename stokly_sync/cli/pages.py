"""`rules`, `settings` and `doctor`: pages made from what is declared, and probes that only read."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from stokly_sync.cli.reference import manual, rows, sections
from stokly_sync.flow import Probe, Team
from stokly_sync.pipeline import health as health_check
from stokly_sync.pipeline.declared import all_rules
from stokly_sync.pipeline.doctor import examine
from stokly_sync.pipeline.services import Services
from stokly_sync.systems import SYSTEMS


def rules(*, as_json: bool) -> None:
    """Print the rule catalogue."""
    catalogue = all_rules(SYSTEMS)
    if as_json:
        sys.stdout.write(json.dumps([asdict(rule) for rule in catalogue.values()], indent=2) + "\n")
        return
    table = Table(header_style="bold")
    for column in ("rule", "effect", "severity", "owner", "problem", "what to do", "requirement"):
        table.add_column(column, no_wrap=column == "rule")
    for rule in catalogue.values():
        words = (rule.effect.value, rule.severity.value, rule.owner.value, rule.problem, rule.advice, rule.requirement)
        table.add_row(rule.code, *words)
    _console().print(table)


def renew_manual(folder: Path) -> None:
    """Renew the table of rules in each team's page of the operations manual."""
    for team in Team:
        page = folder / f"{team.value}.md"
        page.write_text(manual(team, page.read_text("utf-8")), "utf-8")


def settings() -> None:
    """Print all settings with their defaults and places, section by section."""
    for title, prefix, section, model in sections():
        table = Table(title=title, title_justify="left", header_style="bold")
        for column in ("environment", "in stokly_sync.toml", "default", "meaning"):
            table.add_column(column, no_wrap=column == "environment")
        for row in rows(prefix, section, model):
            table.add_row(*row)
        _console().print(table)


def doctor(*, as_json: bool) -> int:
    """Probe settings, database and systems; gives 0 when all is well, 1 when something is not."""
    services = Services.open()
    try:
        probes = list(examine(services, os.environ))
    finally:
        services.close()
    if as_json:
        sys.stdout.write(json.dumps([asdict(probe) for probe in probes], indent=2) + "\n")
    else:
        _show(probes)
    return 0 if all(probe.ok for probe in probes) else 1


def health(day: date | None, file: Path | None) -> None:
    """Print the health check of a day, or write it as HTML."""
    services = Services.open()
    try:
        made = health_check.page(services, day)
    finally:
        services.close()
    if file is not None:
        file.write_text(made.html, "utf-8")
        sys.stdout.write(f"The health check of {made.facts.day} stands in {file}.\n")
    elif sys.stdout.isatty():
        _console().print(Markdown(made.markdown))
    else:
        sys.stdout.write(made.markdown)


def _show(probes: Iterable[Probe]) -> None:
    table = Table(header_style="bold")
    for column in ("", "subject", "finding", "advice"):
        table.add_column(column)
    for probe in probes:
        table.add_row("well" if probe.ok else "NOT WELL", probe.subject, probe.finding, probe.advice)
    _console().print(table)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=180)
