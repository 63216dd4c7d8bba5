"""`sync`, `plan` and `demo`: run the pipeline here and print what it did.

With `--json` one object goes to stdout and everything else to stderr; without it the summary goes to stdout and the
progress to stderr.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.status import Status

from stokly_sync.cli import planning, printing
from stokly_sync.demo import Result, run_demo
from stokly_sync.errors import SettingsError
from stokly_sync.pipeline import headless, home, progress
from stokly_sync.pipeline.channels import beginnings
from stokly_sync.pipeline.forecast import forecast, moved_since
from stokly_sync.pipeline.services import Services
from stokly_sync.pipeline.summary import Exit, summarise


def sync(
    *, only: str | None, since: str | None, until: str | None, as_json: bool, force: bool, plan_id: str | None
) -> int:
    """Run a sync and give its exit status; errors as `headless.sync`."""
    request = headless.Request(
        only=only, since=time_of("--from", since), until=time_of("--to", until), force=force, plan_id=plan_id
    )
    with _opened() as (services, instance), shown(quiet=as_json):
        summary = summarise(services, headless.sync(services, instance, request))
        catalogue = services.catalogue
        moved = moved_since(services, plan_id, summary) if plan_id else []
    if as_json:
        _print_json(summary.as_json() | ({"plan": {one.feed: one.as_json() for one in moved}} if plan_id else {}))
    else:
        printing.summary(summary, catalogue)
        if plan_id:
            planning.since(moved)
    _complain(summary.failures)
    return int(summary.exit)


def plan(system: str | None, *, as_json: bool) -> int:
    """Make a plan and show it; gives 0, or 2 when what is due could not be read."""
    with _opened() as (services, instance), shown(quiet=as_json):
        plan_id, figures, ran = headless.plan(services, instance, headless.Request(only=system))
        catalogue, found = services.catalogue, forecast(services, plan_id, figures)
        begun = [one for one in beginnings(services) if one.feed in {planned.feed for planned in figures}]
    if as_json:
        _print_json(found.as_json() | {"channels": {one.channel: one.as_json() for one in begun}})
    else:
        planning.plan(found, catalogue, begun)
    _complain(ran.failures)
    return int(Exit.COULD_NOT_RUN if ran.failures else Exit.AGREED)


def demo(seed_file: Path | None, *, limits: bool, as_json: bool) -> int:
    """Run the demo and give its exit status."""
    with shown(quiet=as_json):
        try:
            result = run_demo(seed_file=seed_file, limits=limits)
        except ValueError as error:
            raise SettingsError(str(error)) from error
    if as_json:
        _print_json(result.summary.as_json() | _demo_json(result))
    else:
        printing.demo(result)
    _complain(result.summary.failures)
    return int(result.exit)


def _demo_json(result: Result) -> dict[str, object]:
    def listed(defects: object) -> list[dict[str, str]]:
        return [{"rule": d.rule, "subject": d.subject, "key": d.key} for d in defects]  # type: ignore[attr-defined]

    report = result.report
    return {
        "demo": {
            "planted": len(result.planted),
            "circle": [{"what": s.what, "wanted": s.wanted, "found": s.found} for s in result.circle],
            "not_reported": listed(result.missing),
            "not_planted": listed(result.unexpected),
            "rate_limits": result.limits,
            "file": None
            if report is None
            else {
                "rows": report.rows,
                "accounted": report.accounted,
                "order_lines": report.order_lines,
                "refund_lines": report.refund_lines,
                "credit_note_lines": report.credit_note_lines,
                "write_off_lines": report.write_off_lines,
                "excluded": dict(report.excluded),
            },
        }
    }


@contextmanager
def _opened() -> Iterator[tuple[Services, dg.DagsterInstance]]:
    """Settings, warehouse and the instance of `DAGSTER_HOME`; the settings are checked before anything is made."""
    services = Services.open()
    try:
        home.find_home()
        with dg.DagsterInstance.get() as instance:
            yield services, instance
    finally:
        services.close()


@contextmanager
def shown(*, quiet: bool) -> Iterator[None]:
    """Warnings to stderr, and what is being done on a line that is rewritten while somebody watches."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if quiet:
        yield
        return
    console = Console(stderr=True)
    with console.status("Starting") as status, progress.listening(_teller(console, status)):
        yield


def _teller(console: Console, status: Status) -> progress.Listener:
    def tell(subject: str, done: int, total: int | None) -> None:
        if done == progress.BEGINS:
            if not console.is_terminal:
                console.print(subject, highlight=False)
            status.update(subject)
        else:
            status.update(f"{subject}: {done:,}" + (f" of {total:,}" if total else "") + " records")

    return tell


def time_of(option: str, text: str | None) -> datetime | None:
    """A time as entered, UTC unless it says otherwise; raises SettingsError for anything else."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option} {text!r} is no time; write 2026-11-20 or 2026-11-20T14:15+00:00.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def _complain(failures: object) -> None:
    for reason in failures:  # type: ignore[attr-defined]
        sys.stderr.write(f"stokly-sync: {reason}\n")
