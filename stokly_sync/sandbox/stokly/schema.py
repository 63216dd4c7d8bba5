"""How a collection or a sub-list of Stokly is declared: path, key and the members a row may have.

Belongs here: the words of a declaration. The declarations themselves are in `top_level` and
`sublists`; values are the seeds' affair, and how a row changes on the wire is that of `shapes`.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "time", "flag", "list", "object"]
"""What a member holds, as far as filters and date formats need to know; ids are text, money is a number."""


@dataclass(frozen=True)
class Collection:
    """One top-level collection.

    `key` names the member(s) that identify a row, `created` and `updated` the times that a write
    sets (empty: none), `deleted` the value that `status_member` takes on a soft delete (None: the row goes
    away), `detail_only` the members that the list leaves out.
    """

    name: str
    path: str
    key: tuple[str, ...]
    members: dict[str, Kind]
    created: str = ""
    updated: str = ""
    status_member: str = "status"
    deleted: int | str | None = None
    detail: bool = False
    detail_only: frozenset[str] = frozenset()
    source: str = ""


@dataclass(frozen=True)
class SubList:
    """A list under a parent record, `<parent path>/{id}/<name>`.

    With `of` empty the rows are the sub-list's own, kept under the name `<parent>/<name>`; otherwise they
    are the rows of collection `of` whose `by` member holds the parent's id. `members` is what is served.
    """

    parent: str
    name: str
    members: dict[str, Kind]
    of: str = ""
    by: str = ""
    source: str = ""

    @property
    def store_name(self) -> str:
        """The name under which own rows are seeded and stored."""
        return f"{self.parent}/{self.name}"


def members(**kinds: str) -> dict[str, Kind]:
    """A member table from blank-separated names by kind, such as `members(text="sku name", time="at")`."""
    table: dict[str, Kind] = {}
    for kind, names in kinds.items():
        for name in names.split():
            table[name] = kind  # type: ignore[assignment]  # the keyword names are the kinds
    return table


def address(prefix: str) -> str:
    """The names of a flattened address, such as `billingAddressLine1` (contract 2.4)."""
    parts = ("Line1", "Line2", "City", "Region", "Postcode", "Country")
    return " ".join(f"{prefix}Address{part}" for part in parts)


def both(*names: str) -> str:
    """Names in the base currency and their `display` twins in the document's currency (contract 2.4)."""
    return " ".join((*names, *(f"display{name[0].upper()}{name[1:]}" for name in names)))
