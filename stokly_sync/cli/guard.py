"""From errors to an exit status and one message on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from stokly_sync.errors import StoklySyncError

COULD_NOT_RUN = 2
INTERRUPTED = 130


@contextmanager
def guarded() -> Iterator[None]:
    """End the command with status 2 and the error's sentence for what we foresaw, 130 for Ctrl-C; the rest passes."""
    try:
        yield
    except StoklySyncError as error:
        typer.echo(f"stokly-sync: {error}", err=True)
        raise typer.Exit(COULD_NOT_RUN) from None
    except KeyboardInterrupt:
        typer.echo("stokly-sync: interrupted; the next run goes on from here.", err=True)
        raise typer.Exit(INTERRUPTED) from None
