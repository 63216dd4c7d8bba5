"""The state of the Marketplacer sandbox: things by number, names of outside systems, and the index of ids.

Belongs here: keeping and finding. Things that live in an invoice (lines, shipments, amendments) are kept there and
can be found by their id all the same. Rules are in the modules that write.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from stokly_sync.sandbox.marketplacer.ids import read_id
from stokly_sync.sandbox.marketplacer.sales import Invoice, Order, RefundRequest, RemittanceAdvice
from stokly_sync.sandbox.marketplacer.things import (
    Advert,
    Brand,
    CommissionPackage,
    ExternalID,
    OptionType,
    OptionValue,
    Prototype,
    Seller,
    ShipmentCarrier,
    Taxon,
    Thing,
    Variant,
)

T = TypeVar("T", bound=Thing)


class State(msgspec.Struct):
    """All that is kept, in the order in which it came; `last` is the last number given by type."""

    sellers: dict[int, Seller] = msgspec.field(default_factory=dict)
    brands: dict[int, Brand] = msgspec.field(default_factory=dict)
    taxons: dict[int, Taxon] = msgspec.field(default_factory=dict)
    prototypes: dict[int, Prototype] = msgspec.field(default_factory=dict)
    option_types: dict[int, OptionType] = msgspec.field(default_factory=dict)
    option_values: dict[int, OptionValue] = msgspec.field(default_factory=dict)
    carriers: dict[int, ShipmentCarrier] = msgspec.field(default_factory=dict)
    packages: dict[int, CommissionPackage] = msgspec.field(default_factory=dict)
    external_ids: dict[int, ExternalID] = msgspec.field(default_factory=dict)
    adverts: dict[int, Advert] = msgspec.field(default_factory=dict)
    variants: dict[int, Variant] = msgspec.field(default_factory=dict)
    orders: dict[int, Order] = msgspec.field(default_factory=dict)
    invoices: dict[int, Invoice] = msgspec.field(default_factory=dict)
    refund_requests: dict[int, RefundRequest] = msgspec.field(default_factory=dict)
    advices: dict[int, RemittanceAdvice] = msgspec.field(default_factory=dict)
    last: dict[str, int] = msgspec.field(default_factory=dict)
    writes: dict[str, int] = msgspec.field(default_factory=dict)


class Store:
    """The state, with every thing findable by its global id."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self._by_id: dict[str, Thing] = {}
        self._names: dict[str, dict[str, ExternalID]] = {}
        self._requests: dict[int, list[RefundRequest]] = {}
        for thing in self._top():
            self._index(thing)
            for part in parts(thing):
                self._index(part)

    def number(self, kind: type[Thing], *, wanted: int | None = None) -> int:
        """The next number of a type, or the wanted one, after which counting goes on."""
        last = self.state.last.get(kind.kind, 0)
        number = last + 1 if wanted is None else wanted
        self.state.last[kind.kind] = max(last, number)
        return number

    def add(self, shelf: dict[int, T], thing: T) -> T:
        """Keep a thing on one of the state's shelves.

        Raises:
            ValueError: if there is one with that number already.
        """
        if thing.number in shelf:
            raise ValueError(f"The sandbox has a {thing.kind} with the number {thing.number} already.")
        shelf[thing.number] = thing
        self._index(thing)
        for part in parts(thing):
            self._index(part)
        return thing

    def index(self, things: Iterable[Thing]) -> None:
        """Make things findable that were put into one that is kept."""
        for thing in things:
            self._index(thing)

    def find(self, kind: type[T], text: str | None) -> T | None:
        """The thing of that type with that global id."""
        found = self._by_id.get(text or "")
        return found if isinstance(found, kind) else None

    def node(self, text: str) -> Thing | None:
        """Whatever has that global id."""
        return self._by_id.get(text)

    def names_of(self, thing: Thing) -> list[ExternalID]:
        """The names that outside systems have for a thing."""
        return list(self._names.get(thing.id, {}).values())

    def name(self, thing: Thing, key: str, value: str | None) -> ExternalID:
        """Give a thing its name in an outside system; a later one under the same key takes its place."""
        known = self._names.get(thing.id, {}).get(key)
        if known is not None:
            known.value = value or ""
            return known
        number = self.number(ExternalID)
        named = ExternalID(number=number, owner=thing.id, key=key, value=value or "")
        return self.add(self.state.external_ids, named)

    def named(self, owner_kind: str, key: str | None, values: set[str] | None) -> Iterator[tuple[ExternalID, Thing]]:
        """The names of a type's things, with the things; None matches every key or value."""
        for name in self.state.external_ids.values():
            if key not in (None, name.key) or (values is not None and name.value not in values):
                continue
            read = read_id(name.owner)
            owner = self._by_id.get(name.owner)
            if owner is not None and read is not None and read[0] == owner_kind:
                yield name, owner

    def requests_of(self, invoice: Invoice) -> list[RefundRequest]:
        """The refund requests of an invoice."""
        return self._requests.get(invoice.number, [])

    def counted(self, what: str) -> None:
        """Count a write, so that tests can tell a needed one from a needless one."""
        self.state.writes[what] = self.state.writes.get(what, 0) + 1

    def _index(self, thing: Thing) -> None:
        self._by_id[thing.id] = thing
        if isinstance(thing, ExternalID):
            self._names.setdefault(thing.owner, {})[thing.key] = thing
        elif isinstance(thing, RefundRequest):
            self._requests.setdefault(thing.invoice, []).append(thing)

    def _top(self) -> Iterator[Thing]:
        for name in self.state.__struct_fields__:
            shelf = getattr(self.state, name)
            if name not in ("last", "writes"):
                yield from shelf.values()


def parts(thing: Thing) -> Iterator[Thing]:
    """The things that are kept inside another."""
    if isinstance(thing, Invoice):
        yield from thing.line_items
        for shipment in thing.shipments:
            yield shipment
            yield from shipment.shipped_items
        for amendment in thing.amendments:
            yield amendment
            yield from amendment.line_items
    elif isinstance(thing, RefundRequest):
        yield from thing.line_items
    elif isinstance(thing, RemittanceAdvice):
        yield from thing.remittances
