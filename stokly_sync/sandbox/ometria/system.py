"""The Ometria sandbox as one system: its state, its limits, and how the pipeline is pointed at it.

Belongs here: putting the parts together and keeping state. The routes are in `routes`, the test-only ones
in `inspection`. Source: Ometria API contract 1 (connection, limits) and 7 (what must be reproduced).
"""

from typing import Any, ClassVar

import msgspec
from starlette.applications import Starlette

from stokly_sync.sandbox.kit import Clock, FixedWindow, SandboxSystem, TokenBucket
from stokly_sync.sandbox.ometria.deletion import Deletions
from stokly_sync.sandbox.ometria.intake import Intake
from stokly_sync.sandbox.ometria.queue import ErrorRing, PushQueue
from stokly_sync.sandbox.ometria.routes import build_app
from stokly_sync.sandbox.ometria.store import Store, Unsubscribe
from stokly_sync.sandbox.ometria.switches import OmetriaSwitches


class OmetriaSandbox(SandboxSystem):
    """Ometria's Data API v2 on loopback, empty at the start."""

    name: ClassVar[str] = "ometria"
    switches: OmetriaSwitches

    def __init__(self, *, switches: OmetriaSwitches | None = None, clock: Clock | None = None) -> None:
        super().__init__(switches=switches or OmetriaSwitches(), clock=clock)
        self.store = Store()
        self.queue = PushQueue(clock=self.clock)
        self.errors = ErrorRing()
        self.deletions = Deletions(clock=self.clock, touch=self.touch)
        self.rate_limit = TokenBucket(self.switches.rate, clock=self.clock)
        self.deletion_limit = FixedWindow(self.switches.deletions_per_minute, 60.0, clock=self.clock)
        self.intake = Intake(
            store=self.store,
            queue=self.queue,
            errors=self.errors,
            switches=self.switches,
            clock=self.clock,
            touch=self.touch,
        )
        self._app = build_app(self)

    @property
    def app(self) -> Starlette:
        """The Data API below `/v2`, and the test-only routes."""
        return self._app

    def settings_env(self, base_url: str) -> dict[str, str]:
        """`OMETRIA_BASE_URL` (with its `/v2`) and `OMETRIA_API_KEY`, and how long this queue takes at the most."""
        return {
            "OMETRIA_BASE_URL": f"{base_url}/v2",
            "OMETRIA_API_KEY": self.switches.api_key,
            "OMETRIA_QUEUE_DRAIN_WAIT": f"{self.switches.queue_delay + 0.2:.2f}",
        }

    def set_limits(self, on: bool) -> None:
        """Switch the limits on calls; the one on the backlog is no rate and stays."""
        self.rate_limit.on = on
        self.deletion_limit.on = on

    def set_switches(self, **values: Any) -> None:
        """Set switches; a new rate is in force at once."""
        super().set_switches(**values)
        self.rate_limit.rate = self.switches.rate
        self.rate_limit.burst = max(1, int(self.switches.rate))
        self.deletion_limit.limit = self.switches.deletions_per_minute

    def settle(self) -> None:
        """Process what is due by now in the queue and among the deletion requests."""
        self.intake.work()
        self.deletions.work(self.store)

    def unsubscribe(self, email: str, *, kind: str = "email", reason: str = "preference centre") -> None:
        """Let a person opt out inside Ometria, as `GET /unsubscribes` then tells."""
        profile = self.store.profile_for(customer_id=None, email=email)
        self.store.unsubscribes.append(Unsubscribe(profile, email, kind, self.clock.now(), reason))
        self.touch()

    def subscribe(self, email: str, *, collection: str = "preference centre") -> None:
        """Let a person opt in inside Ometria, as a contact of another collection then tells."""
        now = self.clock.now()
        whole = {"@collection": collection, "id": email, "email": email, "timestamp_subscribed": now.isoformat()}
        stored = self.store.put("contact", {**whole, "marketing_optin": "EXPLICITLY_OPTEDIN"}, now=now)
        stored.profile_id = self.store.profile_for(customer_id=None, email=email)
        self.touch()

    def dump(self) -> dict[str, Any]:
        """Store, queue, failures and deletion requests; switches and faults belong to a process."""
        return {
            "store": self.store,
            "queue": self.queue.dump(),
            "errors": self.errors.newest(),
            "deletions": self.deletions.requests,
        }

    def load(self, state: Any) -> None:
        """Replace all of it; records that waited go on waiting from now."""
        self.store = self.intake.store = msgspec.convert(state["store"], Store)
        self.queue.load(state["queue"])
        self.errors.load(state["errors"])
        self.deletions.load(state["deletions"])
