"""The few words that every flow speaks: extract, contract, plan, send, confirm, reconcile.

A *dataset* is a table of valid rows with its children (`stokly.orders` with `stokly.order_lines`). An `Extract` says
how it is read from its source; a `Feed` says how its rows become documents of a destination and how the fate of every
record is learnt. The Dagster assets, checks, the plan, the ledger, the reconciliation and the reference pages are all
made from these declarations. No vendor, no database and no Dagster here.
"""

from __future__ import annotations

from stokly_sync.flow.reading import Extract, Page, Scope, Window
from stokly_sync.flow.sending import (
    FIRST_READ,
    Append,
    BatchLimits,
    Built,
    Document,
    Facts,
    Feed,
    Gate,
    Need,
    Outcome,
    Part,
    Record,
    Trigger,
    Whole,
)
from stokly_sync.flow.systems import Budget, Forgotten, Matching, Memory, Origin, Person, Probe, System
from stokly_sync.flow.words import (
    Choice,
    Frames,
    Json,
    Lane,
    Mode,
    Problem,
    Received,
    ReplayClass,
    Rows,
    State,
    Statement,
    Team,
)

__all__ = [
    "FIRST_READ",
    "Append",
    "BatchLimits",
    "Budget",
    "Built",
    "Choice",
    "Document",
    "Extract",
    "Facts",
    "Feed",
    "Forgotten",
    "Frames",
    "Gate",
    "Json",
    "Lane",
    "Matching",
    "Memory",
    "Mode",
    "Need",
    "Origin",
    "Outcome",
    "Page",
    "Part",
    "Person",
    "Probe",
    "Problem",
    "Received",
    "Record",
    "ReplayClass",
    "Rows",
    "Scope",
    "State",
    "Statement",
    "System",
    "Team",
    "Trigger",
    "Whole",
    "Window",
]
