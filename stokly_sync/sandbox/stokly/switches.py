"""Everything about the Stokly sandbox that can be set while it runs, above all both readings of each [guess].

The defaults are the contract's proposals. A client must work with either value of every switch here.
Source: Stokly API contract 5, and the sections named at the members.
"""

from typing import Literal

import msgspec


class StoklySwitches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The switches; read by every call, so a change holds from the next call on.

    Members:
        limits: whether the rate limit is in force (2.5).
        limit: calls in each window of 60 seconds (2.5).
        token_lifetime: seconds for which a token is good (5 #15).
        denied_paths: path prefixes that the credentials may not use: 403 (2.6).
        updated_at_filters: collections whose `updatedAt` can be filtered and sorted by; elsewhere it is an
            unknown field: 400 (5 #2).
        customers_updated_at: whether customer rows have `updatedAt` at all (3.1).
        line_price: whether an order line's `price` and `tax` are a unit's or the line's (3.2, 5 #17).
        display_line_price: the same for `displayPrice` and `displayTax`.
        display_line_members: whether lines have the explicit `displayLine*` members (3.2).
        exchange_rate: whether it is document value by base value or the inverse (2.4, 5 #17).
        nice_id: whether `niceId` is a JSON number or text (2.4).
        embedded_items: whether sale order rows carry their lines as `items`.
        absent_endpoints: names of collections or sub-lists that do not exist: 404, also under a parent.
        max_size: the largest page (5 #15); over_max_size: whether more is cut down or refused (2.2).
        item_dates, other_dates: how times are spelt in item rows and everywhere else (2.4).
        unit_cost: whether an item's own units of measure have `cost` as an object (2.4).
        unassigned_on_hand: whether UNASSIGNED stock rows repeat the sum of the bins or hold zero (3.7).
        cancellations: ways in which an order can be cancelled: `patch` of its stage, `delete`, `post` to its
            cancellations; none is known (5).
        refund_credit_notes: whether a refund makes the credit note that documents it (5 #4).
        write_delay: seconds until a write that was answered 202 can be seen (2.1).
        duplicate_rows: collections whose pages repeat their first row.
    """

    limits: bool = True
    limit: int = 240
    token_lifetime: float = 3600.0
    denied_paths: list[str] = []
    updated_at_filters: list[str] = msgspec.field(default_factory=lambda: ["saleorders", "customers", "invoices"])
    customers_updated_at: bool = True
    line_price: Literal["unit", "line"] = "unit"
    display_line_price: Literal["unit", "line"] = "unit"
    display_line_members: bool = True
    exchange_rate: Literal["document_by_base", "base_by_document"] = "document_by_base"
    nice_id: Literal["number", "text"] = "number"
    embedded_items: bool = False
    absent_endpoints: list[str] = []
    max_size: int = 1000
    over_max_size: Literal["clamp", "refuse"] = "clamp"
    item_dates: Literal["javascript", "iso"] = "javascript"
    other_dates: Literal["javascript", "iso"] = "iso"
    unit_cost: Literal["nested", "bare"] = "nested"
    unassigned_on_hand: Literal["sum", "zero"] = "sum"
    cancellations: list[str] = msgspec.field(default_factory=lambda: ["patch"])
    refund_credit_notes: bool = True
    write_delay: float = 1.0
    duplicate_rows: list[str] = []
