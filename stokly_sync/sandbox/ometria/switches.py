"""Everything about the Ometria sandbox that can be set while it runs.

Belongs here: one member for each fact on which the sources disagree or are silent, for each limit that
differs by plan, and for each misbehaviour that is about a record rather than about a connection (those
are kit faults). Settable in process, or with `PATCH /_sandbox/switches`.
"""

from typing import Literal

import msgspec

from stokly_sync.sandbox.kit import RetryAfter


class OmetriaSwitches(msgspec.Struct, kw_only=True):
    """The switches, each with the reading that the contract page prefers.

    Limits: `rate` (calls a second), `deletions_per_minute`, `queue_limit` (records waiting),
    `retry_after` (how a 429 says when to come back). Queue: `queue_delay` (seconds a record waits at
    least), `drain_per_second` (records a second at most; None = no bound), `queue_headers`.

    Answers: `push_status`; `error_shape` of `GET /push/_errors`; `reject_inside` (a record that fails
    validation is counted and listed in the answer to the push instead of failing later).

    Records, by id: `reject_inside_ids` (refused inside a 2xx answer), `poison_ids` (the whole batch is
    refused), `failing_ids` (accepted, then failed), `lost_ids` (accepted, then neither stored nor
    reported). `unknown_product` says what becomes of an order line whose product is not known.

    `denied` holds path prefixes below `/v2` that the key may not use; `deletion_delay` is in seconds.
    """

    api_key: str = "sandbox-ometria-key"
    denied: set[str] = msgspec.field(default_factory=set)

    rate: float = 4.0
    deletions_per_minute: int = 6
    retry_after: RetryAfter = "absent"

    push_status: Literal[200, 202] = 202
    queue_delay: float = 0.05
    drain_per_second: float | None = None
    queue_limit: int = 50_000
    queue_headers: bool = True
    error_shape: Literal["full", "reduced"] = "full"
    reject_inside: bool = False

    reject_inside_ids: set[str] = msgspec.field(default_factory=set)
    poison_ids: set[str] = msgspec.field(default_factory=set)
    failing_ids: set[str] = msgspec.field(default_factory=set)
    lost_ids: set[str] = msgspec.field(default_factory=set)
    unknown_product: Literal["store", "drop", "reject"] = "store"

    deletion_delay: float = 0.05
