"""What every marketplace has before anybody sells: sellers, brands, taxons, attributes, carriers, commission.

Belongs here: the fixed reference data, small enough to read. The first seller is the one whose key the sandbox
gives out. Source: Marketplacer API contract 3.1, 4.3.
"""

from stokly_sync.sandbox.marketplacer.store import Store
from stokly_sync.sandbox.marketplacer.things import (
    Brand,
    CommissionPackage,
    OptionType,
    OptionValue,
    Prototype,
    Seller,
    ShipmentCarrier,
    Taxon,
)

OUR_SELLER, OTHER_SELLER = 1, 2
ROOT = 1
LEAVES = ("Homeware", "Clothing", "Gifts")
CARRIERS = ("Royal Mail", "DPD", "DHL", "Evri", "Other")
_COLOURS = ("Blue", "Green", "Red", "Sand", "White")


def furnished() -> Store:
    """A store with the reference data and nothing for sale."""
    store = Store()
    state = store.state
    for name in ("Demo Homeware", "Another Seller"):
        number = store.number(Seller)
        address = f"seller-{number}@example.com"
        store.add(state.sellers, Seller(number=number, business_name=name, email_address=address))
    for name in ("Demo House Brand", "Unbranded"):
        store.add(state.brands, Brand(number=store.number(Brand), name=name))
    store.add(state.packages, CommissionPackage(number=store.number(CommissionPackage), name="Standard"))
    for name in CARRIERS:
        store.add(state.carriers, ShipmentCarrier(number=store.number(ShipmentCarrier), name=name))
    _furnish_taxons(store)
    return store


def _furnish_taxons(store: Store) -> None:
    state = store.state
    values = [OptionValue(number=store.number(OptionValue), name=name.lower(), display_name=name) for name in _COLOURS]
    for value in values:
        store.add(state.option_values, value)
    numbers = [value.number for value in values]
    kinds: tuple[tuple[str, str, str, list[int]], ...] = (
        ("colour", "SINGLE_SELECT", "VARIANT", numbers),
        ("size", "FREE_TEXT", "VARIANT", []),
        ("material", "FREE_TEXT", "ADVERT", []),
    )
    for name, field_type, applied_to, allowed in kinds:
        number = store.number(OptionType)
        made = OptionType(
            number=number, name=name, field_type=field_type, applied_to=applied_to, option_values=list(allowed)
        )
        store.add(state.option_types, made)
    prototype = Prototype(number=store.number(Prototype), name="General", option_types=list(state.option_types))
    store.add(state.prototypes, prototype)
    store.add(state.taxons, Taxon(number=store.number(Taxon), display_name="All products", tree_name="All products"))
    for name in LEAVES:
        number = store.number(Taxon)
        leaf = Taxon(
            number=number,
            display_name=name,
            tree_name=f"All products > {name}",
            parent=ROOT,
            prototype=prototype.number,
        )
        store.add(state.taxons, leaf)
