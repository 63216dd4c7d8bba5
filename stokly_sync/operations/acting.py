"""What a person may do about exceptions: ignore, reopen, assign, retry, and decide what is in doubt.

Each act is written down in the transaction that does it. Acts that need another system (reading a record again,
sending) run after that transaction, so that what was decided stands whatever becomes of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.delivery.doubts import Word, resolve
from stokly_sync.delivery.rules import IN_DOUBT
from stokly_sync.errors import PermanentError, StoklySyncError
from stokly_sync.flow import Feed, State
from stokly_sync.operations import audit
from stokly_sync.operations.audit import Action
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Ref, Wanted, conditions, named
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.exceptions import IGNORED, OPEN
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED, LEDGER

AT_ONCE: Final = 200
"""So many records are read again and sent while a person waits; more are left to the next load."""
_LONGEST_REASON: Final = 1_000
_RETRIED: Final = (State.REJECTED, State.QUARANTINED)
_E: Final = EXCEPTIONS.c

Chosen = Sequence[Ref] | Wanted
"""Exceptions by name, or all that a list holds."""


class NotDone(PermanentError):
    """The act is not possible; nothing was changed."""


@dataclass(frozen=True)
class Retried:
    """What came of a retry: records asked for, those still open afterwards, and why something could not run."""

    asked: int
    still_open: int
    at_once: bool
    trouble: tuple[str, ...] = ()


def ignore(desk: Desk, chosen: Chosen, *, reason: str, actor: str) -> int:
    """Take open exceptions off the list until their content changes; gives their number.

    Raises NotDone without a reason, and for records in doubt: those wait for a decision, not for silence.
    """
    words = reason.strip()[:_LONGEST_REASON]
    if not words:
        raise NotDone("Say why: an exception is ignored with a reason.")
    which = _condition(desk, chosen, OPEN)
    with desk.warehouse.transaction() as conn:
        doubtful = sa.select(sa.func.count()).select_from(EXCEPTIONS).where(which, _E.rule == IN_DOUBT)
        if conn.execute(doubtful).scalar_one():
            raise NotDone("A record in doubt cannot be ignored: look at the destination, then decide.")
        audit.note(conn, desk.brand, Action.IGNORE, actor=actor, detail=words, chosen=which)
        return conn.execute(sa.update(EXCEPTIONS).where(which).values(state=IGNORED, note=words)).rowcount


def reopen(desk: Desk, chosen: Chosen, *, actor: str) -> int:
    """Put ignored exceptions back on the list; gives their number."""
    which = _condition(desk, chosen, IGNORED)
    with desk.warehouse.transaction() as conn:
        audit.note(conn, desk.brand, Action.REOPEN, actor=actor, detail="", chosen=which)
        return conn.execute(sa.update(EXCEPTIONS).where(which).values(state=OPEN)).rowcount


def assign(desk: Desk, chosen: Chosen, *, to: str, actor: str) -> int:
    """Say who sees to open exceptions (nobody where `to` is empty); gives their number."""
    name = " ".join(to.split())[:80]
    which = _condition(desk, chosen, OPEN)
    with desk.warehouse.transaction() as conn:
        audit.note(conn, desk.brand, Action.ASSIGN, actor=actor, detail=name or "nobody", chosen=which)
        return conn.execute(sa.update(EXCEPTIONS).where(which).values(assigned_to=name or None)).rowcount


def decide(desk: Desk, refs: Sequence[Ref], word: Word, *, actor: str) -> int:
    """Do what a person says of records in doubt (see `delivery.doubts`); gives their number.

    Raises NotDone when one of them is not in doubt; nothing was changed for its feed then.
    """
    action = Action.ARRIVED if word == "arrived" else Action.AGAIN
    run_id, done = uuid4().hex, 0
    for subject in sorted({ref.subject for ref in refs}):
        feed, keys = desk.feeds.get(subject), sorted({r.key for r in refs if r.subject == subject})
        if feed is None:
            raise NotDone(f"{subject} is no feed: what is in doubt was sent by one.")
        done += resolve(desk.warehouse, feed, keys, word, catalogue=desk.catalogue, run_id=run_id)
        with desk.warehouse.transaction() as conn:
            for key in keys:
                told = {"subject": subject, "key": key, "rule": IN_DOUBT}
                audit.note_record(conn, desk.brand, action, actor=actor, detail="", **told)
    return done


def retry(desk: Desk, chosen: Chosen, *, actor: str) -> Retried:
    """Let records be tried again: they are due at once, whatever was said of them before.

    Up to `AT_ONCE` are read again from their source and sent now, feed by feed; what cannot run says so in `trouble`,
    and the next load takes it. Of more records only the wish is stored.
    """
    which = _condition(desk, chosen, OPEN)
    with desk.warehouse.transaction() as conn:
        asked = audit.note(conn, desk.brand, Action.RETRY, actor=actor, detail="", chosen=which)
        refs = [Ref(*row) for row in conn.execute(sa.select(*_NAMES).where(which).limit(AT_ONCE + 1))]
        subjects = conn.execute(sa.select(_E.subject).where(which).distinct()).scalars()
        for subject in [s for s in subjects if s in desk.feeds]:
            _make_due(conn, desk, subject, which)
    if asked > AT_ONCE:
        return Retried(asked, asked, at_once=False)
    trouble = tuple(dict.fromkeys(_at_once(desk, refs)))
    return Retried(asked, _still_open(desk, refs), at_once=True, trouble=trouble)


_NAMES: Final = (_E.subject, _E.key, _E.rule)


def _make_due(conn: sa.Connection, desk: Desk, feed: str, which: sa.ColumnElement[bool]) -> None:
    """Mark what a feed holds of them as stale: the next plan of the feed sends it, be its content new or not."""
    c = LEDGER.c
    keys = sa.select(_E.key).where(which, _E.subject == feed)
    mine = (c.brand == desk.brand, c.feed == feed, c.entry == 0, c.state.in_([s.value for s in _RETRIED]))
    conn.execute(sa.update(LEDGER).where(*mine, c.key.in_(keys)).values(stale=True))


def _at_once(desk: Desk, refs: Sequence[Ref]) -> list[str]:
    """Read again, then send; gives what could not be done, in words."""
    run_id, trouble = uuid4().hex, []
    feeds = sorted({r.subject for r in refs if r.subject in desk.feeds})
    for dataset, keys in _records(desk, refs).items():
        if desk.extracts[dataset].fetch is None:
            continue
        try:
            desk.hands.read_again(dataset, keys, run_id=run_id)
        except StoklySyncError as error:
            trouble.append(f"{dataset}: {error}")
    for feed in feeds:
        try:
            desk.hands.load(feed, run_id=run_id)
        except StoklySyncError as error:
            trouble.append(f"{feed}: {error}")
    return trouble


def _records(desk: Desk, refs: Sequence[Ref]) -> Mapping[str, list[str]]:
    """The records behind exceptions, by dataset, as far as a source can be asked for them."""
    found: dict[str, set[str]] = {}
    for ref in refs:
        if ref.subject in desk.extracts:
            found.setdefault(ref.subject, set()).add(ref.key)
    with desk.warehouse.reading() as conn:
        for name in sorted({r.subject for r in refs if r.subject in desk.feeds}):
            feed = desk.feeds[name]
            if feed.dataset in desk.extracts:
                keys = [r.key for r in refs if r.subject == name]
                found.setdefault(feed.dataset, set()).update(_roots(conn, desk.brand, feed, keys))
    return {dataset: sorted(keys) for dataset, keys in found.items() if keys}


def _roots(conn: sa.Connection, brand: str, feed: Feed, keys: Sequence[str]) -> list[str]:
    """Keys of the dataset's rows that a feed's records are made of."""
    root = LANDED[feed.dataset].c
    own = root[DATASETS[feed.dataset].key]
    query = sa.select(own).where(root.brand == brand, among(conn, root[feed.key], keys))
    return list(conn.execute(query).scalars())


def _still_open(desk: Desk, refs: Sequence[Ref]) -> int:
    with desk.warehouse.reading() as conn:
        query = sa.select(sa.func.count()).select_from(EXCEPTIONS).where(_condition(desk, refs, OPEN))
        return conn.execute(query).scalar_one()


def _condition(desk: Desk, chosen: Chosen, state: str) -> sa.ColumnElement[bool]:
    """The exceptions that are meant, in the state from which the act leads; brand first."""
    if isinstance(chosen, Wanted):
        return sa.and_(*conditions(desk.brand, replace(chosen, state=state)))
    if not chosen:
        raise NotDone("No exception was chosen.")
    return sa.and_(_E.brand == desk.brand, _E.state == state, named(chosen))
