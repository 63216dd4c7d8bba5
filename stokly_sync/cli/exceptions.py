"""The commands of `stokly-sync exceptions`, as they are typed; what they do stands in `handling`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stokly_sync.cli.guard import guarded

app = typer.Typer(
    name="exceptions",
    help="Records that a rule keeps back: look at them, and say what is to be done.",
    no_args_is_help=True,
)

Record = Annotated[list[str] | None, typer.Argument(metavar="SUBJECT KEY RULE", help="One exception, as listed.")]
Every = Annotated[bool, typer.Option("--all", help="All that the options describe, instead of one.")]
Team = Annotated[str | None, typer.Option("--team", help="finance, operations, ecommerce, marketing or cx.")]
System = Annotated[str | None, typer.Option("--system", help="Such as stokly or ometria.")]
Subject = Annotated[str | None, typer.Option("--subject", help="A dataset or a feed, such as ometria/orders.")]
Code = Annotated[str | None, typer.Option("--rule", help="Such as ST-ORDER-TOTAL.")]
Days = Annotated[int | None, typer.Option("--older-than", metavar="DAYS", help="First seen so many days ago.")]
Value = Annotated[str | None, typer.Option("--value", metavar="AMOUNT", help="Worth at least this much.")]
State = Annotated[str, typer.Option("--state", help="open, ignored, excluded or closed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.command("list")
def list_(
    team: Team = None,
    system: System = None,
    subject: Subject = None,
    rule: Code = None,
    older_than: Days = None,
    value: Value = None,
    state: State = "open",
    sort: Annotated[str, typer.Option("--sort", help="newest, oldest or value.")] = "newest",
    most: Annotated[int, typer.Option("--most", min=1, help="So many rows.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Print exceptions and how many there are; status 1 while any is open."""
    with guarded():
        from stokly_sync.cli import handling

        options = handling.Options(team, system, subject, rule, older_than, value, state, sort)
        raise typer.Exit(handling.show_list(options, most=most, as_json=as_json))


@app.command()
def waiting(subject: Subject = None, rule: Code = None, as_json: AsJson = False) -> None:
    """Print how many records only wait, or are left out with what they belong to, by feed and rule."""
    with guarded():
        from stokly_sync.cli import handling

        handling.show_waiting(feed=subject, rule=rule, as_json=as_json)


@app.command()
def show(subject: str, key: str, rule: str, as_json: AsJson = False) -> None:
    """Print one exception: what is wrong, what to do, the record without personal data, its history."""
    with guarded():
        from stokly_sync.cli import handling
        from stokly_sync.operations.listing import Ref

        handling.show_one(Ref(subject, key, rule), as_json=as_json)


@app.command()
def retry(
    record: Record = None, every: Every = False, team: Team = None, subject: Subject = None, rule: Code = None
) -> None:
    """Read records again from their source and send them, now; status 1 when any is still kept back."""
    with guarded():
        from stokly_sync.cli import handling

        options = handling.Options(team=team, subject=subject, rule=rule)
        raise typer.Exit(handling.retry(handling.Named(record or (), every, options)))


@app.command()
def ignore(
    reason: Annotated[str, typer.Option("--reason", help="Why; kept beside the exception.")],
    record: Record = None,
    every: Every = False,
    team: Team = None,
    subject: Subject = None,
    rule: Code = None,
) -> None:
    """Take exceptions off the list until their record changes."""
    with guarded():
        from stokly_sync.cli import handling

        options = handling.Options(team=team, subject=subject, rule=rule)
        handling.ignore(handling.Named(record or (), every, options), reason=reason)


@app.command()
def reopen(subject: str, key: str, rule: str) -> None:
    """Put an ignored exception back on the list."""
    with guarded():
        from stokly_sync.cli import handling
        from stokly_sync.operations.listing import Ref

        handling.reopen(Ref(subject, key, rule))


@app.command()
def assign(
    to: Annotated[str, typer.Option("--to", help="Who sees to it; empty for nobody.")],
    record: Record = None,
    every: Every = False,
    team: Team = None,
    subject: Subject = None,
    rule: Code = None,
) -> None:
    """Say who sees to exceptions."""
    with guarded():
        from stokly_sync.cli import handling

        options = handling.Options(team=team, subject=subject, rule=rule)
        handling.assign(handling.Named(record or (), every, options), to=to)


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; stdout without one.")] = None,
    team: Team = None,
    system: System = None,
    subject: Subject = None,
    rule: Code = None,
    older_than: Days = None,
    value: Value = None,
    state: State = "open",
) -> None:
    """Write exceptions as CSV, without anything personal."""
    with guarded():
        from stokly_sync.cli import handling

        handling.export(handling.Options(team, system, subject, rule, older_than, value, state), file)
