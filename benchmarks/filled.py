"""Databases that hold a loaded history, made once a run by our own landing and copied for each measurement."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from psycopg2 import sql

from benchmarks import surroundings
from benchmarks.context import Context
from benchmarks.harness import Sample, child

BEFORE_ORDERS = ("items", "customers")
FEEDS_BEFORE_ORDERS = ("products", "contacts")


@dataclass(frozen=True)
class Filled:
    """A database with landed history; `loading` is how that went."""

    server: sa.URL
    url: str
    wire: surroundings.Wire
    context: Context
    loading: Sample

    def arguments(self, database: str | None = None) -> list[str]:
        """What the product's scripts need to know."""
        return [
            f"--url={self.wire.url}",
            f"--database={database or self.url}",
            f"--until={self.context.end.isoformat()}",
        ]

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The URL of a copy that is thrown away; nobody may be connected to this one meanwhile."""
        name = f"bench_copy_{uuid.uuid4().hex[:8]}"
        try:
            yield surroundings.copy_database(self.server, self.url, name=name)
        finally:
            surroundings.execute(
                self.server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def deliver(self, feeds: Sequence[str], *, concurrency: int = 2, database: str | None = None) -> Sample:
        """Plan and send feeds, in a process of its own."""
        chosen = [f"--feeds={','.join(feeds)}", f"--concurrency={concurrency}"]
        return child(["benchmarks.product.deliver", *self.arguments(database), *chosen])


@contextmanager
def filled(context: Context, wire: surroundings.Wire, *, ready_to_send: bool = True) -> Iterator[Filled]:
    """A database with items, customers and the wire's orders; with products and contacts sent, so that orders may."""
    with surroundings.database(context.postgresql) as url:
        arguments = [f"--url={wire.url}", f"--database={url}", f"--until={context.end.isoformat()}"]
        child(["benchmarks.product.load", *arguments, f"--datasets={','.join(BEFORE_ORDERS)}"])
        loading = child(["benchmarks.product.load", *arguments, "--datasets=orders"])
        made = Filled(context.postgresql, url, wire, context, loading)
        if ready_to_send:
            made.deliver(FEEDS_BEFORE_ORDERS)
        yield made
