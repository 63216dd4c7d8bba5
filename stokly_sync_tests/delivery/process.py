"""A process of its own that plans and delivers to a destination kept in a file; the tests kill it at named places.

Forked from a server that has everything imported, so that a test pays for a process and not for imports.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stokly_sync.crashpoints import VARIABLE
from stokly_sync.delivery.figures import DeliveryFigures
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.flow import Feed, Outcome, Record, ReplayClass, State
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.delivery.kit import QUICK, RULES, orders_feed
from stokly_sync_tests.fault.process import context


class FileDestination:
    """Keeps each record it takes as one line; a line is whole or not there at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def take(self, batch: Sequence[Record]) -> None:
        text = "".join(json.dumps({"key": r.key, "hash": r.hash}) + "\n" for r in batch)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, text.encode())
        os.close(descriptor)

    def held(self) -> dict[str, list[str]]:
        held: dict[str, list[str]] = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                record = json.loads(line)
                held.setdefault(record["key"], []).append(record["hash"])
        return held


def _send(client: FileDestination, batch: Sequence[Record]) -> list[Outcome]:
    client.take(batch)
    return [Outcome(r.key, State.ACCEPTED) for r in batch]


def _submit(client: FileDestination, batch: Sequence[Record]) -> list[Outcome]:
    client.take(batch)
    return [Outcome(r.key, State.SUBMITTED, receipt="r") for r in batch]


def _settle(client: FileDestination, submitted: Sequence[Outcome]) -> list[Outcome]:
    held = client.held()
    return [Outcome(o.key, State.ACCEPTED) for o in submitted if o.key in held]


def _look_up(client: FileDestination, records: Sequence[Record]) -> list[Outcome]:
    held = client.held()
    return [Outcome(r.key, State.ACCEPTED) for r in records if r.key in held]


def feed_of(replay: ReplayClass) -> Feed:
    if replay is ReplayClass.UPSERT:
        return orders_feed(replay=replay, send=_submit, settle=_settle)
    return orders_feed(replay=replay, send=_send, look_up=_look_up)


def run(warehouse: Warehouse, client: FileDestination, replay: ReplayClass) -> DeliveryFigures:
    feed = feed_of(replay)
    plan(warehouse, feed, catalogue=RULES, run_id="run", chunk=20).check()
    # Small groups, so that a delivery passes each step several times.
    return deliver(warehouse, feed, client, catalogue=RULES, run_id="run", options=replace(QUICK, commit_every=2))


def killed(url: str, file: Path, replay: ReplayClass, place: str) -> int | None:
    """Plan and deliver in a process of its own until it dies at a place; gives its exit status."""
    process = context().Process(target=_run, args=(url, file, replay, place), daemon=True)
    process.start()
    process.join(timeout=60)
    return process.exitcode


def _run(url: str, file: Path, replay: ReplayClass, place: str) -> None:
    os.environ[VARIABLE] = place
    run(Warehouse.open(url, brand="demo"), FileDestination(file), replay)
    os._exit(0)
