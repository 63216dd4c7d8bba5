"""Everything about the Marketplacer sandbox that can be set while it runs.

Belongs here: one member for each fact on which the contract page is silent or undecided, for what differs from
marketplace to marketplace, and for each misbehaviour that is about a record rather than about a connection (those
are kit faults). Settable in process, or with `PATCH /_sandbox/switches`.
"""

import secrets
from typing import Literal

import msgspec

from stokly_sync.sandbox.kit import RetryAfter


def _random_key() -> str:
    return secrets.token_hex(20)


class MarketplacerSwitches(msgspec.Struct, kw_only=True):
    """The switches, each with the reading that the contract page prefers.

    Access: `operator_key` and `seller_key` (of seller 1), new at every start; `settings_role` says which of them the
    pipeline is given. `basic_user` and `basic_password` put HTTP Basic in front (empty = none). `missing_scopes`
    holds root fields such as `invoices` that no key may use; `refuse_two_keys` is about both header forms at once.

    Limits in each `window` of seconds: `per_ip`, `per_key`, `per_operator`; a refusal has the status `too_many` and
    says when to come back in the form `retry_after`. `page_default` and `page_cap` are about `first`.

    Shapes: `empty_errors` (a mutation's `errors` when there are none), `formatted_only` (the deprecated `...Cents`
    fields cannot be asked for).

    Catalogue: `vetting` says when an operator has to approve (`never`, `new` adverts, `every_change`); `sku_match`
    is about `advertsWhere(variantSkus)`; `partial_variants` says whether an update keeps or removes variants that it
    does not name. `refused_skus` fail in every write, `unreachable_images` are URLs that cannot be fetched.

    Sales: `commission_rate` and `commission_tax_rate` in percent of new orders; `advanced_refunds` (requests await
    approval); `remittances` (the feature is switched on); `remittance_amounts` says whether a remittance's amount is
    what is paid out or what it is before commission. `failing_fields` are root fields that answer with that GraphQL
    error instead.
    """

    operator_key: str = msgspec.field(default_factory=_random_key)
    seller_key: str = msgspec.field(default_factory=_random_key)
    settings_role: Literal["operator", "seller"] = "operator"
    basic_user: str = ""
    basic_password: str = ""
    missing_scopes: set[str] = msgspec.field(default_factory=set)
    refuse_two_keys: bool = True

    window: float = 10.0
    per_ip: int = 600
    per_key: int = 750
    per_operator: int = 1_200
    too_many: Literal[429, 503] = 429
    retry_after: RetryAfter = "absent"
    page_default: int = 50
    page_cap: int = 500

    empty_errors: Literal["null", "list"] = "null"
    formatted_only: bool = False

    vetting: Literal["never", "new", "every_change"] = "never"
    sku_match: Literal["exact", "any_case"] = "exact"
    partial_variants: Literal["keep", "remove"] = "keep"
    refused_skus: set[str] = msgspec.field(default_factory=set)
    unreachable_images: set[str] = msgspec.field(default_factory=set)

    commission_rate: str = "15.0"
    commission_tax_rate: float = 20.0
    advanced_refunds: bool = False
    remittances: bool = True
    remittance_amounts: Literal["net", "gross"] = "net"
    failing_fields: dict[str, str] = msgspec.field(default_factory=dict)
