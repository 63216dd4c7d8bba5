"""What people see on an asset: column schemas, numbers under stable names, short tables.

Dagster takes plain ints, floats and texts only, and refuses anything else after the work is done; so every value goes
through here. Tables are capped, with the exact total beside them. No personal data may come in: keys and rule codes do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import dagster as dg

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.contracts.tables import DTYPES, Table

MOST_ROWS: Final = 20
"""Rows of a table in metadata: every value is stored with each event, so it stays at a few kB."""

MOST_WINDOWS: Final = 16
"""Windows of a run up to which its counts are stored with each of them."""


def column_schema(table: Table) -> dg.TableSchema:
    """A contract's columns as the interface shows them."""
    rules = [f"rule {rule.code}" for rule in table.rules]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=str(DTYPES[column.kind]),
                description=column.description,
                constraints=dg.TableColumnConstraints(
                    nullable=not column.required,
                    unique=table.key == (column.name,),
                    other=["personal data: cleared by erasure"] if column.personal else [],
                ),
            )
            for column in table.all_columns
        ],
        constraints=dg.TableConstraints(other=rules) if rules else None,
    )


def numbers(counts: Mapping[str, Any]) -> dict[str, dg.MetadataValue[Any]]:
    """Counts as metadata that plots over time; mappings become one number a key and their sum, None is left out."""
    found: dict[str, dg.MetadataValue[Any]] = {}
    for name, value in counts.items():
        if isinstance(value, Mapping):
            found[name] = dg.MetadataValue.int(sum(int(v) for v in value.values()))
            found |= {f"{name}_{plain(code)}": dg.MetadataValue.int(int(v)) for code, v in sorted(value.items())}
        elif isinstance(value, bool):
            found[name] = dg.MetadataValue.bool(value)
        elif isinstance(value, float):
            found[name] = dg.MetadataValue.float(round(value, 3))
        elif isinstance(value, str):
            found[name] = dg.MetadataValue.text(value)
        elif value is not None:
            found[name] = dg.MetadataValue.int(int(value))
    return found


def placed(
    counts: Mapping[str, dg.MetadataValue[Any]], *, windows: int
) -> tuple[dict[str, dg.MetadataValue[Any]], dict[str, dg.MetadataValue[Any]]]:
    """The counts of a run, for its asset and for its row-sum check: each stands at one of them.

    Dagster stores what stands at the asset once for each window of the run. Over a long range that would be wrong for
    every single window and fill the disk, so that the counts stand at the check, which is recorded once.
    """
    if windows <= MOST_WINDOWS:
        return dict(counts), {}
    return {"windows_in_run": dg.MetadataValue.int(windows)}, dict(counts)


def plain(code: str) -> str:
    """A rule code as part of a metadata name."""
    return code.lower().replace("-", "_").replace("/", "_")


def table(
    rows: Sequence[Mapping[str, str | int]], columns: Sequence[str], *, total: int | None = None
) -> dict[str, dg.MetadataValue[Any]]:
    """At most 20 rows as a table, with the exact total and how many are shown beside it."""
    shown = rows[:MOST_ROWS]
    return {
        "rows": dg.MetadataValue.table(
            records=[dg.TableRecord({c: row.get(c, "") for c in columns}) for row in shown],
            schema=dg.TableSchema([dg.TableColumn(c) for c in columns]),
        ),
        "total": dg.MetadataValue.int(len(rows) if total is None else total),
        "shown": dg.MetadataValue.int(len(shown)),
    }


def rule_table(counts: Mapping[str, int], catalogue: Catalogue) -> dict[str, dg.MetadataValue[Any]]:
    """Counts by rule, each with what is wrong, what to do and who owns it."""
    rows: list[dict[str, str | int]] = []
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        rule = catalogue.get(code)
        rows.append(
            {
                "rule": code,
                "records": int(count),
                "problem": rule.problem if rule else "",
                "advice": rule.advice if rule else "",
                "owner": rule.owner.value if rule else "",
            }
        )
    return table(rows, ("rule", "records", "problem", "advice", "owner"), total=sum(int(c) for c in counts.values()))


def sentence(text: str) -> dict[str, dg.MetadataValue[Any]]:
    """One sentence on what to do, shown first."""
    return {"what_to_do": dg.MetadataValue.md(text)}


def joined(parts: Iterable[Mapping[str, dg.MetadataValue[Any]]]) -> dict[str, dg.MetadataValue[Any]]:
    """Several pieces of metadata as one."""
    whole: dict[str, dg.MetadataValue[Any]] = {}
    for part in parts:
        whole |= part
    return whole
