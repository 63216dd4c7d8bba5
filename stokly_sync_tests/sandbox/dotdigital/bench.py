"""A served Dotdigital sandbox with a clock moved by hand, and the few words its specifications are written in."""

from dataclasses import dataclass
from typing import Any

import msgspec
import requests

from stokly_sync.sandbox.dotdigital import DotdigitalSandbox, DotdigitalSwitches
from stokly_sync.sandbox.kit import ManualClock, decode, encode

Record = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What a test needs: the system, its clock, and a session without credentials."""

    system: DotdigitalSandbox
    clock: ManualClock
    root: str
    session: requests.Session

    def reset(self) -> None:
        """Bring the sandbox back to how it was made: empty, no faults, switches at their defaults, no calls."""
        self.system.load(decode(encode(DotdigitalSandbox().dump())))
        self.system.set_switches(**msgspec.to_builtins(DotdigitalSwitches()))
        self.system.set_limits(False)
        self.system.limits.clear()
        self.system.faults.clear()
        self.system.calls.reset()
        self.clock.advance(60)

    def call(
        self, method: str, path: str, body: Any = None, *, root: str | None = None, **more: Any
    ) -> requests.Response:
        """One call with the right credentials, unless `auth` says otherwise; `body` becomes JSON."""
        if body is not None:
            more["data"] = body if isinstance(body, bytes) else encode(body)
        switches = self.system.switches
        more.setdefault("auth", (switches.username, switches.password))
        return self.session.request(method, (root or self.root) + path, timeout=30, **more)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The decoded answer to a call that must succeed, fractions as Decimal."""
        answer = self.call(method, path, body, **more)
        assert answer.status_code < 300, answer.text
        return decode(answer.content) if answer.content else None

    def get(self, path: str, **query: Any) -> Any:
        """The decoded answer to a GET that must succeed."""
        return self.ok("GET", path, params=query)

    def start(self, *contacts: Record, **more: Any) -> str:
        """Start an import of contacts and say its id."""
        number: str = self.ok("PUT", "/contacts/v3/import", {"contacts": list(contacts), **more})["importId"]
        return number

    def load(self, *contacts: Record, **more: Any) -> Record:
        """Import contacts, wait, and say the report."""
        number = self.start(*contacts, **more)
        self.clock.advance(1)
        report: Record = self.get(f"/contacts/v3/import/{number}")
        assert report["status"] == "Finished"
        return report

    def insight(self, *records: Record, collection: str = "Orders", **more: Any) -> str:
        """Start an import of insight data (orders of contacts, unless told otherwise) and say its id."""
        body = {
            "collectionName": collection,
            "collectionScope": "contact",
            "collectionType": "orders",
            "records": list(records),
            **more,
        }
        number: str = self.ok("PUT", "/insightData/v3/import", body)["importId"]
        return number

    def load_insight(self, *records: Record, **more: Any) -> Record:
        """Import insight data, wait, and say the report."""
        number = self.insight(*records, **more)
        self.clock.advance(1)
        report: Record = self.get(f"/insightData/v3/import/{number}")
        assert report["status"] == "Finished"
        return report

    def reasons(self, *records: Record, **more: Any) -> list[str]:
        """Import insight data and say why records were refused."""
        return [row["failureReason"] for row in self.load_insight(*records, **more).get("failures", [])]

    def inspect(self, name: str) -> Any:
        """What a test-only route answers."""
        return decode(self.session.get(f"{self.root}/_sandbox/{name}", timeout=30).content)


def email_of(name: str) -> str:
    return f"{name.lower()}@example.com"


def contact(name: str = "C1", /, *, status: str | None = "unsubscribed", **more: Any) -> Record:
    """A contact of an import, matched by e-mail."""
    made: Record = {"matchIdentifier": "email", "identifiers": {"email": email_of(name)}}
    if status is not None:
        made["channelProperties"] = {"email": {"status": status}}
    return {**made, **more}


def order(name: str = "O1", /, owner: str = "C1", **json: Any) -> Record:
    """An order of a contact, as a record of an insight import."""
    return {
        "key": name,
        "contactIdentity": {"identifier": "email", "value": email_of(owner)},
        "json": {"id": name, "currency": "GBP", **json},
    }


def product(name: str = "catalog-1", /, **json: Any) -> Record:
    """A product, as a record of an insight import of account scope."""
    return {"key": name, "json": {"sku": name, **json}}


CATALOGUE = {"collection": "catalog_main", "collectionScope": "account", "collectionType": "catalog"}
