"""What holds of a person's consent, and how a destination is told (X19).

Belongs here: the channels, the rule by which statements are weighed, the dataset of what holds, and the feed by which
every destination takes it. How statements are kept and rows are made stands in `landing.consent`; how a choice is read
and written on the wire stands in each system's `consent`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.contracts.tables import Column, Dataset, Kind, Table
from stokly_sync.flow import (
    BatchLimits,
    Built,
    Choice,
    Document,
    Feed,
    Frames,
    Gate,
    Json,
    Lane,
    Need,
    Outcome,
    Problem,
    Record,
    ReplayClass,
    Team,
)

EMAIL: Final = "email"
SMS: Final = "sms"
CHANNELS: Final = (EMAIL, SMS)
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of an opt-in that stood when its system was first asked and of unknown age: every opt-out is later."""
POOL: Final = "consent"
FEED: Final = "consents"


def _columns(channel: str) -> tuple[Column, ...]:
    return (
        Column(f"{channel}_choice", Kind.TEXT, f"What holds for {channel}: in, out, or missing where nobody said."),
        Column(f"{channel}_at", Kind.TIME, f"When that was said for {channel}, UTC."),
        Column(f"{channel}_source", Kind.TEXT, f"The system where it was said for {channel}."),
    )


CONSENTS: Final = Dataset(
    root=Table(
        name="derived.consents",
        description="The choice that holds for each customer of whom anything is known, by channel.",
        key=("customer_id",),
        columns=(
            Column("customer_id", Kind.TEXT, "Stokly's id of the customer.", required=True),
            *(column for channel in CHANNELS for column in _columns(channel)),
            Column("changed_at", Kind.TIME, "When the newest of these was said, UTC.", required=True),
        ),
    ),
    event_at="changed_at",
)

ORIGIN: Final = Rule(
    "CONSENT-ORIGIN",
    "The person made the choice in this very system.",
    "Nothing to do: a choice is not sent back to where it was made.",
    Team.MARKETING,
    "X19",
    Effect.EXCLUDE,
    Severity.LOW,
)
RULES: Final = (ORIGIN,)


@dataclass(frozen=True)
class Said:
    """One statement as it is weighed."""

    choice: Choice
    at: datetime
    system: str


def holding(said: Iterable[Said], owner: str) -> Said | None:
    """The statement that holds: the newest opt-out from anywhere, unless the owner states an opt-in after it.

    Opt-ins of others count for nothing. None where nothing that counts was said.
    """
    known = list(said)
    out = max((s for s in known if s.choice is Choice.OUT), key=lambda s: s.at, default=None)
    ins = (s for s in known if s.choice is Choice.IN and s.system == owner)
    back = max(ins, key=lambda s: s.at, default=None)
    return back if back is not None and (out is None or back.at > out.at) else out


@dataclass(frozen=True)
class Told:
    """What a destination is to be told of one customer: the choice and its time by channel."""

    customer: str
    email: str | None
    choices: dict[str, tuple[Choice, datetime]]


def consents_feed(
    *,
    system: str,
    document: Callable[[Told], Json],
    send: Callable[[Any, Sequence[Record]], Sequence[Outcome]],
    settle: Callable[[Any, Sequence[Outcome]], Sequence[Outcome]] | None = None,
    limits: BatchLimits,
    rejected_rule: str,
) -> Feed:
    """The feed by which a destination with a feed `contacts` takes choices: key is the customer id.

    `document` makes one record; it must hold the time of each choice, so that the same choice made again is sent again.
    """

    def build(frames: Frames) -> Built:
        return _built(frames, system, document)

    return Feed(
        system=system,
        name=FEED,
        dataset=CONSENTS.name,
        key="customer_id",
        owner=Team.MARKETING,
        description="Choices of consent that were made elsewhere, beside every load and before it.",
        lane=Lane.FAST,
        pool=POOL,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=build,
        send=send,
        settle=settle,
        needs=(Need("stokly.customers", "customer_id", CONSENTS.name, "customer_id"),),
        gates=(Gate("contacts", "its contact", _own_contact, follows=True),),
        rejected_rule=rejected_rule,
    )


def _built(frames: Frames, system: str, document: Callable[[Told], Json]) -> Built:
    rows, customers = frames[CONSENTS.name], frames["stokly.customers"]
    emails = dict(zip(columns.keys(customers["customer_id"]), columns.texts(customers["email"]), strict=True))
    told = _told(rows, system, emails)
    documents, kept = [], []
    for one, version, event in zip(
        told, columns.moments(rows["version"]), columns.moments(rows["changed_at"]), strict=True
    ):
        if not one.choices:
            kept.append(Problem(one.customer, ORIGIN.code, f"said in {system}"))
        elif version is not None:
            documents.append(Document(one.customer, document(one), version, event_at=event))
    return Built(documents, kept)


def _told(rows: pd.DataFrame, system: str, emails: dict[str, str | None]) -> list[Told]:
    keys = columns.keys(rows["customer_id"])
    found = [Told(key, (emails.get(key) or "").strip() or None, {}) for key in keys]
    for channel in CHANNELS:
        for one, choice, at, source in zip(
            found,
            columns.texts(rows[f"{channel}_choice"]),
            columns.moments(rows[f"{channel}_at"]),
            columns.texts(rows[f"{channel}_source"]),
            strict=True,
        ):
            if choice is not None and at is not None and source != system:
                one.choices[channel] = (Choice(choice), at)
    return found


def _own_contact(frames: Frames) -> pd.DataFrame:
    keys = frames[CONSENTS.name]["customer_id"]
    return pd.DataFrame({"key": keys, "needs": keys})
