"""What `stokly-sync exceptions` and `stokly-sync trace` do: questions and acts of `operations`, printed."""

from __future__ import annotations

import csv
import getpass
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from stokly_sync.contracts import money
from stokly_sync.contracts.rules import Catalogue
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Team
from stokly_sync.operations import acting, listing, looking, searching, tracing, waiting
from stokly_sync.operations.acting import Chosen
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.export import COLUMNS, cells
from stokly_sync.operations.listing import Order, Ref, Row, Wanted
from stokly_sync.operations.steps import Step
from stokly_sync.pipeline.by_hand import desk_of
from stokly_sync.pipeline.services import Services


@dataclass(frozen=True)
class Options:
    """What the options of a command say of a list, as they were typed."""

    team: str | None = None
    system: str | None = None
    subject: str | None = None
    rule: str | None = None
    older_than: int | None = None
    value: str | None = None
    state: str = "open"
    sort: str = "newest"

    def wanted(self) -> Wanted:
        """The list; raises SettingsError for a word that is none."""
        try:
            return Wanted(
                state=self.state,
                owner=None if self.team is None else Team(self.team.lower()),
                system=self.system,
                subject=self.subject,
                rule=self.rule,
                older_than=None if self.older_than is None else timedelta(days=self.older_than),
                at_least=None if self.value is None else money.nano(self.value),
                order=Order(self.sort),
            )
        except ValueError as error:
            known = f"Teams are {', '.join(Team)}; lists are sorted by {', '.join(Order)}; a value is such as 12.50."
            raise SettingsError(f"{error}. {known}") from None


@dataclass(frozen=True)
class Named:
    """Which exceptions are meant: one by its three names, or all that some options describe."""

    record: Sequence[str]
    every: bool
    options: Options

    def chosen(self) -> Chosen:
        """The exceptions; raises SettingsError when nothing, or everything, was said."""
        wanted = self.options.wanted()
        if self.record:
            if self.every or len(self.record) != 3:
                raise SettingsError("Name one exception as SUBJECT KEY RULE, or say --all with what they share.")
            return [Ref(*self.record)]
        if not self.every or wanted == Wanted():
            raise SettingsError("Say which: SUBJECT KEY RULE, or --all with --team, --subject or --rule.")
        return wanted


def show_list(options: Options, *, most: int, as_json: bool) -> int:
    """Print a list and how long it is; gives 1 while any is open."""
    wanted = options.wanted()
    with _desk() as desk:
        rows, total = listing.page(desk, wanted, size=most).rows, listing.total(desk, wanted)
        if as_json:
            _print({"count": total.count, "rows": [_plain(row) for row in rows]})
        else:
            _console().print(_table(desk.catalogue, rows))
            _console().print(f"{len(rows):,} of {total.count:,} {wanted.state}.")
    return 1 if total.count and wanted.state == "open" else 0


def show_waiting(*, feed: str | None, rule: str | None, as_json: bool) -> None:
    """Print what waits and what is left out, by feed and rule, with what to do should it take too long."""
    with _desk() as desk:
        found = waiting.groups(desk, feed=feed, rule=rule)
    if as_json:
        _print({"groups": [asdict(one) for one in found]})
        return
    for one in found:
        known = desk.catalogue.get(one.rule)
        line = f"{one.count:,} {one.state}  {one.feed}  {one.rule}"
        _console().print(f"{line}\n  {known.problem}\n  {known.advice}" if known else line, markup=False)
    sys.stdout.write("" if found else "Nothing waits.\n")


def show_one(ref: Ref, *, as_json: bool) -> None:
    """Print one exception, its record without personal data, and its history."""
    with _desk() as desk:
        found = looking.look(desk, ref)
    if as_json:
        _print(asdict(found))
        return
    out = _console()
    if found.rule is not None:
        out.print(f"{found.rule.problem}\nFound: {found.row.detail}\nWhat to do: {found.rule.advice}", markup=False)
    for shown in (*found.received, *found.outgoing):
        out.print(f"\n{shown.title}:\n{shown.text}", markup=False)
    out.print("\nHistory:")
    _tell(found.history)


def retry(named: Named) -> int:
    """Read records again and send them; gives 1 when any is still kept back."""
    chosen = named.chosen()
    with _desk() as desk:
        done = acting.retry(desk, chosen, actor=actor())
    left = f"{done.still_open:,} still kept back" if done.at_once else "left to the next loads"
    sys.stdout.write(f"{done.asked:,} retried, {left}\n" + "".join(f"{line}\n" for line in done.trouble))
    return 1 if done.still_open else 0


def ignore(named: Named, *, reason: str) -> None:
    """Take exceptions off the list."""
    chosen = named.chosen()
    with _desk() as desk:
        sys.stdout.write(f"{acting.ignore(desk, chosen, reason=reason, actor=actor()):,} ignored\n")


def reopen(ref: Ref) -> None:
    """Put an ignored exception back on the list."""
    with _desk() as desk:
        sys.stdout.write(f"{acting.reopen(desk, [ref], actor=actor()):,} open again\n")


def assign(named: Named, *, to: str) -> None:
    """Say who sees to exceptions."""
    chosen = named.chosen()
    with _desk() as desk:
        done = acting.assign(desk, chosen, to=to, actor=actor())
    sys.stdout.write(f"{done:,} assigned to {to.strip() or 'nobody'}\n")


def export(options: Options, file: Path | None) -> None:
    """Write a list as CSV, to a file or to stdout."""
    wanted = options.wanted()
    target = file.open("w", newline="", encoding="utf-8") if file else sys.stdout
    try:
        with _desk() as desk:
            writer = csv.writer(target)
            writer.writerow(COLUMNS)
            writer.writerows(cells(desk, row) for row in listing.stream(desk, wanted))
    finally:
        if file:
            target.close()


def trace(words: str, *, as_json: bool) -> int:
    """Print the path of the record that some words name; gives 1 when they name none, or several."""
    with _desk() as desk:
        found = searching.search(desk, words)
        if len(found) != 1:
            return _offer(found, as_json=as_json)
        path = tracing.trace(desk, found[0].dataset, found[0].key)
    if as_json:
        _print(asdict(path))
        return 0
    out = _console()
    for stop in path.stops:
        _stand(out, stop)
    if path.more:
        out.print("Older records belong to it too and are not shown.\n")
    out.print("What happened (UTC):")
    _tell(path.steps)
    return 0


def _stand(out: Console, stop: tracing.Stop) -> None:
    """One record of a path: what it is, and where it stands with every feed."""
    title = f"{stop.system}: {stop.what} {stop.name}"
    out.print(title if stop.name == stop.key else f"{title} ({stop.key})", markup=False, style="bold")
    facts = [f"{name} {value}" for name, value in stop.facts]
    if stop.landed_at is None:
        facts.append("never taken over")
    if facts:
        out.print(f"  {', '.join(facts)}", markup=False)
    for one in stop.standing:
        when = f" {one.at:%Y-%m-%d %H:%M}" if one.at else ""
        why = f": {one.why}" if one.why else ""
        out.print(f"  → {one.system} {one.what}: {one.words}{when}{why}", markup=False)
    for row in stop.exceptions:
        out.print(f"  {row.state}: {row.ref.rule} {row.detail}", markup=False)
    out.print()


def _offer(found: Sequence[searching.Found], *, as_json: bool) -> int:
    if as_json:
        _print({"found": [asdict(one) for one in found]})
    elif not found:
        sys.stdout.write("Nothing is known by that.\n")
    else:
        sys.stdout.write("Several records are known by that; trace one by its id:\n")
        sys.stdout.write("".join(f"  {one.dataset}  {one.name}  {one.key}\n" for one in found))
    return 1


def _tell(steps: Sequence[Step]) -> None:
    width = max((len(step.where) for step in steps), default=0)
    for step in steps:
        detail = f": {step.detail}" if step.detail else ""
        line = f"  {step.at:%Y-%m-%d %H:%M:%S}  {step.where:<{width}}  {step.what}{detail}"
        _console().print(line, markup=False)


@contextmanager
def _desk() -> Iterator[Desk]:
    services = Services.open()
    try:
        yield desk_of(services)
    finally:
        services.close()


def actor() -> str:
    """Who acts: the account of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


def _table(catalogue: Catalogue, rows: Sequence[Row]) -> Table:
    table = Table(header_style="bold")
    for name in ("subject", "key", "rule", "team", "since", "at stake", "assigned", "what is wrong"):
        table.add_column(name, no_wrap=name in ("subject", "key", "rule"))
    for row in rows:
        worth = "" if row.value is None else f"{money.text(row.value)} {row.currency or ''}"
        wrong = catalogue[row.ref.rule].problem if row.ref.rule in catalogue else row.detail
        since = f"{row.first_seen:%Y-%m-%d %H:%M}"
        table.add_row(*row.ref, row.owner or "", since, worth, row.assigned_to or "", wrong)
    return table


def _plain(row: Row) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(row).items() if name != "ref"}
    return row.ref._asdict() | plain | {"value": None if row.value is None else money.text(row.value)}


def _print(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def _console() -> Console:
    console = Console(highlight=False)
    # Without a terminal there is no width to know; tables that wrap can be read by nobody.
    return console if console.is_terminal else Console(highlight=False, width=220)
