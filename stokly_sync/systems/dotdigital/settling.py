"""From "taken" to "accepted" or "rejected": imports followed to their end (D7).

An import that fails as a whole names no culprit, so its records are imported again in halves until the culprit stands
alone. One that the vendor lost is sent again. Where the records of such an import are not at hand, because an earlier
run started it, they are planned again: they replace what is there, so that does no harm. An order that belongs to
another contact by now is taken away from the old one first. Source: Dotdigital API contract 2, 3 (bulk import; a key
of another contact), 7.2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from stokly_sync.contracts.owners import person
from stokly_sync.errors import BatchRefused
from stokly_sync.flow import Json, Outcome, State
from stokly_sync.systems.dotdigital.client import DotdigitalClient
from stokly_sync.systems.dotdigital.imports import CONTACTS, INSIGHT, LOST, Imports, Report, imports
from stokly_sync.systems.dotdigital.reports import (
    NO_CONTACT,
    OTHER_OWNER,
    Refusal,
    contact_failures,
    insight_failures,
)
from stokly_sync.systems.dotdigital.rules import EMAIL_TAKEN, IMPORT_LOST, REJECTED, SUPPRESSED
from stokly_sync.systems.dotdigital.sending import TAKEN, addressed, contact_body, digest, orders_of, submitted

TOO_MANY: Final = "ExceedsAllowedContactLimit"
NOBODY_KNOWS: Final = "Dotdigital does not know the import any more"
AGAIN: Final = 2
"""How often an order is sent again whose contact is not to be seen yet, and an import that was lost. Source: contract 3
(contacts first)."""


class Follower(Protocol):
    """What is different between contacts and insight data."""

    imports: Imports

    def verdicts(self, report: Report, asked: Sequence[Outcome]) -> list[Outcome]:
        """What a finished import says of its records."""

    def again(self, body: Json, keys: Iterable[str]) -> tuple[Json, list[Outcome], list[Outcome]]:
        """A new body for some of the records of a former one, what is asked of it, and what is known at once."""


def settle_contacts(client: DotdigitalClient, submitted: Sequence[Outcome]) -> list[Outcome]:
    """What became of contacts."""
    return _settle(_Contacts(client), submitted)


def settle_insight(client: DotdigitalClient, submitted: Sequence[Outcome]) -> list[Outcome]:
    """What became of orders or products."""
    return _settle(_Insight(client), submitted)


def _settle(follower: Follower, submitted: Sequence[Outcome]) -> list[Outcome]:
    by_import: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in submitted:
        by_import[(outcome.receipt or "").partition("#")[0]].append(outcome)
    return [known for import_id, asked in by_import.items() for known in _follow(follower, import_id, asked)]


def _follow(follower: Follower, import_id: str, asked: Sequence[Outcome], *, lost: int = 0) -> list[Outcome]:
    """Outcomes of one import and of those that follow from it; `lost` counts how often its records were lost before."""
    report = follower.imports.wait(import_id) if import_id else Report(LOST)
    if not report.over:
        return []
    if report.done:
        return follower.verdicts(report, asked)
    if report.status == TOO_MANY:
        return _refused(asked, "the account may hold no more contacts", REJECTED.code)
    body = follower.imports.sent.get(import_id)
    if body is None:
        return [Outcome(o.key, State.PLANNED, f"an earlier import ended as {report.status}") for o in asked]
    keys = [outcome.key for outcome in asked]
    if report.status == LOST:
        if lost >= AGAIN:
            return _refused(asked, NOBODY_KNOWS, IMPORT_LOST.code)
        return _repeat(follower, body, keys, lost=lost + 1)
    if len(keys) == 1:
        return _refused(asked, f"the import ended as {report.status}", REJECTED.code)
    middle = len(keys) // 2
    return [o for part in (keys[:middle], keys[middle:]) for o in _repeat(follower, body, part, lost=lost)]


def _repeat(follower: Follower, body: Json, keys: Sequence[str], *, lost: int = 0) -> list[Outcome]:
    """Import some records of a body again and follow that to its end."""
    fresh, asked, known = follower.again(body, keys)
    if not asked:
        return known
    try:
        import_id = follower.imports.start(fresh)
    except BatchRefused as refused:
        return known + _refused(asked, str(refused), REJECTED.code)
    renewed = [Outcome(o.key, o.state, receipt=f"{import_id}{o.receipt or ''}") for o in asked]
    return known + _follow(follower, import_id, renewed, lost=lost)


def _refused(asked: Sequence[Outcome], reason: str, rule: str) -> list[Outcome]:
    return [Outcome(o.key, State.REJECTED, reason, o.receipt, rule) for o in asked]


class _Contacts:
    """Contacts; their key is the custom identifier, or a digest of a guest's address."""

    def __init__(self, client: DotdigitalClient) -> None:
        self.client = client
        self.imports = imports(client, CONTACTS)

    def verdicts(self, report: Report, asked: Sequence[Outcome]) -> list[Outcome]:
        name = self.client.settings.identifier
        failures = contact_failures(report.failures, name)
        # Who is suppressed is counted and not named: it is whoever was neither written nor refused.
        written = {str(row.get(name)) for row in report.written} | {
            digest(str(row["email"])) for row in report.written if row.get("email")
        }
        known = []
        for outcome in asked:
            email = (outcome.receipt or "").partition("#")[2]
            reason = failures.by_customer.get(outcome.key) or failures.by_email.get(email)
            if reason is None and report.suppressed and not {outcome.key, email} & written:
                known += _refused([outcome], "the contact is suppressed and stays as it is", SUPPRESSED.code)
            else:
                known.append(_verdict(outcome, reason))
        return known

    def again(self, body: Json, keys: Iterable[str]) -> tuple[Json, list[Outcome], list[Outcome]]:
        name, wanted = self.client.settings.identifier, set(keys)
        # A guest has no customer id: its key is the digest of the address.
        own = {c["identifiers"].get(name) or person(c["identifiers"]["email"]): c for c in body["contacts"]}
        ready, taken = addressed(self.client, {key: contact for key, contact in own.items() if key in wanted})
        asked = [submitted(key, contact) for key, contact in ready.items()]
        known = [Outcome(k, State.REJECTED, TAKEN, rule=EMAIL_TAKEN.code) for k in taken]
        return contact_body(list(ready.values())), asked, known


class _Insight:
    """Orders and products; their key is the record's."""

    def __init__(self, client: DotdigitalClient) -> None:
        self.client = client
        self.imports = imports(client, INSIGHT)
        self._tries = AGAIN
        self._moving = True

    def verdicts(self, report: Report, asked: Sequence[Outcome]) -> list[Outcome]:
        refused = insight_failures(report.failures)
        keys = {outcome.key for outcome in asked}
        moved = {k: r for k, r in refused.items() if r.word == OTHER_OWNER and r.record and k in keys}
        early = {k: r for k, r in refused.items() if r.word in NO_CONTACT and r.record and k in keys}
        known = []
        if moved and self._moving:
            self._moving = False
            known += self._move(moved)
        if early and self._tries:
            self._tries -= 1
            self.client.clock.sleep(self.client.settings.poll_seconds)
            known += self._send_again(early)
        done = {outcome.key for outcome in known}
        return known + [
            _verdict(o, refused[o.key].reason if o.key in refused else None) for o in asked if o.key not in done
        ]

    def again(self, body: Json, keys: Iterable[str]) -> tuple[Json, list[Outcome], list[Outcome]]:
        wanted = set(keys)
        rest = [record for record in body["records"] if record["key"] in wanted]
        return {**body, "records": rest}, [Outcome(record["key"], State.SUBMITTED) for record in rest], []

    def _move(self, moved: Mapping[str, Refusal]) -> list[Outcome]:
        """Delete orders at the contacts that have them, and import them for their new ones. Source: contract 3."""
        left = set(moved)
        for page in self.client.orders():
            for row in page:
                if row.get("key") in left and row.get("ownerContactId") is not None:
                    self.client.delete_order(int(row["ownerContactId"]), str(row["key"]))
                    left.discard(str(row["key"]))
            if not left:
                break
        return self._send_again(moved)

    def _send_again(self, refused: Mapping[str, Refusal]) -> list[Outcome]:
        body = {**orders_of(self.client.settings), "records": [r.record for r in refused.values()]}
        return _repeat(self, body, list(refused))


def _verdict(outcome: Outcome, reason: str | None) -> Outcome:
    if reason is None:
        return Outcome(outcome.key, State.ACCEPTED, receipt=outcome.receipt)
    return Outcome(outcome.key, State.REJECTED, reason, outcome.receipt, REJECTED.code)
