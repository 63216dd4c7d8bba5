"""Data-deletion requests: a person is made anonymous some time after it was asked for.

Belongs here: the requests, their stored form, and what anonymising removes. The vendor takes up to 14
days; here it takes `deletion_delay` seconds. Source: Ometria API contract 3 (deletion); the body's and
the answer's shape are not documented, see the contract's notes.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from stokly_sync.sandbox.kit import Clock
from stokly_sync.sandbox.ometria.store import Store

PERSONAL = (
    "email",
    "phone_number",
    "prefix",
    "firstname",
    "middlename",
    "lastname",
    "gender",
    "date_of_birth",
    "customer_id",
    "properties",
)
"""Members of a contact that tell who it is."""


class DeletionRequest(msgspec.Struct):
    """A request in its stored form; `email` is kept only until it is done and is never shown."""

    id: str
    comment: str
    hashed_email: str
    timestamp_created: datetime
    due: float
    email: str | None
    timestamp_completed: datetime | None = None
    summary: dict[str, int] = msgspec.field(default_factory=dict)

    def show(self) -> dict[str, Any]:
        """The request as `GET /data-deletion-requests` shows it."""
        return {
            "id": self.id,
            "action": "anonymise",
            "comment": self.comment,
            "identities": [{"hashed_email": self.hashed_email}],
            "source": {"api_request_id": self.id, "origin": "api", "user": None},
            "summary": self.summary,
            "timestamp_created": self.timestamp_created,
            "timestamp_completed": self.timestamp_completed,
        }


class Deletions:
    """All requests, in the order in which they came."""

    def __init__(self, *, clock: Clock, touch: Callable[[], None]) -> None:
        self._clock = clock
        self._touch = touch
        self.requests: dict[str, DeletionRequest] = {}

    def ask(self, *, email: str, comment: str, delay: float) -> DeletionRequest:
        """Take a request; it is due after `delay` seconds."""
        request = DeletionRequest(
            id=f"deletion-{len(self.requests) + 1}",
            comment=comment,
            hashed_email=hashlib.sha256(email.lower().encode()).hexdigest(),
            timestamp_created=self._clock.now(),
            due=self._clock.monotonic() + delay,
            email=email.lower(),
        )
        self.requests[request.id] = request
        self._touch()
        return request

    def work(self, store: Store) -> None:
        """Carry out every request that is due."""
        for request in self.requests.values():
            if request.email is None or self._clock.monotonic() < request.due:
                continue
            request.summary = _anonymise(store, request.email)
            request.email, request.timestamp_completed = None, self._clock.now()
            self._touch()

    def load(self, requests: Any) -> None:
        """Replace all requests by saved ones; what was not done yet is due at once."""
        self.requests = msgspec.convert(requests, dict[str, DeletionRequest])
        for request in self.requests.values():
            request.due = self._clock.monotonic()


def _anonymise(store: Store, email: str) -> dict[str, int]:
    contacts = [row for row in store.all_contacts() if _same(row.fields.get("email"), email)]
    for row in contacts:
        row.fields = {name: value for name, value in row.fields.items() if name not in PERSONAL}
    orders = [row for row in store.orders.values() if _same(_customer_email(row.fields), email)]
    for row in orders:
        row.fields = {
            name: value
            for name, value in row.fields.items()
            if name not in ("customer", "shipping_address", "billing_address", "ip_address")
        }
    for event in store.events.values():
        if _same(event.fields.get("identity_email"), email):
            del event.fields["identity_email"]
    store.unsubscribes = [row for row in store.unsubscribes if not _same(row.email_address, email)]
    store.forget_profile(email)
    return {"contacts": len(contacts), "orders": len(orders)}


def _customer_email(order: dict[str, Any]) -> Any:
    return (order.get("customer") or {}).get("email")


def _same(value: Any, email: str) -> bool:
    return isinstance(value, str) and value.lower() == email
