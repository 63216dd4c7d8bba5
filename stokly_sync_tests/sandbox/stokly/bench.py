"""A served Stokly sandbox with a clock moved by hand, and the few words its specifications are written in."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

import msgspec
import requests

from stokly_sync.sandbox.kit import ManualClock, decode
from stokly_sync.sandbox.seeds import Seed, minimal_seed
from stokly_sync.sandbox.stokly import StoklySandbox, StoklySwitches

TODAY = date(2026, 1, 1)
Record = dict[str, Any]


@dataclass
class Bench:
    """What a test needs: the system, its clock, and a session whose token is kept in `token`."""

    system: StoklySandbox
    clock: ManualClock
    root: str
    session: requests.Session
    token: str = ""

    def reset(self) -> None:
        """Back to the minimal seed with default switches, no limits, no disturbances, and a fresh token."""
        self.system.set_switches(**msgspec.to_builtins(StoklySwitches()))
        self.system.set_limits(False)
        self.system.faults.clear()
        self.system.calls.reset()
        self.system.drifts.clear()
        self.system.pages.clear()
        self.plant(minimal_seed(TODAY))
        self.clock.advance(60)
        self.token = self.grant().json()["data"]["authenticationResult"]["accessToken"]

    def plant(self, seed: Seed) -> None:
        """Put other data into the account."""
        self.system.plant(seed)

    def grant(self, **changes: Any) -> requests.Response:
        """Ask for a token, correctly signed unless a member is changed."""
        env = self.system.settings_env(self.root)
        secret, client = env["STOKLY_CLIENT_SECRET"], env["STOKLY_CLIENT_ID"]
        body = {
            "accountkey": env["STOKLY_ACCOUNT_KEY"],
            "clientId": client,
            "signature": hmac.new(secret.encode(), client.encode(), hashlib.sha256).hexdigest(),
        }
        return self.session.post(f"{self.root}/v1/grant", json={**body, **changes}, timeout=30)

    def call(self, path: str, *, token: str | None = None, **query: Any) -> requests.Response:
        """One GET; the query is percent-encoded throughout."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        return self.session.get(f"{self.root}{path}?{text}", headers=headers, timeout=30)

    def get(self, path: str, **query: Any) -> Any:
        """The decoded answer to a GET that must succeed, fractions as Decimal."""
        answer = self.call(path, **query)
        assert answer.status_code == 200, answer.text
        return decode(answer.content)

    def rows(self, path: str, **query: Any) -> list[Record]:
        """The rows of one page."""
        rows: list[Record] = self.get(path, **query)["data"]
        return rows

    def control(self, method: str, path: str, body: object = None) -> requests.Response:
        """One call under `/_sandbox/`."""
        return self.session.request(method, f"{self.root}/_sandbox/{path}", json=body, timeout=30)

    def order_id(self, place: int = 0) -> str:
        """The id of the n-th kept order."""
        return str(self.system.store.rows("saleorders")[place]["saleOrderId"])


def numbered_customers(count: int) -> Seed:
    """So many live customers with `niceId` from 1 and nothing else in the account."""
    rows = [
        {
            "customerId": f"00000000-0000-4000-8000-{number:012d}",
            "niceId": number,
            "name": f"Customer {number:05d}",
            "status": 1,
            "createdAt": "2025-01-01T00:00:00.000Z",
            "updatedAt": "2025-01-01T00:00:00.000Z",
        }
        for number in range(1, count + 1)
    ]
    return Seed(name="numbered", collections={"customers": rows})
