"""The Emarsys sandbox as one system: its state, its access, and how the pipeline is pointed at it.

Belongs here: putting the parts together, keeping state, and the deeds that no API call stands for. The
routes are in `routes`, the test-only ones in `inspection`. Source: Emarsys API contract 6 (checklist).
"""

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from starlette.applications import Starlette

from stokly_sync.sandbox.emarsys.access import Access
from stokly_sync.sandbox.emarsys.catalogue import Catalogue
from stokly_sync.sandbox.emarsys.fields import EMAIL, OPTIN
from stokly_sync.sandbox.emarsys.routes import build_app
from stokly_sync.sandbox.emarsys.sales import SalesData
from stokly_sync.sandbox.emarsys.store import Contact, State, Store
from stokly_sync.sandbox.emarsys.switches import EmarsysSwitches
from stokly_sync.sandbox.kit import Clock, SandboxSystem


class EmarsysSandbox(SandboxSystem):
    """Core API, Sales Data API and catalogue import on loopback, empty at the start."""

    name: ClassVar[str] = "emarsys"
    switches: EmarsysSwitches

    def __init__(self, *, switches: EmarsysSwitches | None = None, clock: Clock | None = None) -> None:
        super().__init__(switches=switches or EmarsysSwitches(), clock=clock)
        self.store = Store()
        self.sales = SalesData()
        self.catalogue = Catalogue()
        self.access = Access(switches=self.switches, clock=self.clock)
        self._folder: Path | None = None
        self._app = build_app(self)

    @property
    def app(self) -> Starlette:
        """The Core API below `/api/v2` and `/api/v3`, the token and sales routes, and the test-only ones."""
        return self._app

    @property
    def catalogue_folder(self) -> Path:
        """Where the pipeline publishes its file: in the state folder, or one that goes when the sandbox does."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="sandbox-emarsys-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def keep_files_in(self, directory: Path) -> None:
        """Let the catalogue's folder be one below the state folder."""
        self._folder = directory.resolve() / f"{self.name}-catalogue"

    def settings_env(self, base_url: str) -> dict[str, str]:
        """Hosts without a path (the client adds `/api/v3` and so on), credentials, and the catalogue's folder.

        The account is empty, so that its history may begin at any time; addresses and pictures of products are made up.
        """
        merchant, token = next(iter(self.switches.merchants.items()))
        return {
            "EMARSYS_BASE_URL": base_url,
            "EMARSYS_TOKEN_URL": f"{base_url}/oauth2/token",
            "EMARSYS_CLIENT_ID": self.switches.client_id,
            "EMARSYS_CLIENT_SECRET": self.switches.client_secret,
            "EMARSYS_SALES_URL": base_url,
            "EMARSYS_SALES_TOKEN": token,
            "EMARSYS_MERCHANT_ID": merchant,
            "EMARSYS_CATALOGUE_URL": self.catalogue_folder.as_uri(),
            "EMARSYS_PRODUCT_URL": "https://shop.example.com/products/{sku}",
            "EMARSYS_DEFAULT_IMAGE": "https://shop.example.com/picture.png",
            "EMARSYS_HISTORY_FROM": "2000-01-01T00:00:00Z",
        }

    def set_limits(self, on: bool) -> None:
        """Switch the counter of calls a minute."""
        self.access.limits_on = on

    def unsubscribe(self, email: str) -> None:
        """Let a person opt out inside Emarsys: field 31 becomes 2, with a form as its origin.

        Raises:
            LookupError: if there is no such contact.
        """
        for contact in self._found(EMAIL, email):
            self.store.write(contact, OPTIN, "2", at=self.clock.now(), origin="form")
        self.touch()

    def subscribe(self, email: str) -> None:
        """Let a person opt in inside Emarsys: field 31 becomes 1, with a form as its origin.

        Raises:
            LookupError: if there is no such contact.
        """
        for contact in self._found(EMAIL, email):
            self.store.write(contact, OPTIN, "1", at=self.clock.now(), origin="form")
        self.touch()

    def plant_duplicate(self, key: str, value: str) -> int:
        """Make a second contact with all values of the first one of that key, and say its id.

        Raises:
            LookupError: if there is no such contact.
        """
        return self.twin(self._found(key, value)[0]).id

    def twin(self, contact: Contact) -> Contact:
        """Make a second contact with the values of this one."""
        now = self.clock.now()
        made = self.store.create(at=now)
        for field, value in contact.fields.items():
            self.store.write(made, field, value, at=now)
        self.touch()
        return made

    def _found(self, key: str, value: str) -> list[Contact]:
        found = self.store.find(key, value)
        if not found:
            raise LookupError(f"No contact of the sandbox {self.name} has that value of field {key}.")
        return found

    def dump(self) -> dict[str, Any]:
        """Contacts, fields, lists, events, sales and catalogue; tokens, exports and switches belong to a process."""
        return {"store": self.store.state(), "sales": self.sales, "catalogue": self.catalogue}

    def load(self, state: Any) -> None:
        """Replace all of it."""
        self.store = Store(msgspec.convert(state["store"], State))
        self.sales = msgspec.convert(state["sales"], SalesData)
        self.catalogue = msgspec.convert(state["catalogue"], Catalogue)
