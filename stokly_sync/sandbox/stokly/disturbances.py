"""What a test or a demo step can do to the Stokly account from outside: mutations, page hooks, drift.

Belongs here: the orders as data (so that they can be given in process and by HTTP) and carrying them
out. None of this is part of Stokly's API.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from stokly_sync.sandbox.stokly.conditions import Row
from stokly_sync.sandbox.stokly.sales_writes import dispatch as send_lines
from stokly_sync.sandbox.stokly.store import Store, UnknownRecordError
from stokly_sync.sandbox.stokly.sublists import SUBLISTS_BY_NAME
from stokly_sync.sandbox.stokly.top_level import COLLECTIONS


class Put(msgspec.Struct, frozen=True, kw_only=True, tag_field="op", tag="put", forbid_unknown_fields=True):
    """Create a row or change members of one; `remove` takes members away; `touch` moves its update time."""

    collection: str
    row: dict[str, Any]
    remove: list[str] = []
    touch: bool = True


class PutChildren(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="op", tag="put_children", forbid_unknown_fields=True
):
    """Replace a sub-list such as `saleorders/items` under one parent."""

    sublist: str
    parent: str
    rows: list[dict[str, Any]]
    touch: bool = True


class Delete(msgspec.Struct, frozen=True, kw_only=True, tag_field="op", tag="delete", forbid_unknown_fields=True):
    """Soft-delete a row."""

    collection: str
    key: str


class Merge(msgspec.Struct, frozen=True, kw_only=True, tag_field="op", tag="merge", forbid_unknown_fields=True):
    """Merge customer `loser` into customer `winner`."""

    winner: str
    loser: str


class Dispatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods of an order leave, as Stokly's own people send them; all that is open where no lines are named.

    `order` is the order's id or the number that its channel gave it; `items` name lines by `lineId` or `sku`.
    """

    order: str
    courier: str = "Royal Mail"
    service: str = "Standard"
    trackingNumber: str = ""  # noqa: N815 - the vendor's word
    trackingUrl: str = ""  # noqa: N815 - the vendor's word
    location: str = ""
    items: list[dict[str, Any]] = []


Mutation = Put | PutChildren | Delete | Merge


class Drift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of shape on every served row of a collection or sub-list; what is kept stays as it was.

    `retype` turns a present value into `to` (`text`, `object`, `list`), `remove` leaves the member out,
    `add` puts `value` under a new name.
    """

    collection: str
    member: str
    change: Literal["retype", "remove", "add"]
    to: Literal["text", "object", "list"] = "text"
    value: Any = None


class PageHook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mutations that happen once, right after page number `after` (1 = the first served) of a list.

    Pages are counted from the moment at which the hook is set.
    """

    collection: str
    after: int = 1
    mutations: list[Mutation] = []


def mutate(store: Store, mutations: Sequence[Mutation]) -> None:
    """Carry out mutations in their order.

    Raises:
        ValueError: for a collection or sub-list that Stokly does not have.
        UnknownRecordError: for a record that is not there.
    """
    for mutation in mutations:
        match mutation:
            case Put():
                known_collection(mutation.collection)
                store.put(mutation.collection, mutation.row, remove=mutation.remove, touch=mutation.touch)
            case PutChildren():
                if mutation.sublist not in SUBLISTS_BY_NAME or SUBLISTS_BY_NAME[mutation.sublist].of:
                    raise ValueError(f"Stokly sandbox has no sub-list {mutation.sublist!r} of its own rows.")
                store.put_children(mutation.sublist, mutation.parent, mutation.rows, touch=mutation.touch)
            case Delete():
                known_collection(mutation.collection)
                store.delete(mutation.collection, mutation.key)
            case Merge():
                store.merge_customers(winner=mutation.winner, loser=mutation.loser)


def dispatch(store: Store, order: Dispatch) -> str:
    """Let goods leave; gives the dispatch's id.

    Raises:
        UnknownRecordError: for an order that is not there.
        RefusedWriteError: when nothing of it, or not so much, is left to send.
    """
    store.settle()
    row = next((r for r in store.rows("saleorders") if order.order in (r["saleOrderId"], r["sourceReferenceId"])), None)
    if row is None:
        raise UnknownRecordError(f"saleorders has no record {order.order}.")
    location = order.location or row.get("locationId") or store.rows("locations")[0]["locationId"]
    parcel = {name: getattr(order, name) for name in ("courier", "service", "trackingNumber", "trackingUrl")}
    return send_lines(store, row, order.items, location=location, parcel=parcel)


def known_collection(name: str) -> None:
    """Refuse the name of a collection that Stokly does not have.

    Raises:
        ValueError: listing the names that exist.
    """
    if name not in COLLECTIONS:
        raise ValueError(f"Stokly sandbox has no collection {name!r}; it has {sorted(COLLECTIONS)}.")


def drifted(drift: Drift) -> Callable[[Row], None]:
    """The change that a drift makes to one served row."""

    def change(row: Row) -> None:
        if drift.change == "add":
            row[drift.member] = drift.value
        elif drift.member in row:
            value = row.pop(drift.member)
            if drift.change == "retype":
                row[drift.member] = _retyped(value, drift.to)

    return change


def _retyped(value: Any, to: str) -> Any:
    match to:
        case "object":
            return {"value": value}
        case "list":
            return [value]
        case _:
            return str(value)


@dataclass
class _Armed:
    hook: PageHook
    seen: int = 0


class Pages:
    """The hooks that wait for a page; each strikes once."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def set(self, hook: PageHook) -> None:
        """Let a hook wait."""
        known_collection(hook.collection)
        self._armed.append(_Armed(hook))

    def clear(self) -> None:
        """Forget the hooks that have not struck yet."""
        self._armed.clear()

    def served(self, name: str, store: Store) -> bool:
        """Say that one page of a collection's list was made; carry out what waited for it.

        Returns whether anything was changed.
        """
        struck = False
        for armed in list(self._armed):
            if armed.hook.collection != name:
                continue
            armed.seen += 1
            if armed.seen >= armed.hook.after:
                self._armed.remove(armed)
                mutate(store, armed.hook.mutations)
                struck = True
        return struck
