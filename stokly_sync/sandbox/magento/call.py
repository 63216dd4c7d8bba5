"""One call as its handler sees it, and the table row that says which call a handler answers.

Belongs here: the values between `endpoint`, which speaks HTTP, and the handlers, which do not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stokly_sync.sandbox.magento.errors import MagentoError
from stokly_sync.sandbox.magento.figures import Row
from stokly_sync.sandbox.magento.search import Listing, listed, parse_criteria, search
from stokly_sync.sandbox.magento.shapes import Shape, scalar

if TYPE_CHECKING:
    from stokly_sync.sandbox.magento.store import Store
    from stokly_sync.sandbox.magento.switches import MagentoSwitches
    from stokly_sync.sandbox.magento.system import MagentoSandbox


@dataclass(frozen=True)
class Call:
    """A call that may be made: the parts of its path, its query, its checked body, and the store it is for."""

    system: "MagentoSandbox"
    params: Mapping[str, str]
    body: dict[str, Any]
    query: Mapping[str, Any] = field(default_factory=dict)
    store_code: str = "default"
    user_type: int = 1

    @property
    def store(self) -> "Store":
        """The shop's tables."""
        return self.system.store

    @property
    def switches(self) -> "MagentoSwitches":
        """The shop's switches."""
        return self.system.switches

    @property
    def now(self) -> str:
        """The present second."""
        return self.system.now()

    def number(self, name: str) -> int:
        """A part of the path as an id: `000000001` is 1 (section 5).

        Raises:
            MagentoError: 400 if it is no whole number.
        """
        found: int = scalar(self.params[name], "int")
        return found

    def page(self, listing: Listing, view: Callable[[Row], Any]) -> Row:
        """The answer to a list: the rows that the call's searchCriteria ask for, each as `view` shows it.

        Raises:
            MagentoError: 400 or 500 for criteria that are missing or wrong.
        """
        criteria = parse_criteria(self.query, self.switches)
        found, total = search(listing, criteria, self.switches, draw=self.system.draw())
        return listed([view(row) for row in found], total, criteria)


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Spec:
    """One call of the API.

    `path` is what follows `/V1/`, with names in braces; `resource` is the ACL resource it needs, empty for
    a call that anyone may make; `body` the shape of its parameters; `service` names it in the results of
    queued operations; `later_resource` is what release 2.4.8 asks for instead.
    """

    method: str
    path: str
    resource: str
    handler: Handler
    body: dict[str, Shape] = field(default_factory=dict)
    service: str = "Magento\\Framework\\Api\\Service::execute"
    later_resource: str = ""


def columns(names: str) -> Callable[[str], bool]:
    """Whether a field is one of these columns."""
    known = frozenset(names.split())
    return lambda field: field in known


def column(row: Row, field: str) -> Any:
    """A column's value."""
    return row.get(field)


def no_attribute(field: str) -> MagentoError:
    """An entity with attributes has none of that name (section 4)."""
    return MagentoError('The "%1" attribute name is invalid. Reset the name and try again.', [field])
