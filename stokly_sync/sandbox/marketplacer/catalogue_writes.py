"""Writing adverts and variants.

Belongs here: the mutations on products and their rules. Everything is checked before anything is written. Stock is
absolute and whole. What becomes of variants that an update does not name, and who has to approve what, are switches.
Source: Marketplacer API contract 3.2 to 3.4.
"""

import copy
from typing import Any

from stokly_sync.sandbox.marketplacer.call import Args, Call, RefusedError, Resolver, mutation
from stokly_sync.sandbox.marketplacer.things import Advert, Brand, Seller, Taxon, Thing, Variant

_PLAIN = (
    "sku",
    "barcode",
    "description",
    "price",
    "sale_price",
    "sale_price_start_at",
    "sale_price_end_at",
    "count_on_hand",
    "infinite_quantity",
    "published",
)
_NEVER_NULL = ("count_on_hand", "infinite_quantity", "published")
_OWN_MEANING = ("id", "external_id", "external_ids", "metadata", "images", "variant_option_values", "option_value_ids")
EXTERNAL_ID = "external_id"
"""The key under which the single `externalId` of a variant is kept; assumed."""


def _variant_update(call: Call, given: Args) -> Variant:
    variant = _live(call, call.own(Variant, given.get("variant_id"), "variantId"), given.get("variant_id"))
    attributes = given["attributes"]
    check_variant(call, attributes, known=variant)
    call.store.counted("variantUpdate")
    if not write_variant(call, variant, attributes):
        call.store.counted("variantUpdate unchanged")
    _changed(call, call.store.state.adverts[variant.advert])
    return variant


def _live(call: Call, variant: Variant, text: str | None) -> Variant:
    if call.store.state.adverts[variant.advert].deleted_at is not None:
        raise RefusedError("variantId", f"No object found for variantId: {text}", status=404)
    return variant


def check_variant(call: Call, attributes: Args, *, known: Variant | None) -> None:
    """Check what is to be written to a variant.

    Raises:
        RefusedError: for a negative amount, an image out of reach, or a SKU that a switch names.
    """
    count = attributes.get("count_on_hand")
    if count is not None and count < 0:
        raise RefusedError("countOnHand", "Count on hand must be greater than or equal to 0")
    for name, field in (("price", "price"), ("sale_price", "salePrice")):
        if attributes.get(name) is not None and attributes[name] < 0:
            raise RefusedError(field, f"{name.replace('_', ' ').capitalize()} must be greater than or equal to 0")
    skus = {attributes.get("sku"), known.sku if known is not None else None}
    if not skus.isdisjoint(call.switches.refused_skus):
        raise RefusedError("base", "Variant is invalid")
    _check_images(call, attributes)


def _check_images(call: Call, attributes: Args) -> None:
    for url in _urls(attributes):
        if url in call.switches.unreachable_images:
            raise RefusedError("images", f"Unable to retrieve attachment: {url} (Net::OpenTimeout)")


def _urls(attributes: Args) -> list[str]:
    return [image["source_url"] for image in attributes.get("images") or () if image.get("source_url")]


def write_variant(call: Call, variant: Variant, attributes: Args) -> bool:
    """Write checked attributes to a variant and say whether anything is different now."""
    before = copy.copy(variant)
    names = [(name.key, name.value) for name in call.store.names_of(variant)]
    for name, value in attributes.items():
        variant.written[name] = variant.written.get(name, 0) + 1
        if name in _NEVER_NULL and value is None:
            continue
        if name in _PLAIN:
            setattr(variant, name, value)
        elif name not in _OWN_MEANING:
            variant.more = {**variant.more, name: value}
    if attributes.get("metadata") is not None:
        variant.metadata = {**variant.metadata, **{pair["key"]: pair.get("value") for pair in attributes["metadata"]}}
    if attributes.get("images") is not None:
        variant.images = _urls(attributes)
    if attributes.get("variant_option_values") is not None:
        variant.options = attributes["variant_option_values"]
    if attributes.get("external_id") is not None:
        call.store.name(variant, EXTERNAL_ID, attributes["external_id"])
    _write_names(call, variant, attributes)
    return variant != before or names != [(name.key, name.value) for name in call.store.names_of(variant)]


def _write_names(call: Call, thing: Thing, attributes: Args) -> None:
    for pair in attributes.get("external_ids") or ():
        call.store.name(thing, pair["key"], pair.get("value"))


def _advert_upsert(call: Call, given: Args) -> Advert:
    attributes = given["attributes"]
    known = call.own(Advert, given["advert_id"], "advertId") if given.get("advert_id") else None
    if known is not None and known.deleted_at is not None:
        raise RefusedError("advertId", f"No object found for advertId: {given['advert_id']}", status=404)
    seller = known.seller if known is not None else _seller(call, given.get("seller_id"))
    brand = call.own(Brand, attributes["brand_id"], "brandId") if attributes.get("brand_id") else None
    taxon = call.own(Taxon, attributes["taxon_id"], "taxonId") if attributes.get("taxon_id") else None
    targets = _targets(call, known, attributes)
    _check_images(call, attributes)
    if known is None and not (attributes.get("title") or "").strip():
        raise RefusedError("title", "Title can't be blank")
    if known is None and not targets:
        raise RefusedError("variants", "Variants can't be blank")
    advert = known or _new_advert(call, seller, attributes["title"])
    for name, thing in (("brand", brand), ("taxon", taxon)):
        if thing is not None:
            setattr(advert, name, thing.number)
    _write_advert(call, advert, attributes)
    _write_variants(call, advert, targets, named="variants" in attributes)
    _changed(call, advert, created=known is None)
    return advert


def _seller(call: Call, text: str | None) -> int:
    if call.principal.seller is not None:
        if text is not None:
            call.own(Seller, text, "sellerId")
        return call.principal.seller
    if text is None:
        raise RefusedError("sellerId", "Seller must exist")
    return call.own(Seller, text, "sellerId").number


def _targets(call: Call, advert: Advert | None, attributes: Args) -> list[tuple[Variant | None, Args]]:
    """The variants that are written, each with its attributes; None for one to be made."""
    targets: list[tuple[Variant | None, Args]] = []
    for given in attributes.get("variants") or ():
        variant = call.own(Variant, given["id"], "variantId") if given.get("id") else None
        if variant is not None and (advert is None or variant.advert != advert.number):
            raise RefusedError("variants", "Variant is not one of this advert")
        check_variant(call, given, known=variant)
        targets.append((variant, given))
    return targets


def _new_advert(call: Call, seller: int, title: str) -> Advert:
    number = call.store.number(Advert)
    advert = Advert(number=number, seller=seller, title=title, created_at=call.now, updated_at=call.now)
    return call.store.add(call.store.state.adverts, advert)


def _write_advert(call: Call, advert: Advert, attributes: Args) -> None:
    call.store.counted("advertUpsert")
    for name in ("title", "description", "price"):
        if attributes.get(name) is not None:
            setattr(advert, name, attributes[name])
    if attributes.get("images") is not None:
        advert.images = _urls(attributes)
    if attributes.get("advert_option_values") is not None:
        advert.options = attributes["advert_option_values"]
    if attributes.get("attempt_auto_publish"):
        advert.published = True
    _write_names(call, advert, attributes)


def _write_variants(call: Call, advert: Advert, targets: list[tuple[Variant | None, Args]], *, named: bool) -> None:
    written = []
    for known, attributes in targets:
        variant = known
        if variant is None:
            variant = Variant(number=call.store.number(Variant), advert=advert.number, price=advert.price)
            call.store.add(call.store.state.variants, variant)
            advert.variants = [*advert.variants, variant.number]
        write_variant(call, variant, attributes)
        written.append(variant.number)
    if named and call.switches.partial_variants == "remove":
        advert.variants = [number for number in advert.variants if number in written]


def _changed(call: Call, advert: Advert, *, created: bool = False) -> None:
    """Move the update time (a variant's change counts as its advert's), and ask for approval where it is needed."""
    advert.updated_at = call.now
    vetting = call.switches.vetting
    if vetting == "every_change" or (vetting == "new" and created):
        advert.requires_vetting, advert.vetted = True, False


def _published_update(call: Call, given: Args) -> Advert:
    advert = call.own(Advert, given["advert_id"], "advertId")
    if advert.deleted_at is not None:
        raise RefusedError("advertId", f"No object found for advertId: {given['advert_id']}", status=404)
    advert.published, advert.updated_at = given["published"], call.now
    return advert


def _vetting_resubmit(call: Call, given: Args) -> Advert:
    advert = call.own(Advert, given["advert_id"], "advertId")
    advert.vetting_rejected_at = advert.vetting_rejected_reason = None
    advert.requires_vetting, advert.vetted, advert.updated_at = True, False, call.now
    return advert


def _delete(call: Call, given: Args) -> Advert:
    advert = call.own(Advert, given["id"], "id")
    if advert.deleted_at is None:
        advert.deleted_at = advert.updated_at = call.now
    return advert


def vet(advert: Advert, *, accept: bool, reason: str | None, at: Any) -> None:
    """Let the operator approve or reject an advert, which no part of the API does."""
    advert.vetted, advert.requires_vetting = accept, True
    advert.vetting_rejected_at = None if accept else at
    advert.vetting_rejected_reason = None if accept else reason
    advert.updated_at = at


RESOLVERS: dict[str, Resolver] = {
    "Mutation.advertUpsert": mutation("advert", _advert_upsert),
    "Mutation.advertPublishedUpdate": mutation("advert", _published_update),
    "Mutation.advertVettingResubmit": mutation("advert", _vetting_resubmit),
    "Mutation.advertDelete": mutation("advert", _delete),
    "Mutation.variantUpdate": mutation("variant", _variant_update),
}
