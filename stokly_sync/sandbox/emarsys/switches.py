"""Everything about the Emarsys sandbox that can be set while it runs.

Belongs here: one member for each fact on which the sources disagree or are silent, for what differs from
account to account, and for each misbehaviour that is about a record rather than about a connection (those
are kit faults). Settable in process, or with `PATCH /_sandbox/switches`.
"""

from typing import Literal

import msgspec

from stokly_sync.sandbox.kit import RetryAfter

SALES_COLUMNS = ("item", "price", "order", "timestamp", "customer", "quantity")
CATALOGUE_COLUMNS = ("item", "title", "link", "image", "category", "available")


class EmarsysSwitches(msgspec.Struct, kw_only=True):
    """The switches, each with the reading that the contract page prefers.

    Access: `client_id`, `client_secret` and `token_lifetime` (seconds; told as `expires_in` if
    `announce_expiry`) of v3, `refuse_tokens` (no bearer token is good, not even a fresh one);
    `wsse_user`, `wsse_secret` and `refuse_used_nonces` of v2; `denied` (permission names such as
    `contact.update`, answered with 403).

    Limits: `requests_per_minute` of each API user, `too_many` (the body of a 429), `retry_after`.

    Shapes: `empty_errors` (how `data.errors` looks when there are none), `field_ids_as_numbers`,
    `delete_missing_status` (when nobody was found), `export_end` (the word for a finished export).

    Contacts: `indexed_fields` (string ids of custom fields that support has indexed), `external_id_field`
    (string id of the field that `eid` and the sales column `customer` mean), `long_text` (what becomes of
    it), `contact_sources` (source ids that exist), `twins` (e-mail addresses that are created twice),
    `racing` (key values whose next creation is answered with 2009 and not done), `refused`
    (key values of rows that fail with 2007 whatever they hold).

    Events: `advanced_events` (answers have `connectedTo`), `nobody_listens`.
    Exports: `export_delay` seconds, `export_api_changes` (which changes by API are exported).

    Sales: `merchants` (merchant id -> token), `sales_columns` (the header as agreed), line and byte
    limits; `sales_reply` says when an upload that was taken is answered: `late` (after `sales_late_by`
    seconds) or `never`, for the next `sales_reply_times` uploads (None = all).

    Catalogue: `catalogue_source` (path or URL; empty = `catalogue.csv` in the sandbox's own folder),
    `catalogue_columns` (those that every file must have).
    """

    client_id: str = "sandbox-emarsys-client"
    client_secret: str = "sandbox-emarsys-secret"  # noqa: S105 - opens nothing but this sandbox
    token_lifetime: int = 3600
    announce_expiry: bool = True
    refuse_tokens: bool = False
    wsse_user: str = "sandbox-emarsys-user"
    wsse_secret: str = "sandbox-emarsys-wsse-secret"  # noqa: S105 - opens nothing but this sandbox
    refuse_used_nonces: bool = False
    denied: set[str] = msgspec.field(default_factory=set)

    requests_per_minute: int = 1_000
    too_many: Literal["envelope", "text"] = "envelope"
    retry_after: RetryAfter = "absent"

    empty_errors: Literal["array", "object", "absent"] = "array"
    field_ids_as_numbers: bool = False
    delete_missing_status: Literal[200, 400, 404] = 200

    indexed_fields: set[str] = msgspec.field(default_factory=lambda: {"stokly_customer_id"})
    external_id_field: str = "stokly_customer_id"
    long_text: Literal["refuse", "cut"] = "refuse"
    contact_sources: set[str] = msgspec.field(default_factory=set)
    twins: set[str] = msgspec.field(default_factory=set)
    racing: set[str] = msgspec.field(default_factory=set)
    refused: set[str] = msgspec.field(default_factory=set)

    advanced_events: bool = False
    nobody_listens: bool = False

    export_delay: float = 0.05
    export_end: Literal["done", "ready"] = "done"
    export_api_changes: Literal["any", "email_and_optin"] = "email_and_optin"

    merchants: dict[str, str] = msgspec.field(
        default_factory=lambda: {"sandbox-merchant": "sandbox-emarsys-sales-token"}
    )
    sales_columns: list[str] = msgspec.field(default_factory=lambda: list(SALES_COLUMNS))
    sales_max_lines: int = 10_000
    sales_max_bytes: int = 10_000_000
    sales_reply: Literal["prompt", "late", "never"] = "prompt"
    sales_late_by: float = 1.0
    sales_reply_times: int | None = None

    catalogue_source: str = ""
    catalogue_columns: list[str] = msgspec.field(default_factory=lambda: list(CATALOGUE_COLUMNS))
