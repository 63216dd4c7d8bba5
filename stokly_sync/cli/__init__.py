"""`stokly-sync`: the commands, each a thin call of what does the work.

Modules that cost time to import are imported by the command that needs them, so that `--help` and a wrong option answer
at once. Exit status: 0 agreed, 1 it ran but something is unexplained or in doubt, 2 it could not run; then one message
on stderr says what to do, and never a traceback for anything that we foresaw.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from stokly_sync.cli.exceptions import app as exceptions
from stokly_sync.cli.guard import guarded

app = typer.Typer(
    name="stokly-sync",
    help="Scheduled, reconciled data flows between Stokly and the systems around it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(exceptions)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
SeedFile = Annotated[
    Path | None,
    typer.Option("--seed-file", exists=True, dir_okay=False, help="Retail transactions (CSV, may be gzipped)."),
]
Only = Annotated[str | None, typer.Option("--only", metavar="SYSTEM", help="This system alone.")]


@app.command()
def sync(
    only: Only = None,
    since: Annotated[str | None, typer.Option("--from", metavar="T", help="Replay from this time (UTC).")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="T", help="Replay up to this time (UTC).")] = None,
    as_json: AsJson = False,
    force: Annotated[bool, typer.Option(help="Send also what the destination holds already.")] = False,
    plan: Annotated[str | None, typer.Option("--plan", metavar="ID", help="Send exactly this plan.")] = None,
) -> None:
    """Run the pipeline once: extract, load what is due, reconcile."""
    with guarded():
        from stokly_sync.cli import syncing

        raise typer.Exit(syncing.sync(only=only, since=since, until=until, as_json=as_json, force=force, plan_id=plan))


@app.command()
def plan(
    system: Annotated[str | None, typer.Argument(metavar="SYSTEM", help="This destination alone.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a sync would send, and keep it under an id."""
    with guarded():
        from stokly_sync.cli import syncing

        raise typer.Exit(syncing.plan(system, as_json=as_json))


@app.command()
def adopt(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="The destination.")],
    before: Annotated[datetime | None, typer.Option("--before", help="Only what lies before this time (UTC).")] = None,
) -> None:
    """Say that a destination which can only be added to holds already what Stokly holds; sends nothing."""
    with guarded():
        from stokly_sync.cli import deciding

        raise typer.Exit(deciding.adopt(system, before=before))


@app.command()
def doubts(
    keys: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="Records in doubt.")] = None,
    feed: Annotated[str | None, typer.Option("--feed", metavar="FEED", help="Such as emarsys/orders.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All records of the feed that are in doubt.")] = False,
    arrived: Annotated[bool, typer.Option("--arrived", help="They are at the destination.")] = False,
    again: Annotated[bool, typer.Option("--send-again", help="They are not: send them again.")] = False,
) -> None:
    """Show records that were sent without an answer, and say what became of them."""
    with guarded():
        from stokly_sync.cli import deciding

        raise typer.Exit(deciding.doubt(feed, keys or [], every=every, arrived=arrived, again=again))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Probe the settings, the database and every system that is set up; writes nothing to them."""
    with guarded():
        from stokly_sync.cli import pages

        raise typer.Exit(pages.doctor(as_json=as_json))


@app.command()
def health(
    day: Annotated[
        datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="Yesterday where left out.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page there instead.")] = None,
) -> None:
    """Show the daily health check: volumes, latencies, exceptions, reconciliations, and who has to do what."""
    with guarded():
        from stokly_sync.cli import pages

        pages.health(day.date() if day else None, html)


@app.command()
def audit(
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report there.")] = None,
) -> None:
    """Compare Stokly with every system that is set up, before anything goes live; writes nothing to any of them."""
    with guarded():
        from stokly_sync.cli import auditing

        raise typer.Exit(auditing.audit(html))


@app.command("order-to-cash")
def order_to_cash(
    channel: Annotated[str, typer.Argument(help="magento or marketplacer.")],
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Orders placed from then on.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Orders placed before then.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write every order there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Follow the orders of a channel to invoice, payment, refund and fee in Stokly, and say what differs."""
    with guarded():
        from stokly_sync.cli import cash

        raise typer.Exit(cash.report(channel, since, until, as_json_=as_json, file=csv))


@app.command()
def sandbox(
    seed: Annotated[str, typer.Option(help="demo, minimal or empty.")] = "demo",
    seed_file: SeedFile = None,
    limits: Annotated[bool, typer.Option(help="Keep the vendors' rate limits.")] = True,
    port_base: Annotated[int, typer.Option(help="First port; 0 takes any free ones.")] = 0,
    state: Annotated[Path | None, typer.Option("--state", help="Folder that keeps the data.")] = None,
) -> None:
    """Serve the systems on loopback and print the settings that point here."""
    with guarded():
        from stokly_sync.cli import servers

        chosen = str(seed_file.resolve()) if seed_file else seed
        servers.sandbox(chosen, limits=limits, port_base=port_base, state=state)


@app.command()
def demo(
    seed_file: SeedFile = None,
    limits: Annotated[bool, typer.Option(help="Keep the vendors' rate limits; about 40 minutes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run everything once against the sandboxes and say whether the systems agree."""
    with guarded():
        from stokly_sync.cli import syncing

        raise typer.Exit(syncing.demo(seed_file, limits=limits, as_json=as_json))


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster interface; the dashboard takes the next.")] = 3000,
    own: Annotated[bool, typer.Option("--own", help="With your own settings, without sandboxes.")] = False,
) -> None:
    """Open the Dagster interface and the dashboard on the demo's data, with the sandboxes running."""
    with guarded():
        from stokly_sync.cli import servers

        raise typer.Exit(servers.dev(port=port, own=own))


@app.command()
def dashboard(
    host: Annotated[str, typer.Option(help="Address to listen on; anything but loopback needs users.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any free one.")] = 3001,
    hash_password: Annotated[bool, typer.Option("--hash", help="Make the hash of a password and end.")] = False,
) -> None:
    """Open the page of exceptions, reconciliation, trust, and where a record is."""
    with guarded():
        from stokly_sync.cli import servers

        if hash_password:
            servers.hash_password()
        else:
            servers.dashboard(host=host, port=port)


@app.command()
def trace(
    words: Annotated[str, typer.Argument(metavar="ORDER|EMAIL|SKU", help="Any number or id of a record works too.")],
    as_json: AsJson = False,
) -> None:
    """Print the path of one record through every system: times, states and reasons."""
    with guarded():
        from stokly_sync.cli import handling

        raise typer.Exit(handling.trace(words, as_json=as_json))


@app.command()
def erase(
    customer: Annotated[
        str | None, typer.Argument(metavar="CUSTOMER", help="The customer's id in Stokly, or the account code.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", help="Whoever has this address, guests too; - reads it from the input.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Remove a person from our database and ask every destination to forget them; run it again at any time."""
    with guarded():
        from stokly_sync.cli import erasing

        raise typer.Exit(erasing.erase(customer, email, as_json=as_json))


@app.command()
def rules(
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a page of documentation.")] = False,
    manual: Annotated[
        Path | None, typer.Option("--manual", metavar="FOLDER", help="Renew the tables in the teams' pages there.")
    ] = None,
) -> None:
    """Print the rule catalogue: what each code means, who owns it, what to do."""
    with guarded():
        from stokly_sync.cli import pages, reference

        if manual is not None:
            pages.renew_manual(manual)
        elif markdown:
            sys.stdout.write(reference.rules())
        else:
            pages.rules(as_json=as_json)


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a page of documentation.")] = False,
) -> None:
    """Print every setting, its default, and where to set it; never a value of yours."""
    with guarded():
        from stokly_sync.cli import pages, reference

        if markdown:
            sys.stdout.write(reference.settings())
        else:
            pages.settings()


books = typer.Typer(name="journals", help="Payouts of marketplaces as journal entries.", no_args_is_help=True)
app.add_typer(books)


@books.command("list")
def journals_list() -> None:
    """Show the journals that payouts come to."""
    with guarded():
        from stokly_sync.cli import journals

        raise typer.Exit(journals.show())


@books.command("export")
def journals_export(
    package: Annotated[str, typer.Option("--format", metavar="PACKAGE", help="xero, sage or quickbooks.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="The CSV file to write.")],
    again: Annotated[bool, typer.Option("--again", help="Also those that a file holds already.")] = False,
) -> None:
    """Write journals as the import file of an accounting package."""
    with guarded():
        from stokly_sync.cli import journals

        raise typer.Exit(journals.export(package, out, again=again))
