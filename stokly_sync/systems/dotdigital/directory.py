"""Which contacts Dotdigital has already: a status goes with new ones only, so as never to overwrite a person's choice.

Belongs here: looking up, remembering for the length of a run, and forgetting what was just sent. A few contacts are
looked up one by one; for more, the account's contacts are listed once and then only those created since.
Source: Dotdigital API contract 2 (status), 6 (lists); X19.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from stokly_sync.flow import Json
from stokly_sync.systems.dotdigital.client import DotdigitalClient

FRESH: Final = timedelta(seconds=30)
"""How old the list may be before those created since are asked for."""
OVERLAP: Final = timedelta(minutes=5)
"""How far the vendor's clock may be behind ours."""


@dataclass(frozen=True)
class Person:
    """How we know somebody: Stokly's customer id (None for a guest) and the e-mail address."""

    customer: str | None
    email: str


@dataclass(frozen=True)
class Standing:
    """What Dotdigital has of a person: a contact under the customer id, one under the address, and whose that is."""

    by_customer: bool
    by_email: bool
    email_owner: str | None

    @property
    def known(self) -> bool:
        """Whether there is a contact."""
        return self.by_customer or self.by_email


@dataclass
class Directory:
    """Contacts as they were seen; addresses in lower case."""

    client: DotdigitalClient
    customers: set[str] = field(default_factory=set)
    emails: dict[str, str | None] = field(default_factory=dict)
    listed_at: datetime | None = None
    _sent: set[str] = field(default_factory=set)

    def standings(self, people: Sequence[Person]) -> list[Standing]:
        """What Dotdigital has of each person now, as far as one call can tell."""
        with self.client.guard:
            most = self.client.settings.look_ups
            if len(people) <= most:
                return [self._look_up(person) for person in people]
            sent = [person for person in people if self._sent & set(_names(person))]
            self._list(anew=len(sent) > most)
            single = {person: self._look_up(person) for person in sent} if len(sent) <= most else {}
            return [single.get(person) or self._standing(person) for person in people]

    def note_sent(self, people: Sequence[Person]) -> None:
        """Forget what was known of people that are being imported: it may be otherwise from now on."""
        with self.client.guard:
            for person in people:
                self._sent.update(_names(person))

    def _standing(self, person: Person) -> Standing:
        email = person.email.lower()
        return Standing(person.customer in self.customers, email in self.emails, self.emails.get(email))

    def _look_up(self, person: Person) -> Standing:
        name = self.client.settings.identifier
        by_customer = self.client.contact(name, person.customer) if person.customer else None
        if by_customer is not None and _email(by_customer) == person.email.lower():
            return Standing(True, True, person.customer)  # two facts, named in the class
        by_email = self.client.contact("email", person.email)
        owner = _identifiers(by_email).get(name) if by_email is not None else None
        return Standing(by_customer is not None, by_email is not None, str(owner) if owner else None)

    def _list(self, *, anew: bool) -> None:
        now = self.client.clock.now()
        if anew or self.listed_at is None:
            self.customers.clear()
            self.emails.clear()
            self._sent.clear()
            self._take(self.client.contacts())
        elif now - self.listed_at < FRESH:
            return
        else:
            since = (self.listed_at - OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._take(self.client.contacts(**{"~created": f"gte::{since}"}))
        self.listed_at = now

    def _take(self, pages: Iterator[list[Json]]) -> None:
        name = self.client.settings.identifier
        for page in pages:
            for row in page:
                customer = _identifiers(row).get(name)
                if customer:
                    self.customers.add(str(customer))
                email = _email(row)
                if email:
                    self.emails[email] = str(customer) if customer else None


def directory(client: DotdigitalClient) -> Directory:
    """The client's directory."""
    with client.guard:
        found: Directory = client.shared.setdefault("directory", Directory(client))
        return found


def _names(person: Person) -> Iterator[str]:
    yield f"@{person.email.lower()}"
    if person.customer:
        yield person.customer


def _identifiers(contact: Json | None) -> Mapping[str, object]:
    held = contact.get("identifiers") if contact else None
    return held if isinstance(held, Mapping) else {}


def _email(contact: Json) -> str | None:
    email = _identifiers(contact).get("email")
    return str(email).lower() if email else None
