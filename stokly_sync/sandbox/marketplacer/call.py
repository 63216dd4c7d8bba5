"""One GraphQL call: who asks, what may be seen, and the refusals that come in a payload.

Belongs here: what every resolver is given, scoping by seller, and the third of the three layers of errors. HTTP and
GraphQL errors are in `endpoint`. Source: Marketplacer API contract 1, 2.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from stokly_sync.sandbox.marketplacer.sales import Invoice, Order, Remittance, RemittanceAdvice
from stokly_sync.sandbox.marketplacer.store import Store
from stokly_sync.sandbox.marketplacer.switches import MarketplacerSwitches
from stokly_sync.sandbox.marketplacer.things import Advert, CommissionPackage, ExternalID, Seller, Thing, Variant

if TYPE_CHECKING:
    from stokly_sync.sandbox.marketplacer.system import MarketplacerSandbox

Args = dict[str, Any]
Resolver = Callable[[Any, "Call", Args], Any]
T = TypeVar("T", bound=Thing)

OPERATORS_ONLY = (Order, Remittance, RemittanceAdvice, CommissionPackage)


class RefusedError(Exception):
    """A mutation is refused: the errors go into its payload, and nothing is changed."""

    def __init__(self, field: str, *messages: str, status: int = 422) -> None:
        super().__init__(f"{field}: {'; '.join(messages)}")
        self.errors = [{"field": field, "messages": list(messages)}]
        self.status = status


@dataclass(frozen=True)
class Principal:
    """Whose key was sent; `seller` is None for the operator."""

    seller: int | None

    @property
    def operator(self) -> bool:
        """Whether it is the operator's."""
        return self.seller is None


@dataclass(frozen=True)
class Call:
    """What resolvers are given."""

    system: "MarketplacerSandbox"
    principal: Principal

    @property
    def store(self) -> Store:
        """The state."""
        return self.system.store

    @property
    def switches(self) -> MarketplacerSwitches:
        """What is set."""
        return self.system.switches

    @property
    def now(self) -> datetime:
        """The present time, UTC, whole seconds: the vendor shows no fraction, so none is kept to filter by."""
        return self.system.clock.now().replace(microsecond=0)

    def sees(self, thing: Thing) -> bool:
        """Whether the key may see a thing: an operator sees all, a seller what is its own or nobody's."""
        if self.principal.operator:
            return True
        if isinstance(thing, OPERATORS_ONLY):
            return False
        return self._seller_of(thing) in (None, self.principal.seller)

    def own(self, kind: type[T], text: str | None, field: str) -> T:
        """The thing that an input names.

        Raises:
            RefusedError: if there is none, or it is another seller's.
        """
        found = self.store.find(kind, text)
        if found is None or not self.sees(found):
            raise RefusedError(field, f"No object found for {field}: {text}", status=404)
        return found

    def _seller_of(self, thing: Thing) -> int | None:
        state = self.store.state
        if isinstance(thing, Seller):
            return thing.number
        if isinstance(thing, (Advert, Invoice)):
            return thing.seller
        if isinstance(thing, Variant):
            return state.adverts[thing.advert].seller
        if isinstance(thing, ExternalID):
            owner = self.store.node(thing.owner)
            return self._seller_of(owner) if owner is not None else None
        invoice: int | None = getattr(thing, "invoice", None)
        return state.invoices[invoice].seller if invoice is not None else None


def mutation(result: str, change: Callable[[Call, Args], Any]) -> Resolver:
    """The resolver of a mutation: runs the change and wraps what comes of it in the payload."""

    def resolve(_source: Any, call: Call, args: Args) -> dict[str, Any]:
        given: Args = args["input"]
        payload = {"client_mutation_id": given.get("client_mutation_id"), result: None}
        try:
            payload[result] = change(call, given)
        except RefusedError as error:
            return {**payload, "status": error.status, "errors": error.errors}
        call.system.touch()
        return {**payload, "status": 200, "errors": [] if call.switches.empty_errors == "list" else None}

    return resolve
