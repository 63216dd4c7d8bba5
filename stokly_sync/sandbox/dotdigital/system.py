"""The Dotdigital sandbox as one system: its parts, its limits, and how the pipeline is pointed at it.

Belongs here: putting the parts together and keeping state. The routes are in `routes`, the test-only ones
in `inspection`. Source: Dotdigital API contract 1 (connection, limits) and 8 (what must be reproduced).
"""

from typing import Any, ClassVar

import msgspec
from starlette.applications import Starlette

from stokly_sync.sandbox.dotdigital.imports import Imports
from stokly_sync.sandbox.dotdigital.insight import InsightWriter
from stokly_sync.sandbox.dotdigital.jobs import Jobs
from stokly_sync.sandbox.dotdigital.reading import show_time
from stokly_sync.sandbox.dotdigital.routes import build_app
from stokly_sync.sandbox.dotdigital.store import Collection, Store
from stokly_sync.sandbox.dotdigital.switches import DotdigitalSwitches
from stokly_sync.sandbox.dotdigital.tiers import CallLimits
from stokly_sync.sandbox.dotdigital.upserts import Upserts, set_status
from stokly_sync.sandbox.kit import Clock, SandboxSystem


class DotdigitalSandbox(SandboxSystem):
    """Dotdigital's API on loopback: an account without contacts, with its built-in fields and lists."""

    name: ClassVar[str] = "dotdigital"
    switches: DotdigitalSwitches

    def __init__(self, *, switches: DotdigitalSwitches | None = None, clock: Clock | None = None) -> None:
        super().__init__(switches=switches or DotdigitalSwitches(), clock=clock)
        self.store = Store()
        self.limits = CallLimits(switches=self.switches, clock=self.clock)
        self.jobs = Jobs(switches=self.switches, clock=self.clock)
        self.upserts = Upserts(store=self.store, switches=self.switches)
        self.writer = InsightWriter(store=self.store, switches=self.switches)
        self.imports = Imports(
            upserts=self.upserts,
            writer=self.writer,
            jobs=self.jobs,
            switches=self.switches,
            clock=self.clock,
            touch=self.touch,
        )
        self._counts: dict[str, tuple[float, int]] = {}
        self._app = build_app(self)

    @property
    def app(self) -> Starlette:
        """The v2 and v3 routes, and the test-only ones."""
        return self._app

    def settings_env(self, base_url: str) -> dict[str, str]:
        """`DOTDIGITAL_BASE_URL`, `DOTDIGITAL_USERNAME`, `DOTDIGITAL_PASSWORD`, and a quick poll."""
        return {
            "DOTDIGITAL_BASE_URL": base_url,
            "DOTDIGITAL_USERNAME": self.switches.username,
            "DOTDIGITAL_PASSWORD": self.switches.password,
            "DOTDIGITAL_POLL_SECONDS": "0.1",
        }

    def set_limits(self, on: bool) -> None:
        """Switch the limits on calls and enrolments; those on active jobs are no rates and stay."""
        self.limits.on = on

    def settle(self) -> None:
        """Carry out the jobs that are due by now."""
        self.imports.work()

    def unsubscribe(self, email: str, *, status: str = "unsubscribed") -> None:
        """Let a person opt out (or be suppressed) outside the API, as `suppressed-since` then tells.

        Raises:
            LookupError: if no contact has that address.
        """
        contact = self.store.find("email", email)
        if contact is None:
            raise LookupError("No contact of the Dotdigital sandbox has that e-mail address.")
        contact.updated = self.clock.now()
        set_status(contact, status, now=contact.updated)
        self.touch()

    def subscribe(self, email: str) -> None:
        """Let a person subscribe outside the API, at once and with the time in its built-in field.

        Raises:
            LookupError: if no contact has that address.
        """
        contact = self.store.find("email", email)
        if contact is None:
            raise LookupError("No contact of the Dotdigital sandbox has that e-mail address.")
        contact.updated = self.clock.now()
        set_status(contact, "subscribed", now=contact.updated)
        contact.fields["LASTSUBSCRIBED"] = show_time(contact.updated)
        self.touch()

    def record_count(self, collection: Collection) -> int:
        """The number of records as the API tells it, which may be old by `record_count_lag` seconds."""
        now, size = self.clock.monotonic(), len(collection.records)
        seen = self._counts.get(collection.name)
        if seen is not None and now - seen[0] < self.switches.record_count_lag:
            return seen[1]
        self._counts[collection.name] = (now, size)
        return size

    def dump(self) -> dict[str, Any]:
        """Store and jobs; switches, limits and faults belong to a process."""
        return {"store": self.store, "jobs": self.jobs.dump()}

    def load(self, state: Any) -> None:
        """Replace all of it; jobs under way start again from now."""
        store = msgspec.convert(state["store"], Store, str_keys=True)
        self.store = self.upserts.store = self.writer.store = store
        self.jobs.load(state["jobs"])
        self._counts.clear()
