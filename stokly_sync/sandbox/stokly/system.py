"""The Stokly sandbox put together: store, grants, limiter, switches, seed and routes.

Belongs here: the wiring and the shape that the kit asks of every system. In process, `store`, `switches`,
`mutate`, `drift`, `hook_page` and `revoke_tokens` are the handles for tests and demo steps.
"""

from datetime import date
from typing import Any, cast

import msgspec
from starlette.applications import Starlette

from stokly_sync.sandbox.kit import Clock, FixedWindow, SandboxSystem
from stokly_sync.sandbox.seeds import Seed, load_seed
from stokly_sync.sandbox.stokly.control import control_routes
from stokly_sync.sandbox.stokly.disturbances import Dispatch, Drift, Mutation, PageHook, Pages, dispatch, mutate
from stokly_sync.sandbox.stokly.grant import ACCOUNT_KEY, CLIENT_ID, CLIENT_SECRET, Grants
from stokly_sync.sandbox.stokly.routes import Api
from stokly_sync.sandbox.stokly.shapes import Shaper
from stokly_sync.sandbox.stokly.store import Store
from stokly_sync.sandbox.stokly.switches import StoklySwitches

_WINDOW = 60.0


class StoklySandbox(SandboxSystem):
    """One Stokly account on loopback.

    Args:
        seed: data to start with; none gives an empty account.
        clock: the time to live by; none gives the machine's.
        switches: how to start; none gives the defaults.
    """

    name = "stokly"

    def __init__(
        self,
        *,
        seed: Seed | None = None,
        clock: Clock | None = None,
        switches: StoklySwitches | None = None,
    ) -> None:
        super().__init__(switches=switches or StoklySwitches(), clock=clock)
        self.store = Store(self.clock)
        self.grants = Grants(self.clock)
        self.pages = Pages()
        self.drifts: list[Drift] = []
        self.seeded = Seed(name="empty")
        self._planted = False
        self._limiter = FixedWindow(self.stokly_switches.limit, _WINDOW, clock=self.clock)
        self._app = self._build()
        if seed is not None:
            self.plant(seed)

    @property
    def stokly_switches(self) -> StoklySwitches:
        """`switches` by their own type."""
        return cast("StoklySwitches", self.switches)

    @property
    def app(self) -> Starlette:
        """Stokly's routes and, under `/_sandbox/`, the test-only ones."""
        return self._app

    def settings_env(self, base_url: str) -> dict[str, str]:
        """The four settings of a Stokly account, pointing here."""
        return {
            "STOKLY_BASE_URL": base_url,
            "STOKLY_ACCOUNT_KEY": ACCOUNT_KEY,
            "STOKLY_CLIENT_ID": CLIENT_ID,
            "STOKLY_CLIENT_SECRET": CLIENT_SECRET,
        }

    def set_limits(self, on: bool) -> None:
        """Switch the limit of calls a minute on or off."""
        self.stokly_switches.limits = on

    def seed(self, seed: str) -> None:
        """Fill the account from a seed: `demo`, `minimal`, `empty`, or the path of a transactions file.

        An account that was planted in process already keeps what it has.

        Raises:
            ValueError: if it is none of these.
        """
        if self._planted:
            return
        self.plant(load_seed(seed, today=self.clock.now().date()))

    def plant(self, seed: Seed) -> None:
        """Replace the account's data by a seed, and keep its list of planted defects and its report."""
        self._planted = True
        self.store.load(seed.collections)
        self.seeded = msgspec.structs.replace(seed, collections={})
        self.touch()

    def mutate(self, *mutations: Mutation) -> None:
        """Carry out mutations now; see `disturbances.mutate`."""
        mutate(self.store, mutations)
        self.touch()

    def dispatch(self, order: Dispatch) -> str:
        """Let goods of an order leave now; gives the dispatch's id. See `disturbances.dispatch`."""
        dispatch_id = dispatch(self.store, order)
        self.touch()
        return dispatch_id

    def drift(self, *drifts: Drift) -> None:
        """Let the served shape change; `drifts.clear()` ends it."""
        self.drifts.extend(drifts)

    def hook_page(self, hook: PageHook) -> None:
        """Let mutations happen after a page of a list."""
        self.pages.set(hook)

    def revoke_tokens(self) -> None:
        """Make all tokens given so far expired ones."""
        self.grants.revoke_all()

    def dump(self) -> dict[str, Any]:
        """Rows, planted defects, report and token generation; not the hooks, drifts and switches."""
        return {
            "rows": self.store.dump(),
            "seed": msgspec.to_builtins(self.seeded, builtin_types=(date,)),
            "generation": self.grants.generation,
        }

    def load(self, state: Any) -> None:
        """Replace the state by a dumped one."""
        self._planted = True
        self.store.load(state["rows"])
        self.seeded = msgspec.convert(state["seed"], Seed)
        self.grants.generation = state["generation"]

    def _build(self) -> Starlette:
        api = Api(
            store=self.store,
            grants=self.grants,
            limiter=self._limiter,
            switches=self.stokly_switches,
            shaper=Shaper(self.store, self.stokly_switches, self.drifts),
            pages=self.pages,
            touched=self.touch,
        )
        control = control_routes(
            store=self.store,
            grants=self.grants,
            pages=self.pages,
            drifts=self.drifts,
            facts=lambda: {"planted": self.seeded.planted, "report": self.seeded.report},
            touched=lambda _body: self.touch(),
        )
        return Starlette(routes=[*control, *api.routes()])


def build() -> StoklySandbox:
    """An empty Stokly sandbox with its limits on, as the registry asks for it."""
    return StoklySandbox()
