"""The Magento sandbox as one system: its tables, its access, and how the pipeline is pointed at it.

Belongs here: putting the parts together and keeping state. The calls are in `routes`, the test-only ones in
`inspection`, the data of a seed in `seeding`. Source: Magento API contract 17 (checklist).
"""

from typing import Any, ClassVar

from starlette.applications import Starlette

from stokly_sync.sandbox.kit import Clock, SandboxSystem, encode
from stokly_sync.sandbox.magento.access import Access
from stokly_sync.sandbox.magento.address import ALL, DEFAULT
from stokly_sync.sandbox.magento.call import Spec
from stokly_sync.sandbox.magento.defects import expected
from stokly_sync.sandbox.magento.figures import stamp
from stokly_sync.sandbox.magento.products import add_attributes
from stokly_sync.sandbox.magento.routes import SPECS, build_app
from stokly_sync.sandbox.magento.seeding import SOURCES, fill
from stokly_sync.sandbox.magento.stock import open_shop
from stokly_sync.sandbox.magento.store import Store
from stokly_sync.sandbox.magento.switches import MagentoSwitches
from stokly_sync.sandbox.seeds import Planted, load_seed

SEEDS = {"demo": True, "minimal": False}
"""Seeds that fill the shop, and whether defects are planted with them."""


class MagentoSandbox(SandboxSystem):
    """The REST API of one shop with one website and one store view."""

    name: ClassVar[str] = "magento"
    switches: MagentoSwitches
    store_codes = frozenset({DEFAULT, ALL})

    def __init__(self, *, switches: MagentoSwitches | None = None, clock: Clock | None = None) -> None:
        super().__init__(switches=switches or MagentoSwitches(), clock=clock)
        self.access = Access(switches=self.switches, clock=self.clock)
        self.specs: dict[tuple[str, ...], Spec] = {(spec.method, spec.path): spec for spec in SPECS}
        self.consumer_down = False
        self.store = new_store()
        self._draws = 0
        self._app = build_app(self)

    @property
    def app(self) -> Starlette:
        """The API below `/rest` and `/index.php/rest`, and the test-only routes."""
        return self._app

    def now(self) -> str:
        """The present second as the database writes it."""
        return stamp(self.clock.now())

    def draw(self) -> int:
        """A number that differs from list to list, for the order of rows that no sort decides."""
        self._draws += 1
        return self._draws

    def settings_env(self, base_url: str) -> dict[str, str]:
        """The shop's address (the client adds `/rest/...`), the integration's credentials, and how the seeds fit.

        That is which location of Stokly fills which source, and that prices include VAT.
        """
        integration = self.access.integration
        return {
            "MAGENTO_BASE_URL": base_url,
            "MAGENTO_CONSUMER_KEY": integration.consumer_key,
            "MAGENTO_CONSUMER_SECRET": integration.consumer_secret,
            "MAGENTO_ACCESS_TOKEN": integration.access_token,
            "MAGENTO_ACCESS_TOKEN_SECRET": integration.access_token_secret,
            "MAGENTO_LOCATIONS": encode(SOURCES).decode(),
            "MAGENTO_PRICES_WITH_TAX": str(self.switches.prices_include_tax).lower(),
            "MAGENTO_TAX_RATES": encode({"*": self.switches.tax_percent}).decode(),
        }

    def set_limits(self, on: bool) -> None:
        """Nothing: Magento has no limit of calls; those of a proxy in front are faults (section 13)."""

    def seed(self, seed: str) -> None:
        """Fill the shop beside the Stokly account of the seeds `demo` and `minimal`; any other leaves it empty."""
        if seed in SEEDS and not len(self.store.products):
            today = self.clock.now().date()
            fill(self.store, load_seed(seed, today=today), today=today, defects=SEEDS[seed])
            self.touch()

    def expected(self) -> list[Planted]:
        """The planted defects that are reported; the others are put right."""
        return expected(self.store)

    def dump(self) -> dict[str, Any]:
        """All tables; credentials, nonces and switches belong to a process."""
        return self.store.dump()

    def load(self, state: Any) -> None:
        """Replace all tables."""
        self.store.load(state)
        self.consumer_down = False


def new_store() -> Store:
    """The tables of a shop on its first day: default source and stock, and the attributes."""
    store = Store()
    open_shop(store)
    add_attributes(store)
    return store
