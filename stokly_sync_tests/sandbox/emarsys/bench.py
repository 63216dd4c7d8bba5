"""A served Emarsys sandbox with a clock moved by hand, and the few words its specifications are written in."""

from dataclasses import dataclass
from typing import Any

import msgspec
import requests

from stokly_sync.sandbox.emarsys import EmarsysSandbox, EmarsysSwitches
from stokly_sync.sandbox.emarsys.access import wsse_digest
from stokly_sync.sandbox.kit import ManualClock, decode, encode

MERCHANT = "sandbox-merchant"
NONCE = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Bench:
    """What a test needs: the system, its clock, and a session without credentials."""

    system: EmarsysSandbox
    clock: ManualClock
    root: str
    session: requests.Session

    def reset(self) -> None:
        """Bring the sandbox back to how it was made: empty, no faults, switches at their defaults."""
        self.system.load(decode(encode(EmarsysSandbox().dump())))
        self.system.set_switches(**msgspec.to_builtins(EmarsysSwitches()))
        self.system.set_limits(False)
        self.system.faults.clear()
        self.system.calls.reset()
        for left in self.system.catalogue_folder.iterdir():
            left.unlink()
        self.clock.advance(60)

    def token_call(self, *, path: str = "/oauth2/token", **more: Any) -> requests.Response:
        """One call of the token endpoint, good unless something else is given."""
        switches = self.system.switches
        given = {
            "auth": (switches.client_id, switches.client_secret),
            "data": {"grant_type": "client_credentials"},
            **more,
        }
        return self.session.post(self.root + path, timeout=30, **given)

    def call(self, method: str, path: str, body: Any = None, *, query: Any = None) -> requests.Response:
        """One call below `/api/v3` with a fresh bearer token."""
        headers = {"Authorization": f"Bearer {self.system.access.issue()}"}
        return self.session.request(
            method, f"{self.root}/api/v3{path}", headers=headers, json=body, params=query, timeout=30
        )

    def ask(self, method: str, path: str, body: Any = None, *, query: Any = None) -> Any:
        """The `data` of a call that must succeed."""
        answer = self.call(method, path, body, query=query)
        content = answer.json()
        assert (answer.status_code, content["replyCode"], content["replyText"]) == (200, 0, "OK"), content
        return content["data"]

    def refusal(self, method: str, path: str, body: Any = None, *, query: Any = None) -> tuple[int, int]:
        """HTTP status and reply code of a call that must be refused."""
        answer = self.call(method, path, body, query=query)
        content = answer.json()
        assert content["replyCode"] != 0, content
        assert content["data"] == ""
        return answer.status_code, content["replyCode"]

    def put(self, *contacts: Any, key: str = "3", create: bool = True, **more: Any) -> Any:
        """`data` of an update in batch form."""
        body = {"key_id": key, "contacts": list(contacts), **more}
        return self.ask("PUT", "/contact/", body, query={"create_if_not_exists": int(create)})

    def contact(self, email: str = "a@example.com", **fields: Any) -> int:
        """Make one contact and say its internal id."""
        (number,) = self.put({"3": email, **fields})["ids"]
        return int(number)

    def field(self, name: str = "Stokly Customer Id", kind: str = "shorttext") -> str:
        """Make a custom field and say its id; the default name is one that support has indexed."""
        return str(self.ask("POST", "/field", {"name": name, "application_type": kind})["id"])

    def values(self, email: str, *fields: str) -> Any:
        """What getdata shows of one contact."""
        asked = {"keyId": "3", "keyValues": [email], "fields": list(fields)}
        (row,) = self.ask("POST", "/contact/getdata", asked)["result"]
        return row

    def wsse(self, path: str, *, version: str = "v2", **parts: str) -> requests.Response:
        """One GET below `/api/v2` with a WSSE header; `parts` replace its members or the `header` whole."""
        switches = self.system.switches
        created = parts.get("created", self.clock.now().isoformat())
        nonce = parts.get("nonce", NONCE)
        digest = parts.get("digest", wsse_digest(nonce=nonce, created=created, secret=switches.wsse_secret))
        user = parts.get("user", switches.wsse_user)
        header = f'UsernameToken Username="{user}", PasswordDigest="{digest}", Nonce="{nonce}", Created="{created}"'
        headers = {parts.get("name", "X-WSSE"): parts.get("header", header)}
        return self.session.get(f"{self.root}/api/{version}{path}", headers=headers, timeout=30)

    def upload(
        self,
        content: str | bytes,
        *,
        merchant: str = MERCHANT,
        timeout: float = 5,
        kind: str = "text/csv",
        **headers: str,
    ) -> requests.Response:
        """One sales upload with the merchant's token."""
        token = self.system.switches.merchants[MERCHANT]
        return self.session.post(
            f"{self.root}/hapi/merchant/{merchant}/sales-data/api",
            data=content.encode() if isinstance(content, str) else content,
            headers={"Authorization": f"bearer {token}", "Content-Type": kind, "Accept": "text/plain", **headers},
            timeout=timeout,
        )

    def inspect(self, name: str, **query: str) -> Any:
        """What a test-only route answers."""
        return self.session.get(f"{self.root}/_sandbox/{name}", params=query, timeout=30).json()

    def do(self, name: str, body: Any = None) -> requests.Response:
        """One deed by a test-only route."""
        return self.session.post(f"{self.root}/_sandbox/{name}", json=body or {}, timeout=30)
