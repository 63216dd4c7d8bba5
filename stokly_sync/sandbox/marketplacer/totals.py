"""Counts and sums of everything in the Marketplacer sandbox, for tests and the demo.

Belongs here: adding up. Amounts are whole pence, tax within.
"""

from collections import Counter
from typing import Any

from stokly_sync.sandbox.marketplacer import flags
from stokly_sync.sandbox.marketplacer.call import Call
from stokly_sync.sandbox.marketplacer.order_reads import invoice_tax, invoice_total


def totals(call: Call) -> dict[str, Any]:
    """Counts, sums, flags of invoices, states of refund requests, and how often what was written."""
    state = call.store.state
    invoices = list(state.invoices.values())
    variants = [row for row in state.variants.values() if state.adverts[row.advert].deleted_at is None]
    amendments = [amendment for invoice in invoices for amendment in invoice.amendments]
    raised = Counter(flag for invoice in invoices for flag in flags.status_flags(call.store, invoice))
    return {
        "adverts": sum(1 for advert in state.adverts.values() if advert.deleted_at is None),
        "adverts_online": sum(flags.advert_displayable(call.store, advert) for advert in state.adverts.values()),
        "variants": len(variants),
        "count_on_hand": sum(variant.count_on_hand for variant in variants),
        "orders": len(state.orders),
        "invoices": len(invoices),
        "invoices_total_cents": sum(invoice_total(invoice) for invoice in invoices),
        "invoices_tax_cents": sum(invoice_tax(invoice) or 0 for invoice in invoices),
        "lines": sum(len(invoice.line_items) for invoice in invoices),
        "quantity": sum(line.quantity for invoice in invoices for line in invoice.line_items),
        "undispatched": sum(sum(flags.undispatched(invoice).values()) for invoice in invoices),
        "flags": dict(raised),
        "shipments": sum(len(invoice.shipments) for invoice in invoices),
        "refund_requests": dict(Counter(request.status for request in state.refund_requests.values())),
        "amendments": len(amendments),
        "amendments_total_cents": sum(amendment.line_item_amount_total_cents for amendment in amendments),
        "remittance_advices": len(state.advices),
        "remitted_cents": sum(advice.total_cents for advice in state.advices.values()),
        "writes": dict(state.writes),
    }
