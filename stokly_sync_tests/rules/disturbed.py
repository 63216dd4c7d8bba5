"""Defects at the marketing systems: what stands in them before the first sync, what they refuse, what happens later.

What is planted before takes the ground, what happens after the first sync takes the world; each function gives the key
of the record that must be kept back.
"""

from __future__ import annotations

from typing import Final, cast

from stokly_sync.pipeline.erasing import eraser
from stokly_sync.sandbox.dotdigital import DotdigitalSandbox
from stokly_sync.sandbox.dotdigital.store import Contact
from stokly_sync.sandbox.dotdigital.upserts import set_status
from stokly_sync.sandbox.emarsys import EmarsysSandbox
from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.ometria.system import OmetriaSandbox
from stokly_sync.sandbox.stokly import StoklySandbox
from stokly_sync_tests.acceptance.account import add_customers, add_order, change_customer, change_item, product_of
from stokly_sync_tests.rules.ground import Ground, Row, key_of
from stokly_sync_tests.rules.worlds import World

_ADDRESS: Final = "3"
"""Emarsys' field of the e-mail address."""


def refused_by_ometria(ground: Ground) -> str:
    key = key_of(ground.customer())
    ground.boxes["ometria"].set_switches(failing_ids=[key])
    return key


def refused_by_dotdigital(ground: Ground) -> str:
    key = key_of(ground.customer())
    ground.boxes["dotdigital"].set_switches(failing_ids=[key])
    return key


def refused_by_emarsys(ground: Ground) -> str:
    key = key_of(ground.customer())
    ground.boxes["emarsys"].set_switches(refused=[key])
    return key


def address_taken_in_dotdigital(ground: Ground) -> str:
    row = ground.customer()
    _contact(_dotdigital(ground), {"email": row["email"], "stokly-id": "another-customer"})
    return key_of(row)


def suppressed_in_dotdigital(ground: Ground) -> str:
    row = ground.customer()
    box = _dotdigital(ground)
    set_status(_contact(box, {"email": row["email"]}), "suppressed", now=box.clock.now())
    return key_of(row)


def _contact(box: DotdigitalSandbox, identifiers: dict[str, str]) -> Contact:
    now = box.clock.now()
    number = box.store.next_number()
    contact = Contact(contact_id=number, identifiers={}, created=now, updated=now)
    box.store.contacts[number] = contact
    box.store.identify(contact, identifiers)
    return contact


def twice_in_emarsys(ground: Ground) -> str:
    row, box = ground.customer(), cast("EmarsysSandbox", ground.boxes["emarsys"])
    for _ in range(2):
        box.store.write(box.store.create(at=box.clock.now()), _ADDRESS, row["email"], at=box.clock.now())
    return key_of(row)


def address_taken_in_emarsys(world: World) -> str:
    owner, box, email = _known(world, 1), _emarsys(world), "taken@example.com"
    field = box.store.fields.named("stokly_customer_id")
    assert field is not None
    (contact,) = box.store.find(field.id, key_of(owner))
    box.store.write(contact, _ADDRESS, email, at=box.clock.now())
    return add_customers(_stokly(world), [1], email=email)[0]


def import_that_is_lost(world: World) -> None:
    world.ground.boxes["dotdigital"].set_switches(lost_imports=3)
    change_item(_stokly(world), world.ground.goods(2).sku, name="Renamed")


def choice_made_in_ometria(world: World) -> str:
    row = _known(world, 3)
    _ometria(world).unsubscribe(row["email"])
    return key_of(row)


def choice_of_somebody_unknown_to_dotdigital(world: World) -> str:
    row, box = _known(world, 4), _dotdigital(world.ground)
    _ometria(world).unsubscribe(row["email"])
    contact = box.store.find("email", row["email"])
    assert contact is not None
    box.store.remove([contact])
    return key_of(row)


def choice_that_emarsys_refuses(world: World) -> str:
    row, box = _known(world, 5), _emarsys(world)
    _ometria(world).unsubscribe(row["email"])
    box.set_switches(refused=[*box.switches.refused, key_of(row)])
    return key_of(row)


def erased_customer(world: World) -> str:
    row = _known(world, 6)
    assert eraser(world.services, actor="test").erase(customer=key_of(row), email=None).complete
    change_customer(_stokly(world), key_of(row), phone="01632 960999")
    return key_of(row)


def upload_without_an_answer(world: World) -> str:
    cut = Fault(method="POST", path="/hapi/", action="cut", processed=True)
    world.ground.boxes["emarsys"].faults.add(cut)
    stokly = _stokly(world)
    return add_order(stokly, 1, customer=_known(world, 7), product=product_of(stokly, world.ground.goods(3).sku))


def _known(world: World, place: int) -> Row:
    """One of the customers with whom nothing is wrong."""
    return world.ground.garden.customers[place]


def _stokly(world: World) -> StoklySandbox:
    return cast("StoklySandbox", world.ground.boxes["stokly"])


def _ometria(world: World) -> OmetriaSandbox:
    return cast("OmetriaSandbox", world.ground.boxes["ometria"])


def _dotdigital(ground: Ground) -> DotdigitalSandbox:
    return cast("DotdigitalSandbox", ground.boxes["dotdigital"])


def _emarsys(world: World) -> EmarsysSandbox:
    return cast("EmarsysSandbox", world.ground.boxes["emarsys"])
