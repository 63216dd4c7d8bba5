"""Words that reading and sending share: teams, lanes, states, rows and frames, and what somebody said of consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import pandas as pd

Frames = dict[str, pd.DataFrame]
"""Rows by table name, for example `{"stokly.orders": ..., "stokly.order_lines": ...}`."""

Json = dict[str, Any]

Received = Mapping[str, Any]
"""A document as its source gave it; it may be read only as far as somebody looks."""


class Team(StrEnum):
    """Who looks after an exception (X2)."""

    FINANCE = "finance"
    OPERATIONS = "operations"
    ECOMMERCE = "ecommerce"
    MARKETING = "marketing"
    CX = "cx"


class Lane(StrEnum):
    """How urgent a feed is; each lane has its own pool and its share of the rate budget (X17, E4)."""

    BULK = "bulk"
    INTERVAL = "interval"
    FAST = "fast"


class ReplayClass(StrEnum):
    """What may be done with a record whose outcome is unknown."""

    UPSERT = "upsert"
    LOOK_UP = "look_up"
    NEVER = "never"


class Mode(StrEnum):
    """What a feed may do: write, only reconcile and report, or nothing."""

    WRITE = "write"
    OBSERVE = "observe"
    OFF = "off"


class State(StrEnum):
    """The state of a record in the ledger; see docs/architecture.md for the transitions."""

    # Counted for every record: the hash of an enumeration's member is a call, that of its text is not.
    __hash__ = str.__hash__

    PLANNED = "planned"
    PARKED = "parked"
    QUARANTINED = "quarantined"
    EXCLUDED = "excluded"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"


class Choice(StrEnum):
    """What somebody has said of being written to (X19)."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True)
class Statement:
    """One choice as a system tells it; `said_at` (UTC) is None where nobody knows when: then the first sight counts.

    Whose it is, is said by Stokly's customer id, by the e-mail address, or by both.
    """

    channel: str
    choice: Choice
    said_at: datetime | None
    customer: str | None = None
    email: str | None = field(default=None, repr=False)
    reason: str | None = None


@dataclass(frozen=True)
class Problem:
    """One row that breaks a rule: the row's natural key, the rule's code and the detail in plain words."""

    key: str
    rule: str
    detail: str


@dataclass(frozen=True)
class Rows:
    """Documents turned into rows: one frame a table, plus what could not be turned."""

    frames: Frames
    problems: Sequence[Problem] = ()
