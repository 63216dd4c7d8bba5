"""The Marketplacer sandbox as one system: its state, its access, and how the pipeline is pointed at it.

Belongs here: putting the parts together and keeping state. The endpoint is in `endpoint`, the test-only routes in
`inspection`, what can be done beside the API in `shopping`, `portal` and `defects`.
Source: Marketplacer API contract 11 (checklist).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from starlette.applications import Starlette

from stokly_sync.sandbox.kit import Clock, SandboxSystem
from stokly_sync.sandbox.marketplacer.access import Access
from stokly_sync.sandbox.marketplacer.call import Call, Principal
from stokly_sync.sandbox.marketplacer.defects import DEFECTS, PlantedDefect, expected
from stokly_sync.sandbox.marketplacer.endpoint import build_app
from stokly_sync.sandbox.marketplacer.furniture import furnished
from stokly_sync.sandbox.marketplacer.seeding import fill
from stokly_sync.sandbox.marketplacer.store import State, Store
from stokly_sync.sandbox.marketplacer.switches import MarketplacerSwitches
from stokly_sync.sandbox.seeds import Planted, load_seed


class MarketplacerSandbox(SandboxSystem):
    """One marketplace on loopback, with two sellers and nothing for sale."""

    name: ClassVar[str] = "marketplacer"
    switches: MarketplacerSwitches

    def __init__(self, *, switches: MarketplacerSwitches | None = None, clock: Clock | None = None) -> None:
        super().__init__(switches=switches or MarketplacerSwitches(), clock=clock)
        self.store = furnished()
        self.planted: list[PlantedDefect] = []
        self.mutations = 0
        """Calls that were let in and change something, since the start: the call log sees one path for all."""
        self.access = Access(switches=self.switches, clock=self.clock)
        self._app = build_app(self)

    @property
    def app(self) -> Starlette:
        """`POST /graphql` and the test-only routes."""
        return self._app

    @property
    def operator(self) -> Call:
        """A call of the operator's own, for what is done beside the API."""
        return Call(self, Principal(None))

    def settings_env(self, base_url: str) -> dict[str, str]:
        """`MARKETPLACER_URL` (the host; the endpoint is `/graphql` on it) and `MARKETPLACER_API_KEY`."""
        operator = self.switches.settings_role == "operator"
        return {
            "MARKETPLACER_URL": base_url,
            "MARKETPLACER_API_KEY": self.switches.operator_key if operator else self.switches.seller_key,
        }

    def set_limits(self, on: bool) -> None:
        """Switch the rate windows; the cap on `first` and the depth are no rates and stay."""
        self.access.on = on

    def seed(self, seed: str) -> None:
        """Put a part of that Stokly account's items on sale, with the marketplace's side of its orders.

        A transactions file tells of no marketplace, so nothing is put on sale for one.

        Raises:
            ValueError: if there is no such seed and no such file.
        """
        if Path(seed).is_file():
            return
        fill(self.operator, load_seed(seed, today=self.clock.now().date()))
        self.touch()

    def plant(self, names: Iterable[str]) -> list[PlantedDefect]:
        """Plant some defects, each once more, and say where.

        Raises:
            ValueError: if one is not known; the message lists the known ones.
            LookupError: if what a defect is built on is not there, such as a despatched invoice.
        """
        wanted = list(names)
        unknown = [name for name in wanted if name not in DEFECTS]
        if unknown:
            raise ValueError(f"No defect is called {unknown[0]!r}. Choose from: {', '.join(DEFECTS)}.")
        before = len(self.planted)
        for name in wanted:
            self.planted.append(DEFECTS[name].plant(self.operator))
            self.touch()
        return self.planted[before:]

    def expected(self) -> list[Planted]:
        """The planted defects that are reported, and what of a seed nobody has put on sale; the rest is put right."""
        return expected(self.store, self.planted)

    def dump(self) -> dict[str, Any]:
        """Everything that is kept and what was planted; keys, windows and switches belong to a process."""
        return {"state": self.store.state, "planted": self.planted}

    def load(self, state: Any) -> None:
        """Replace all of it."""
        self.store = Store(msgspec.convert(state["state"], State, strict=False))
        self.planted = msgspec.convert(state["planted"], list[PlantedDefect])
