"""Everything about the Dotdigital sandbox that can be set while it runs.

Belongs here: one member for each fact on which the sources disagree or are silent, for each limit that
differs by package, and for each misbehaviour that is about a record or an import rather than about a
connection (those are kit faults). Settable in process, or with `PATCH /_sandbox/switches`.
"""

from typing import Literal

import msgspec

Scheme = Literal["tiered", "flat"]
Region = Literal["here", "moved", "closed"]


class DotdigitalSwitches(msgspec.Struct, kw_only=True):
    """The switches, each with the reading that the contract page prefers.

    Connection: `region` says whose host this is: `here` (this one, as discovery tells), `moved` (discovery
    names another spelling of this host, and calls that do not use it get 403), `closed` (403 for all but
    discovery). `denied` holds path prefixes that the API user may not use.

    Limits: `scheme`; calls a minute by tier (`low`, `medium`, `high`), or `flat_per_hour`; `reset` is the
    form of `X-RateLimit-Reset`. `active_contact_imports`, `active_insight_imports` and `active_deletes`
    are no rates and always in force. `enrolments_per_hour` is a rate.

    Contacts: `suppressed_statuses` are those that an import does not touch; `report_suppressed` names such
    contacts among the failures; `enforce_double` is the account setting on double opt-in; `unknown_field`
    says what a data field that does not exist does to its contact (refuse it, store the rest and report,
    store the rest without a word); `exact_field_names` makes data field names case-sensitive;
    `contact_limit` is the package's number of contacts.

    Insight data: `done` is the word for a finished import; `numbers` says whether a whole number fixes a
    field as INTEGER or every number is FLOAT; `nulls` what a null does; `bulk_upsert` whether a record
    is replaced or merged; `key_length` and `text_length` are the longest JSON key and text;
    `record_count_lag` is how many seconds old a recordCount may be.

    Imports: `import_delay` seconds, and `records_per_second` if not None, until an import ends. By
    identifier value or record key: `failing_ids` (accepted, then in the failures), `poison_ids` (one of
    them makes the whole import `Failed`, or `poison_status` for contacts). `lost_imports` counts down the
    next imports that are accepted and then unknown, `stuck_imports` those that never end.
    """

    username: str = "apiuser-sandbox@example.com"
    password: str = "sandbox-dotdigital-password"  # noqa: S105 - opens nothing but this sandbox
    region: Region = "here"
    denied: set[str] = msgspec.field(default_factory=set)

    scheme: Scheme = "tiered"
    low: int = 35
    medium: int = 200
    high: int = 600
    flat_per_hour: int = 2000
    reset: Literal["epoch", "seconds"] = "epoch"
    active_contact_imports: int = 25
    active_insight_imports: int = 5
    active_deletes: int = 5
    enrolments_per_hour: int = 20

    custom_identifiers: int = 10
    collections: int = 1000
    body_bytes: int = 50 * 1024 * 1024
    contact_limit: int | None = None

    list_created_status: Literal[200, 201] = 200
    v2_times: Literal["iso", "spaced"] = "iso"
    suppressed_statuses: set[str] = msgspec.field(default_factory=lambda: {"suppressed"})
    report_suppressed: bool = False
    enforce_double: bool = False
    unknown_field: Literal["refuse", "report", "ignore"] = "refuse"
    exact_field_names: bool = False

    done: Literal["Finished", "Complete"] = "Finished"
    numbers: Literal["strict", "float"] = "strict"
    nulls: Literal["ignore", "reject"] = "ignore"
    bulk_upsert: Literal["replace", "merge"] = "replace"
    key_length: int = 255
    text_length: int = 1000
    record_count_lag: float = 0.0

    import_delay: float = 0.05
    records_per_second: float | None = None
    failing_ids: set[str] = msgspec.field(default_factory=set)
    poison_ids: set[str] = msgspec.field(default_factory=set)
    poison_status: Literal["RejectedByWatchdog", "Failed"] = "RejectedByWatchdog"
    lost_imports: int = 0
    stuck_imports: int = 0
