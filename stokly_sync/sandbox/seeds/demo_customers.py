"""The demo's customers: consumers and trade accounts, with addresses and, for trade, contacts.

Belongs here: customer rows and the members that an order repeats of its buyer. Names are numbers or firms
(some with accents and apostrophes); two customers share one e-mail address, which is allowed.
Source: Stokly API contract 3.1, 5 #1, 5 #3.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from stokly_sync.sandbox.seeds.demo_tables import Place
from stokly_sync.sandbox.seeds.model import PARENT, Row
from stokly_sync.sandbox.seeds.words import make_id, midnight, stamp

CUSTOMERS = 300
TRADE = 40
FIRMS = (
    "Baker's Dozen Gifts",
    "Café Zoë & Söhne",
    "L'Étoile Interiors",
    "Łódź Homeware",
    "Niño & Niña Toys",
    "The Potter's Wheel (Æbleø)",
)


@dataclass(frozen=True)
class Buyer:
    """A customer as an order knows it; `members` are the row's members of its buyer, `address` of its place."""

    place: Place
    members: Row
    address: Row
    trade: bool = False


@dataclass
class People:
    """The customers' rows and, in the same order, the buyers."""

    rows: list[Row] = field(default_factory=list)
    addresses: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    buyers: list[Buyer] = field(default_factory=list)

    def tables(self) -> dict[str, list[Row]]:
        """The customer collections."""
        return {
            "customers": self.rows,
            "customers/addresses": self.addresses,
            "customers/contacts": self.contacts,
        }


def make_people(places: list[Place], *, today: date, random: Random) -> People:
    """All customers; the first `TRADE` of them are firms."""
    people = People()
    weights = [place.weight for place in places]
    for number in range(1, CUSTOMERS + 1):
        place = random.choices(places, weights)[0]
        created = midnight(today, days=-random.randint(95, 400)) + timedelta(minutes=random.randint(0, 1439))
        row = customer_row(number, place, created=stamp(created))
        if number == CUSTOMERS:
            row["email"] = people.rows[-1]["email"]
        people.rows.append(row)
        people.addresses.append({PARENT: row["customerId"], **_nested_address(number, place)})
        if row["type"] == 1:
            people.contacts.append(_contact(row))
        people.buyers.append(buyer_of(row, place))
    return people


def customer_row(number: int, place: Place, *, created: str) -> Row:
    """One customer, live, with every member that a customer may have but notes and tags."""
    trade = number <= TRADE
    name = FIRMS[number - 1] if number <= len(FIRMS) else f"Customer {number:05d}"
    return {
        "customerId": make_id("customer", number),
        "niceId": number,
        "barcode": f"ACC-{number:05d}",
        "name": name,
        "fullName": name,
        "type": 1 if trade else 0,
        "status": 1,
        "email": f"customer-{number:05d}@example.com",
        "phone": f"01632 960{number % 1000:03d}",
        "accountBalance": 0,
        "currency": place.currency,
        "createdAt": created,
        "updatedAt": created,
        **flat_address("billing", number, place),
    }


def buyer_of(row: Row, place: Place) -> Buyer:
    """The buyer that orders of this customer name."""
    members = {
        "customerId": row["customerId"],
        "customerName": row["name"],
        "customerEmail": row["email"],
        "customerPhone": row["phone"],
    }
    number = row["niceId"]
    address = {**flat_address("billing", number, place), **flat_address("shipping", number, place)}
    return Buyer(place, members, address, trade=row["type"] == 1)


def guest(number: int, place: Place, *, email: bool) -> Buyer:
    """A buyer without an account, with or without an e-mail address."""
    members = {"customerName": f"Guest {number:05d}"}
    if email:
        members["customerEmail"] = f"guest-{number:05d}@example.com"
    address = {**flat_address("billing", number, place), **flat_address("shipping", number, place)}
    return Buyer(place, members, address)


def flat_address(prefix: str, number: int, place: Place) -> Row:
    """An address as it is read: flattened under a prefix."""
    nested = _nested_address(number, place)
    return {f"{prefix}Address{name[0].upper()}{name[1:]}": value for name, value in nested.items()}


def _nested_address(number: int, place: Place) -> Row:
    address = {
        "line1": f"{number} Sample Street",
        "city": place.city,
        "region": place.region,
        "postcode": place.postcode,
        "country": place.country,
    }
    if number % 5 == 0:
        address["line2"] = "Unit 2"
    return address


def _contact(row: Row) -> Row:
    return {
        PARENT: row["customerId"],
        "contactId": make_id("contact", row["customerId"]),
        "name": f"Buying desk of {row['name']}",
        "email": f"buying-{row['niceId']:05d}@example.com",
        "phone": row["phone"],
        "tags": ["Delivery Contact"],
    }
