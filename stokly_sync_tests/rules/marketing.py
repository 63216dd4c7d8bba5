"""How every rule of Stokly, the marketing systems, consent, guests and delivery is reached.

Two worlds: `open` takes guests, knows where history begins and has custom fields; `strict` leaves guests out and has
been told nothing of history. What the demo plants is planted in both, by the demo's own function.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from stokly_sync.systems.dotdigital import settings as dotdigital
from stokly_sync.systems.emarsys import settings as emarsys
from stokly_sync.systems.ometria import settings as ometria
from stokly_sync_tests.acceptance.harness import TODAY
from stokly_sync_tests.rules import disturbed, sown
from stokly_sync_tests.rules.ground import began
from stokly_sync_tests.rules.worlds import Plant, Spec, Table

OPEN: Final = "open"
STRICT: Final = "strict"
SYSTEMS: Final = ("stokly", "ometria", "dotdigital", "emarsys")
_STRICT_FEEDS: Final = {
    "ometria": (ometria.FEEDS, ("orders",)),
    "dotdigital": (dotdigital.FEEDS, ("orders",)),
    "emarsys": (emarsys.FEEDS, ("orders", "credits")),
}
"""All feeds of a system, and those that the strict world needs: each costs a run."""
_QUICK: Final = {"OMETRIA_RATE": "1000", "DOTDIGITAL_RATE": "1000", "EMARSYS_RATE_PER_MINUTE": "1000"}
_SETTINGS: Final = {
    **_QUICK,
    "STOKLY_SYNC_CONSENT_OWNERS": '{"email": "stokly"}',
    "OMETRIA_CONTACT_PROPERTIES": '{"note": "extra.notes", "age": {"source": "extra.age", "type": "number"}}',
    "OMETRIA_ATTRIBUTES": '["Care"]',
    "DOTDIGITAL_CONTACT_FIELDS": '{"AGE": {"source": "extra.age", "type": "number"}}',
    "EMARSYS_CONTACT_FIELDS": '{"age": {"source": "extra.age", "type": "number"}}',
    "EMARSYS_CREDIT_ITEM": "CREDIT",
    "EMARSYS_DISPATCH_DAYS": "100000",
    "EMARSYS_HISTORY_FROM": f"{began(TODAY):%Y-%m-%dT00:00:00Z}",
}


def _only(feeds: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    every, wanted = feeds
    return json.dumps({feed: "off" for feed in every if feed not in wanted})


def _left_in_doubt(failure: str) -> bool:
    """The run that lost the answer to an upload says so."""
    return failure.startswith("emarsys_interval: emarsys/orders") and "sales-data/api got no answer" in failure


WORLDS: Final[Mapping[str, Spec]] = {
    OPEN: Spec(
        SYSTEMS, _SETTINGS, {"emarsys": {"advanced_events": True, "nobody_listens": True}}, accepts=_left_in_doubt
    ),
    STRICT: Spec(
        SYSTEMS,
        {
            **_QUICK,
            **dict.fromkeys(("OMETRIA_GUESTS", "DOTDIGITAL_GUESTS", "EMARSYS_GUESTS"), "exclude"),
            "EMARSYS_HISTORY_FROM": "",
            **{f"{system.upper()}_MODES": _only(feeds) for system, feeds in _STRICT_FEEDS.items()},
        },
    ),
}

_DEMO: Final = Plant(OPEN)
TABLE: Final[Table] = {
    **dict.fromkeys(
        (
            *("ST-CURRENCY", "ST-CUSTOMER-EMAIL", "ST-ITEM-SKU", "ST-MEMBER-TYPE", "ST-MONEY", "ST-ORDER-COUNTRY"),
            *("ST-ORDER-LINES", "ST-ORDER-TOTAL", "ST-REFUND-OVER", "ST-SKU-DUPLICATE", "ST-TIME"),
            *("OM-CONTACT-EMAIL", "OM-ORDER-NOT-CONFIRMED", "OM-ORDER-REMOVED", "OM-PROPERTIES-SIZE"),
            *("OM-REFUND-NO-ORDER", "OM-SKU-UNKNOWN", "OM-TRACKING"),
            *("DD-CONTACT-EMAIL", "DD-EMAIL-SHARED", "DD-ORDER-NOT-CONFIRMED", "DD-ORDER-REMOVED"),
            *("DD-REFUND-NO-ORDER", "DD-SKU-UNKNOWN", "DD-TRACKING"),
            *("EM-CONTACT-EMAIL", "EM-EMAIL-SHARED", "EM-ORDER-NOT-CONFIRMED", "EM-ORDER-REMOVED"),
            *("EM-REFUND-NO-ORDER", "EM-SKU-UNKNOWN", "EM-TRACKING"),
        ),
        _DEMO,
    ),
    "ST-REFUND-ORDER": Plant(OPEN, sown.refund_of_no_order),
    "OM-CUSTOMER-DELETED": Plant(OPEN, sown.deleted_customer),
    "OM-DISPATCH-ORDER": Plant(OPEN, sown.dispatch_of_an_unknown_order),
    "OM-DISPATCH-REMOVED": Plant(OPEN, sown.removed_dispatch),
    "OM-GUEST": Plant(STRICT, sown.guest_order),
    "OM-NO-IDENTITY": Plant(OPEN, sown.dispatch_to_nobody),
    "OM-PROPERTY-TYPE": Plant(OPEN, sown.custom_field_of_another_type),
    "OM-RECORD-SIZE": Plant(OPEN, sown.long_attribute),
    "OM-REFUND-CURRENCY": Plant(OPEN, sown.order_with_a_refund_in_another_currency),
    "OM-REJECTED": Plant(OPEN, disturbed.refused_by_ometria),
    "OM-STOCK-NOT-HELD": Plant(OPEN, sown.stock_of_a_service),
    "DD-CONSENT-REFUSED": Plant(OPEN, grow=disturbed.choice_of_somebody_unknown_to_dotdigital),
    "DD-CUSTOMER-DELETED": Plant(OPEN, sown.deleted_customer),
    "DD-DISPATCH-ORDER": Plant(OPEN, sown.dispatch_of_an_unknown_order),
    "DD-DISPATCH-REMOVED": Plant(OPEN, sown.removed_dispatch),
    "DD-EMAIL-TAKEN": Plant(OPEN, disturbed.address_taken_in_dotdigital),
    "DD-FIELD-TYPE": Plant(OPEN, sown.custom_field_of_another_type),
    "DD-GUEST": Plant(STRICT, sown.guest_order),
    "DD-IMPORT-LOST": Plant(OPEN, grow=disturbed.import_that_is_lost),
    "DD-NO-IDENTITY": Plant(OPEN, sown.order_of_nobody),
    "DD-ORDER-NEGATIVE": Plant(OPEN, sown.negative_order),
    "DD-ORDER-TOTAL": Plant(OPEN, sown.net_amount_that_does_not_add_up),
    "DD-REFUND-CURRENCY": Plant(OPEN, sown.order_with_a_refund_in_another_currency),
    "DD-REFUND-TOO-LARGE": Plant(OPEN, sown.order_given_back_twice),
    "DD-REJECTED": Plant(OPEN, disturbed.refused_by_dotdigital),
    "DD-SUPPRESSED": Plant(OPEN, disturbed.suppressed_in_dotdigital),
    "EM-CONSENT-REFUSED": Plant(OPEN, grow=disturbed.choice_that_emarsys_refuses),
    "EM-CREDIT-CANCELLED": Plant(OPEN, sown.note_of_an_order_with_cancelled_lines),
    "EM-CREDIT-NO-ITEM": Plant(STRICT, sown.note_of_an_order),
    "EM-CREDIT-REFUND": Plant(OPEN, sown.note_that_a_refund_names),
    "EM-CURRENCY": Plant(OPEN, sown.foreign_order),
    "EM-CUSTOMER-DELETED": Plant(OPEN, sown.deleted_customer),
    "EM-DISPATCH-OLD": Plant(OPEN, sown.dispatch_before_history),
    "EM-DISPATCH-ORDER": Plant(OPEN, sown.dispatch_of_an_unknown_order),
    "EM-DISPATCH-REMOVED": Plant(OPEN, sown.removed_dispatch),
    "EM-DUPLICATE": Plant(OPEN, disturbed.twice_in_emarsys),
    "EM-EMAIL-TAKEN": Plant(OPEN, grow=disturbed.address_taken_in_emarsys),
    "EM-EVENT-UNHEARD": Plant(OPEN, sown.any_dispatch),
    "EM-FIELD-TYPE": Plant(OPEN, sown.custom_field_of_another_type),
    "EM-GUEST": Plant(STRICT, sown.guest_order),
    "EM-NO-IDENTITY": Plant(OPEN, sown.order_of_nobody),
    "EM-ORDER-NEGATIVE": Plant(OPEN, sown.negative_order),
    "EM-REFUND-CURRENCY": Plant(OPEN, sown.refund_in_another_currency),
    "EM-REFUND-NO-LINES": Plant(OPEN, sown.refund_without_lines),
    "EM-REFUND-ORDER": Plant(OPEN, sown.note_of_an_unknown_order),
    "EM-REFUND-PENDING": Plant(OPEN, sown.pending_refund),
    "EM-REJECTED": Plant(OPEN, disturbed.refused_by_emarsys),
    "EM-SKU-TEXT": Plant(OPEN, sown.sku_with_a_tab),
    "CONSENT-ORIGIN": Plant(OPEN, grow=disturbed.choice_made_in_ometria),
    "GUEST-CUSTOMER": Plant(OPEN, sown.guest_with_the_address_of_a_customer),
    "GUEST-NO-ORDER": Plant(OPEN, sown.guest_whose_order_was_removed),
    "GUEST-NOT-CONFIRMED": Plant(OPEN, sown.guest_who_has_not_paid),
    "DELIVERY-BEFORE-HISTORY": Plant(OPEN, sown.order_before_history),
    "DELIVERY-ERASED": Plant(OPEN, grow=disturbed.erased_customer),
    "DELIVERY-IN-DOUBT": Plant(OPEN, grow=disturbed.upload_without_an_answer),
    "DELIVERY-LEFT-OUT": Plant(OPEN, sown.order_of_a_deleted_customer),
    "DELIVERY-NO-HISTORY": Plant(STRICT, sown.any_order),
    "DELIVERY-WAITS": Plant(OPEN, sown.order_of_a_customer_without_address),
}
