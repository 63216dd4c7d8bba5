"""What a seed is: rows by Stokly collection, the defects planted in them, and where input rows went.

Belongs here: the values that seeds hand over. A seed is plain data: it knows no server and no store.
"""

from typing import Any

import msgspec

Row = dict[str, Any]
PARENT = "_parent"
"""The member by which a row of a sub-list (`saleorders/items`) names its parent."""


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """One defect put in on purpose.

    `rule` is the code under which it must be reported, `dataset` the Stokly collection, `key` the id of
    the record that must be held back, `note` what is wrong with it.
    """

    rule: str
    dataset: str
    key: str
    note: str


class RowReport(msgspec.Struct, frozen=True, kw_only=True):
    """Where every row of a transactions file went; `excluded` counts by the name of the reason."""

    rows: int
    order_lines: int
    refund_lines: int
    credit_note_lines: int
    write_off_lines: int
    excluded: dict[str, int]

    @property
    def accounted(self) -> int:
        """The rows that went somewhere; equal to `rows`."""
        lines = self.order_lines + self.refund_lines + self.credit_note_lines + self.write_off_lines
        return lines + sum(self.excluded.values())


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """The data of one Stokly account.

    `collections` holds rows by collection (`saleorders`) and sub-list (`saleorders/items`), with times as
    `2025-05-28T11:46:00.000Z`, amounts as `int` or `Decimal`, and sub-list rows naming their `PARENT`.
    """

    name: str
    collections: dict[str, list[Row]] = {}
    planted: list[Planted] = []
    report: RowReport | None = None
