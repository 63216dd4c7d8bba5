"""From failed runs to findings, with a cursor of our own, so that none is lost while the sensor itself failed.

One finding a job, however often it fails; it is cleared when the newest finished run of that job has succeeded.
"""

from __future__ import annotations

from typing import Final

import dagster as dg
import msgspec

from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Team
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.store import Warehouse

KIND: Final = "run-failed"
MOST_AT_ONCE: Final = 25

_FINISHED: Final = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


class Cursor(msgspec.Struct, frozen=True):
    """Where the last look ended, in Dagster's own words."""

    version: int = 1
    events: str | None = None


def note_failed_runs(warehouse: Warehouse, instance: dg.DagsterInstance, cursor: str | None) -> tuple[int, int, str]:
    """Raise a finding for each job that failed since `cursor` and clear those that work again.

    Gives the number raised, the number cleared and the next cursor.
    """
    before = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor()
    found = instance.fetch_run_status_changes(
        dg.DagsterEventType.RUN_FAILURE, limit=MOST_AT_ONCE, cursor=before.events, ascending=True
    )
    raised = 0
    for record in found.records:
        run = instance.get_run_by_id(record.event_log_entry.run_id)
        if run is not None and _still_failing(instance, run.job_name):
            _raise(warehouse, run)
            raised += 1
    cleared = _clear(warehouse, instance)
    return raised, cleared, msgspec.json.encode(Cursor(events=found.cursor)).decode()


def _raise(warehouse: Warehouse, run: dg.DagsterRun) -> None:
    window = run.tags.get("dagster/partition", "")
    with warehouse.transaction() as conn:
        findings.raise_finding(
            conn,
            brand=warehouse.brand,
            kind=KIND,
            subject=run.job_name,
            problem_key=run.job_name,
            title=f"A run of {run.job_name} failed" + (f" for window {window}" if window else ""),
            body={"advice": "Open the run, read the error of the failed step and do what it says.", "window": window},
            severity=Severity.HIGH,
            owner=Team.OPERATIONS,
            run_id=run.run_id,
        )


def _clear(warehouse: Warehouse, instance: dg.DagsterInstance) -> int:
    with warehouse.reading() as conn:
        jobs = [f.subject for f in findings.open_findings(conn, brand=warehouse.brand) if f.kind == KIND]
    over = [job for job in jobs if not _still_failing(instance, job)]
    with warehouse.transaction() as conn:
        for job in over:
            findings.clear_finding(conn, brand=warehouse.brand, kind=KIND, subject=job, problem_key=job)
    return len(over)


def _still_failing(instance: dg.DagsterInstance, job: str) -> bool:
    newest = instance.get_runs(dg.RunsFilter(job_name=job, statuses=_FINISHED), limit=1)
    return bool(newest) and newest[0].status is dg.DagsterRunStatus.FAILURE
