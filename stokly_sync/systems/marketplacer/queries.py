"""Texts of the requests, in the vendor's words; nothing here knows a value.

Members that nobody has proven are put in by `unverified`; `order` is asked for with an operator's key alone, because
one refused member fails the whole query. `DOCUMENTS` gives each text for the doctor, who holds them against the
server's own schema. Source: Marketplacer API contract 3.5, 4, 5, 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stokly_sync.systems.marketplacer.unverified import Members

PRINCIPAL: Final = "query Principal { apiKeyPrincipal { name seller { id businessName } } }"
_PAGE: Final = "pageInfo { hasNextPage endCursor } totalCount"
_VARIANT: Final = "id sku barcode label countOnHand lowestPrice published displayable buyable"
_VARIANT_LEVEL: Final = "id sku countOnHand"

_ANSWERS: Final[Mapping[str, tuple[str, str]]] = {
    "variantUpdate": ("VariantUpdateMutationInput", "variant { id sku }"),
    "advertUpsert": (
        "AdvertUpsertMutationInput",
        "advert { id variants(displayableOnly: false) { nodes { id sku } } }",
    ),
    "shipmentCreate": ("ShipmentCreateMutationInput", "shipment { id }"),
    "refundRequestCreate": ("RefundRequestCreateMutationInput", "refundRequest { id status }"),
    "refundRequestReturn": ("RefundRequestReturnMutationInput", "refundRequest { id status }"),
    "refundRequestRefund": ("RefundRequestRefundMutationInput", "refundRequest { id status }"),
}


def alias(place: int) -> str:
    """The alias of the change at a place, which is also the name of its variable."""
    return f"c{place}"


def mutation(name: str, count: int) -> str:
    """A request of `count` changes of one kind. Source: Marketplacer API contract 2.3."""
    input_type, answer = _ANSWERS[name]
    variables = ", ".join(f"${alias(i)}: {input_type}!" for i in range(count))
    fields = " ".join(
        f"{alias(i)}: {name}(input: ${alias(i)}) {{ status errors {{ field messages }} {answer} }}"
        for i in range(count)
    )
    return f"mutation Change({variables}) {{ {fields} }}"


def orders(members: Members, *, operator: bool) -> str:
    """Invoices with all that makes an order."""
    own = members.amounts("Invoice", "total", "discount", "commissionAmount", "commissionAmountTax")
    back = members.amounts("InvoiceAmendmentLineItem", "total")
    amended = f"amendments {{ lineItems {{ quantity {back} dispatched custom lineItem {{ id }} }} }}"
    return _invoices(
        f"{_ORDER} {own} {_lines(members)} {_order_extra(members, operator=operator)} {_SHIPPED} {amended}"
    )


def shipments() -> str:
    """Invoices with their shipments and nothing else."""
    item = "id quantity lineItem { id variantSku }"
    return _invoices(f"shipments {{ id carrier trackingNumber trackingLink dispatchedAt shippedItems {{ {item} }} }}")


def amendments(members: Members) -> str:
    """Invoices with their amendments: refunds that were paid, and other changes."""
    line = members.amounts("InvoiceAmendmentLineItem", "amount", "total", "tax")
    own = members.amounts("InvoiceAmendment", "commissionAmountTotal", "commissionTaxTotal")
    return _invoices(
        f"amendments {{ id legacyId createdAt {own} "
        f"lineItems {{ id {line} quantity dispatched custom status lineItem {{ id variantSku }} }} }}"
    )


def requests(members: Members) -> str:
    """Refund requests."""
    line = "lineItem { id variantSku quantity }" if "request_line" in members else ""
    own = members.selected("request_at", "request_updated", "request_legacy")
    inner = members.selected("request_quantity", "request_dispatched", "request_amount")
    cost = members.selected("line_cost", "line_total", "line_tax")
    line = line.replace("quantity }", f"quantity {cost} }}") if cost else line
    node = f"id status {own} invoice {{ id legacyId createdAt }} lineItems {{ id reason status {inner} {line} }}"
    return (
        "query Requests($first: Int!, $after: String, $filters: RefundRequestFilters) "
        f"{{ refundRequests(first: $first, after: $after, filters: $filters) {{ nodes {{ {node} }} {_PAGE} }} }}"
    )


def listings(members: Members) -> str:
    """Adverts of every kind with all their variants, hidden ones too. Source: contract 3.4, 3.5."""
    variants = f"nodes {{ {_VARIANT} {members.selected('variant_price')} }} pageInfo {{ hasNextPage endCursor }}"
    advert = (
        "title published online displayable vetted requiresVetting vettingRejected vettingRejectedReason seller { id }"
    )
    return _adverts(
        f"... on Advert {{ id updatedAt {advert} variants(displayableOnly: false, first: $inner) {{ {variants} }} }} "
        f"... on UnpublishedAdvert {{ id updatedAt details {{ {advert} }} variants(first: $inner) {{ {variants} }} }} "
        f"... on DeletedAdvert {{ id updatedAt variants(first: $inner) {{ {variants} }} }}"
    )


def levels() -> str:
    """Adverts with SKU and stock of all their variants."""
    variants = f"nodes {{ {_VARIANT_LEVEL} }} pageInfo {{ hasNextPage endCursor }}"
    return _adverts(
        f"... on Advert {{ id seller {{ id }} variants(displayableOnly: false, first: $inner) {{ {variants} }} }} "
        f"... on UnpublishedAdvert {{ id details {{ seller {{ id }} }} variants(first: $inner) {{ {variants} }} }}"
    )


def more_variants(members: Members, *, levels_only: bool) -> str:
    """Further variants of one advert."""
    fields = _VARIANT_LEVEL if levels_only else f"{_VARIANT} {members.selected('variant_price')}"
    body = f"{{ nodes {{ {fields} }} {_PAGE} }}"
    kinds = (
        f"... on Advert {{ variants(displayableOnly: false, first: $first, after: $after) {body} }} "
        f"... on UnpublishedAdvert {{ variants(first: $first, after: $after) {body} }} "
        f"... on DeletedAdvert {{ variants(first: $first, after: $after) {body} }}"
    )
    return f"query Variants($id: ID!, $first: Int!, $after: String) {{ node(id: $id) {{ __typename {kinds} }} }}"


def remittances(members: Members) -> str:
    """Remittance advices with what each is made of; for operators."""
    name = members.names["remittances"]
    line = members.amounts("InvoiceAmendmentLineItem", "total", "tax")
    amended = members.amounts("InvoiceAmendment", "commissionAmountTotal", "commissionTaxTotal")
    amount = members.amounts("Invoice", "total", "commissionAmount", "commissionAmountTax")
    part = (
        f"id released {members.amounts('Remittance', 'amount', 'commissionAmount')} "
        f"invoice {{ id legacyId {amount} {members.selected('tax')} }} "
        f"invoiceAmendment {{ id {amended} lineItems {{ {line} }} invoice {{ id legacyId }} }}"
    )
    advice = (
        "id legacyId createdAt paidAt paymentReference seller { id } "
        f"{members.amounts('RemittanceAdvice', 'total', 'commissionAmountTotal')} remittances {{ {part} }}"
    )
    return (
        "query Remittances($first: Int!, $after: String) "
        f"{{ advices: {name}(first: $first, after: $after) {{ nodes {{ {advice} }} {_PAGE} }} }}"
    )


def shipments_of() -> str:
    """Shipments of some invoices, for looking up; notes where the server tells them."""
    return (
        "query ShipmentsOf($ids: [ID!]!) { nodes(ids: $ids) { ... on Invoice { id "
        "lineItems { id quantity } shipments { id trackingNumber shippedItems { quantity lineItem { id } } } } } }"
    )


def requests_by_id() -> str:
    """The states of some refund requests."""
    return "query States($ids: [ID!]!) { nodes(ids: $ids) { ... on RefundRequest { id status } } }"


def variants_by_sku() -> str:
    """Adverts with some SKUs. Source: contract 3.5 (advertsWhere needs a filter), 9."""
    return (
        "query BySku($skus: [String!], $first: Int!, $after: String) "
        "{ advertsWhere(variantSkus: $skus, first: $first, after: $after) "
        f"{{ nodes {{ id variants(displayableOnly: false) {{ nodes {{ {_VARIANT} }} }} }} {_PAGE} }} }}"
    )


def vocabulary(name: str, fields: str) -> str:
    """A list of reference data: `brands`, `taxons` or `shipmentCarriers`."""
    return (
        f"query Vocabulary($first: Int!, $after: String) "
        f"{{ {name}(first: $first, after: $after) {{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    )


CARRIERS: Final = vocabulary("shipmentCarriers", "id name")
BRANDS: Final = vocabulary("brands", "id name")
TAXONS: Final = vocabulary("taxons", "id displayName")

_ORDER: Final = (
    "statusFlags deliveryType paidAt buyerFirstName buyerSurname buyerEmailAddress buyerPhone "
    "seller { id businessName }"
)
_SHIPPED: Final = "shipments { shippedItems { quantity lineItem { id } } }"


def _lines(members: Members) -> str:
    own = members.selected("line_cost", "line_total", "line_tax", "line_postage", "line_postage_tax")
    return (
        "lineItems { id legacyId quantity status variantId variantSku variantName advertTitle "
        f"{members.amounts('LineItem', 'discount', 'commissionAmount', 'commissionAmountTax')} {own} }}"
    )


def _order_extra(members: Members, *, operator: bool) -> str:
    own = members.selected("postage", "postage_tax", "tax", "updated_at")
    country = members.selected("country")
    address = f"{{ address city postcode state {{ short }} {country} }}"
    order = "order { legacyId externalId }" if operator else ""
    return f"{own} {order} buyerBillingAddress {address} shippingAddress {address}"


def _invoices(fields: str) -> str:
    return (
        "query Invoices($first: Int!, $after: String, $filters: InvoiceFilters) "
        "{ invoices(first: $first, after: $after, filters: $filters, "
        "sort: { fields: [CREATED_AT], ordering: ASCENDING }) "
        f"{{ nodes {{ id legacyId createdAt {fields} }} {_PAGE} }} }}"
    )


def _adverts(kinds: str) -> str:
    return (
        "query Adverts($first: Int!, $after: String, $since: ISO8601DateTime, $inner: Int!) "
        "{ allAdverts(updatedSince: $since, first: $first, after: $after) "
        f"{{ nodes {{ __typename {kinds} }} {_PAGE} }} }}"
    )


def documents(members: Members, *, operator: bool) -> Mapping[str, str]:
    """Every text that is sent, by what it is for: the doctor holds them against the server's schema."""
    found = {
        "orders": orders(members, operator=operator),
        "shipments": shipments(),
        "amendments": amendments(members),
        "refund requests": requests(members),
        "listings": listings(members),
        "stock levels": levels(),
        "further variants": more_variants(members, levels_only=False),
        "looking up shipments": shipments_of(),
        "looking up refund requests": requests_by_id(),
        "carriers": CARRIERS,
        "brands": BRANDS,
        "taxons": TAXONS,
    }
    found |= {name: mutation(name, 1) for name in _ANSWERS if operator or name != "refundRequestRefund"}
    if operator and "remittances" in members:
        found["remittances"] = remittances(members)
    return found
