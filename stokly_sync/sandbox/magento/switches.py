"""Everything about the Magento sandbox that can be set while it runs.

Belongs here: what differs from release to release and from shop to shop. Misbehaviour of a connection is a
kit fault; ready-made ones are in `mishaps`. Settable in process, or with `PATCH /_sandbox/switches`.
"""

from decimal import Decimal
from typing import Literal

import msgspec

Release = Literal["2.3.7", "2.4.3", "2.4.7", "2.4.8"]

NO_LIMIT = 10**9
ENABLED_PAGE = 300
ENABLED_ITEMS = 999_999


class MagentoSwitches(msgspec.Struct, kw_only=True):
    """The switches, each with the reading of the shop that was run for the page (2.4.7).

    Release: `release` decides the signature methods, the path that is signed, what lies past the last
    page, and the fixed limits of 2.4.3.

    Access: `bearer` (the integration's token alone opens the API; None = as the release has it),
    `two_factor` (the admin token endpoint refuses), `admin_minutes` (life of an admin token), `denied`
    (ACL resources that the caller lacks, such as `Magento_Sales::ship`).

    Lists: `unsorted` is the order of rows that no sort decides.

    Limits (off by default): `input_limits`; then `maximum_page_size`, `complex_array_limit` and
    `default_page_size`, each None for what the release does with an empty box; `async_array_limit`.

    Money: `prices_include_tax`, `tax_percent`, `shipping` (a flat rate per order, with tax if prices
    have it), `shipping_title`, `coupons` (code -> percent off the goods), `currency`,
    `refund_shipping_gross` (how a refund's `shipping_amount` is read).

    Stock: `out_of_stock_threshold`, taken off the salable quantity. Orders placed by hand ignore it.

    Bulk: `drain` says when queued operations run: `asked` (at the next status call from `drain_after` seconds
    on) or `never`; a control route runs them in any case. `fates` are the statuses (2 may be retried, 5
    rejected) with which the next operations end undone, in this order.
    """

    release: Release = "2.4.7"

    bearer: bool | None = None
    two_factor: bool = False
    admin_minutes: int = 60
    denied: set[str] = msgspec.field(default_factory=set)

    unsorted: Literal["shuffled", "id"] = "shuffled"

    input_limits: bool = False
    maximum_page_size: int | None = None
    complex_array_limit: int | None = None
    default_page_size: int | None = None
    async_array_limit: int = 5_000

    prices_include_tax: bool = True
    tax_percent: Decimal = Decimal(20)
    shipping: Decimal = Decimal("5.00")
    shipping_title: str = "Flat Rate - Fixed"
    coupons: dict[str, Decimal] = msgspec.field(default_factory=lambda: {"TEN": Decimal(10)})
    currency: str = "GBP"
    refund_shipping_gross: bool = False

    out_of_stock_threshold: Decimal = Decimal(0)

    drain: Literal["asked", "never"] = "asked"
    drain_after: float = 0.0
    fates: list[Literal[2, 5]] = msgspec.field(default_factory=list)

    @property
    def takes_bearer(self) -> bool:
        """Whether the integration's access token alone opens the API (section 2.1)."""
        return self.bearer if self.bearer is not None else self.release in ("2.3.7", "2.4.3")

    @property
    def page_limit(self) -> int:
        """The largest `pageSize` (section 13)."""
        if self.release == "2.4.3":
            return ENABLED_PAGE
        if not self.input_limits:
            return NO_LIMIT
        return self.maximum_page_size if self.maximum_page_size is not None else ENABLED_PAGE

    @property
    def array_limit(self) -> int:
        """The most objects in one array of a body (section 13)."""
        if self.release == "2.4.3":
            return 20
        if not self.input_limits:
            return NO_LIMIT
        return self.complex_array_limit if self.complex_array_limit is not None else ENABLED_ITEMS

    @property
    def page_default(self) -> int:
        """The `pageSize` of a call that names none; 0 = everything."""
        if self.release == "2.4.3":
            return 20
        return (self.default_page_size or 0) if self.input_limits else 0
