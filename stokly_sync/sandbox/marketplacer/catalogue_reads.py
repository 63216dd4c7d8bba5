"""Reading adverts, variants and reference data.

Belongs here: the queries with their filters, and fields that are derived. `advertsWhere` without a filter finds
nothing; `variants` hides what is not displayable unless told otherwise. Source: Marketplacer API contract 3.1, 3.4,
3.5.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.marketplacer import flags
from stokly_sync.sandbox.marketplacer.call import Args, Call, Resolver
from stokly_sync.sandbox.marketplacer.ids import price_text, read_id
from stokly_sync.sandbox.marketplacer.paging import connection
from stokly_sync.sandbox.marketplacer.things import Advert, OptionType, Prototype, Taxon, Variant

KEPT = timedelta(days=30)
"""How long a deleted advert can still be read."""
_PAGING = {"first", "after", "last", "before"}


@dataclass(frozen=True)
class OffSale:
    """An advert as `allAdverts` shows it when it is not published any more, or was deleted."""

    kind: str
    details: Advert

    @property
    def id(self) -> str:
        """The advert's id."""
        return self.details.id

    @property
    def updated_at(self) -> datetime:
        """When it last changed."""
        return self.details.updated_at


def readable(call: Call) -> Iterator[Advert]:
    """Every advert that the key may read, deleted ones while they are kept."""
    for advert in call.store.state.adverts.values():
        gone = advert.deleted_at is not None and advert.deleted_at + KEPT <= call.now
        if not gone and call.sees(advert):
            yield advert


def _adverts_where(_source: Any, call: Call, args: Args) -> Any:
    filters = {name: value for name, value in args.items() if name not in _PAGING and value is not None}
    rows = [advert for advert in readable(call) if _matches(call, advert, filters)] if filters else []
    return connection(call, rows, args)


def _matches(call: Call, advert: Advert, filters: Args) -> bool:
    return all(_passes(call, advert, name, value) for name, value in filters.items())


def _passes(call: Call, advert: Advert, name: str, value: Any) -> bool:
    match name:
        case "variant_skus":
            return not _skus(call, advert).isdisjoint(_folded(call, value))
        case "variant_barcodes":
            return any(variant.barcode in value for variant in _variants(call, advert))
        case "q" | "id_title_sku_barcode":
            return any(value.lower() in text.lower() for text in _texts(call, advert))
        case "title":
            return bool(value.lower() in advert.title.lower())
        case "legacy_ids":
            return advert.number in value
        case "brand_ids":
            return ("Brand", advert.brand) in {read_id(text) for text in value}
        case "retailer_ids":
            return ("Seller", advert.seller) in {read_id(text) for text in value}
        case "taxon_ids":
            return ("Taxon", advert.taxon) in {read_id(text) for text in value}
        case "taxon_ids_with_descendants":
            return not {("Taxon", taxon) for taxon in _lineage(call, advert)}.isdisjoint(map(read_id, value))
        case "created_since":
            return bool(advert.created_at >= value)
        case "created_until":
            return bool(advert.created_at <= value)
        case "vetted":
            return bool(advert.vetted == value)
        case "rejected_via_vetting":
            return bool(advert.vetting_rejected == value)
        case _:
            return _has_status(call, advert, value)


def _has_status(call: Call, advert: Advert, status: str) -> bool:
    displayed = flags.advert_displayable(call.store, advert)
    return {"DISPLAYED": displayed, "NOT_DISPLAYED": not displayed, "FEATURED": advert.featured}[status]


def _variants(call: Call, advert: Advert) -> list[Variant]:
    return [call.store.state.variants[number] for number in advert.variants]


def _skus(call: Call, advert: Advert) -> set[str]:
    return _folded(call, (variant.sku for variant in _variants(call, advert)))


def _folded(call: Call, skus: Iterable[str | None]) -> set[str]:
    exact = call.switches.sku_match == "exact"
    return {sku if exact else sku.lower() for sku in skus if sku}


def _texts(call: Call, advert: Advert) -> list[str]:
    named = [text for variant in _variants(call, advert) for text in (variant.sku, variant.barcode) if text]
    return [str(advert.number), advert.title, *named]


def _lineage(call: Call, advert: Advert) -> Iterator[int]:
    number = advert.taxon
    while number is not None:
        yield number
        number = call.store.state.taxons[number].parent


def _all_adverts(_source: Any, call: Call, args: Args) -> Any:
    since, vetted = args.get("updated_since"), args.get("vetted")
    rows = [
        _shown(advert)
        for advert in readable(call)
        if (since is None or advert.updated_at >= since) and (vetted is None or advert.vetted == vetted)
    ]
    return connection(call, rows, args)


def _shown(advert: Advert) -> Advert | OffSale:
    if advert.deleted_at is not None:
        return OffSale("DeletedAdvert", advert)
    return advert if advert.published else OffSale("UnpublishedAdvert", advert)


def _advert_variants(advert: Advert, call: Call, args: Args) -> Any:
    rows = _variants(call, advert)
    if args.get("displayable_only"):
        rows = [variant for variant in rows if flags.variant_displayable(call.store, variant)]
    return connection(call, rows, args)


def _off_sale_variants(shown: OffSale, call: Call, args: Args) -> Any:
    return connection(call, _variants(call, shown.details), args)


def _lowest(call: Call, advert: Advert) -> Decimal | None:
    return min((variant.price for variant in _variants(call, advert) if variant.price is not None), default=None)


def _text(price: Decimal | None) -> str | None:
    return None if price is None else price_text(price)


def _children(taxon: Taxon, call: Call, args: Args) -> Any:
    taxons = call.store.state.taxons.values()
    return connection(call, [child for child in taxons if child.parent == taxon.number], args)


def _roots(_source: Any, call: Call, args: Args) -> Any:
    return connection(call, [taxon for taxon in call.store.state.taxons.values() if taxon.parent is None], args)


def _option_types(prototype: Prototype, call: Call, args: Args) -> Any:
    types = call.store.state.option_types
    return connection(call, [types[number] for number in prototype.option_types], args)


def _option_values(kind: OptionType, call: Call, args: Args) -> Any:
    values = call.store.state.option_values
    return connection(call, [values[number] for number in kind.option_values], args)


RESOLVERS: dict[str, Resolver] = {
    "Query.brands": lambda _, call, args: connection(call, list(call.store.state.brands.values()), args),
    "Query.taxons": _roots,
    "Query.advertsWhere": _adverts_where,
    "Query.allAdverts": _all_adverts,
    "Taxon.prototype": lambda taxon, call, _: call.store.state.prototypes.get(taxon.prototype),
    "Taxon.children": _children,
    "Prototype.optionTypes": _option_types,
    "OptionType.optionValues": _option_values,
    "Advert.brand": lambda advert, call, _: call.store.state.brands.get(advert.brand),
    "Advert.taxonNullable": lambda advert, call, _: call.store.state.taxons.get(advert.taxon),
    "Advert.seller": lambda advert, call, _: call.store.state.sellers[advert.seller],
    "Advert.displayable": lambda advert, call, _: flags.advert_displayable(call.store, advert),
    "Advert.online": lambda advert, call, _: flags.advert_displayable(call.store, advert),
    "Advert.published": lambda advert, _call, _: advert.published and advert.deleted_at is None,
    "Advert.editablePrice": lambda advert, _call, _: _text(advert.price),
    "Advert.lowestOriginalPrice": lambda advert, call, _: _text(_lowest(call, advert)),
    "Advert.externalIds": lambda advert, call, _: call.store.names_of(advert),
    "Advert.variants": _advert_variants,
    "UnpublishedAdvert.variants": _off_sale_variants,
    "DeletedAdvert.variants": _off_sale_variants,
    "Variant.advert": lambda variant, call, _: call.store.state.adverts[variant.advert],
    "Variant.displayable": lambda variant, call, _: flags.variant_displayable(call.store, variant),
    "Variant.buyable": lambda variant, call, _: flags.buyable(call.store, variant),
    "Variant.lowestPrice": lambda variant, call, _: _text(flags.current_price(variant, call.now)),
    "Variant.editablePrice": lambda variant, _call, _: _text(variant.price),
    "Variant.externalIds": lambda variant, call, _: call.store.names_of(variant),
    # Products of several sellers are not kept here, so no variant has stock by seller.
    "Variant.inventories": lambda _, call, args: connection(call, [], args),
}
