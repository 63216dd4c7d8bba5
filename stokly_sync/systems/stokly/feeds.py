"""What is loaded into Stokly from each sales channel: customers, orders, cancellations, refunds, invoices (G3, G5, P3).

One set of declarations, made for every channel. A customer comes before the order, the order before what follows from
it. Stokly deduplicates nothing: all that creates is looked up, and what Stokly holds by its own word is held.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from stokly_sync.flow import BatchLimits, Feed, Gate, Lane, Need, Origin, ReplayClass, Team
from stokly_sync.systems.stokly import outgoing, writing
from stokly_sync.systems.stokly.channel_settings import DEFAULTS
from stokly_sync.systems.stokly.outgoing import Channel
from stokly_sync.systems.stokly.outgoing.orders import PURCHASES
from stokly_sync.systems.stokly.outgoing.pairing import SIBLINGS
from stokly_sync.systems.stokly.outgoing.units import ASKED, LINES
from stokly_sync.systems.stokly.readback import order_facts, read_orders
from stokly_sync.systems.stokly.settings import StoklySettings

NAME: Final = "stokly"
BYTES: Final = 4_000_000
"""No limit is known; each record travels alone, so this only bounds what is looked up together."""
_ORDER: Final = "order_id"


def feeds(settings: StoklySettings) -> tuple[Feed, ...]:
    """All feeds into Stokly, channel by channel in the order in which they are loaded."""
    return tuple(feed for name in DEFAULTS for feed in _of_channel(Channel(name, settings)))


def origins(settings: StoklySettings) -> dict[str, Origin]:
    """How Stokly names the channels whose orders it holds."""
    known = {name: settings.channel(name) for name in DEFAULTS}
    return {name: one.origin for name, one in known.items()}


def _of_channel(channel: Channel) -> tuple[Feed, ...]:
    return (_customers(channel), _orders(channel), _cancellations(channel), _refunds(channel), _invoices(channel))


def _customers(channel: Channel) -> Feed:
    orders = channel.table("orders")
    return Feed(
        system=NAME,
        name=f"{channel.name}_customers",
        dataset=orders,
        key="customer_key",
        owner=Team.CX,
        description=f"Customers of {channel.name.title()} as accounts in Stokly, made where there is none.",
        lane=Lane.INTERVAL,
        first_read=channel.table("orders"),
        replay=ReplayClass.LOOK_UP,
        limits=_limits(channel, calls=1 + channel.settings.customers_by_email),
        build=partial(outgoing.build_customers, channel=channel),
        send=partial(writing.send_customers, channel=channel.name),
        look_up=writing.look_up_customers,
        needs=(Need("stokly.customers", "email", orders, "customer_email"),),
        links=True,
        look_up_delay=channel.stokly.visible_after,
        rejected_rule=channel.rules.refused.code,
    )


def _orders(channel: Channel) -> Feed:
    orders, lines = channel.table("orders"), channel.table("order_lines")
    return Feed(
        system=NAME,
        name=f"{channel.name}_orders",
        dataset=orders,
        key=_ORDER,
        owner=Team.OPERATIONS,
        description=f"Confirmed orders of {channel.name.title()} as sale orders in Stokly, once each.",
        lane=Lane.INTERVAL,
        first_read=channel.table("orders"),
        replay=ReplayClass.LOOK_UP,
        # A batch of guests needs one look-up alone; the accounts of all others take one more.
        limits=_limits(channel, calls=1),
        build=partial(outgoing.build_orders, channel=channel),
        send=partial(writing.send_orders, channel=channel.name),
        look_up=partial(writing.look_up_orders, channel=channel.name),
        read_back=partial(read_orders, channel=channel.name),
        facts=order_facts,
        source_value="total",
        mirror="stokly.orders",
        needs=(
            Need(lines, _ORDER, orders, _ORDER),
            Need(orders, "customer_key", orders, "customer_key", name=PURCHASES),
            Need("stokly.items", "sku", lines, "sku", columns=("sku", "live", "format")),
            channel.twins(),
        ),
        gates=(
            Gate(f"{channel.name}_customers", "its customer", partial(outgoing.customer_of_order, channel=channel)),
        ),
        links=True,
        look_up_delay=channel.stokly.visible_after,
        rejected_rule=channel.rules.refused.code,
    )


def _cancellations(channel: Channel) -> Feed:
    orders = channel.table("orders")
    return Feed(
        system=NAME,
        name=f"{channel.name}_cancellations",
        dataset=orders,
        key=_ORDER,
        owner=Team.CX,
        description=f"Orders that were cancelled in {channel.name.title()}, cancelled in Stokly before they leave.",
        lane=Lane.INTERVAL,
        first_read=channel.table("orders"),
        # To cancel what is cancelled changes nothing.
        replay=ReplayClass.UPSERT,
        limits=_limits(channel, calls=1),
        build=partial(outgoing.build_cancellations, channel=channel),
        send=partial(writing.send_cancellations, channel=channel.name),
        needs=(
            Need(channel.table("order_lines"), _ORDER, orders, _ORDER, columns=ASKED),
            channel.twins(),
            Need("stokly.order_lines", _ORDER, "stokly.orders", _ORDER, columns=LINES),
            Need("stokly.dispatches", _ORDER, "stokly.orders", _ORDER, columns=(_ORDER, "live")),
            Need("stokly.dispatch_lines", "dispatch_id", "stokly.dispatches", "dispatch_id"),
        ),
        rejected_rule=channel.rules.cancel_refused.code,
    )


def _refunds(channel: Channel) -> Feed:
    orders, refunds = channel.table("orders"), channel.table("refunds")
    return Feed(
        system=NAME,
        name=f"{channel.name}_refunds",
        dataset=refunds,
        key="refund_id",
        owner=Team.FINANCE,
        description=f"Refunds of {channel.name.title()} with their credit notes in Stokly, once each.",
        lane=Lane.INTERVAL,
        first_read=channel.table("orders"),
        replay=ReplayClass.LOOK_UP,
        limits=_limits(channel, calls=1),
        build=partial(outgoing.build_refunds, channel=channel),
        send=writing.send_refunds,
        look_up=writing.look_up_refunds,
        source_value="total",
        needs=(
            Need(channel.table("refund_lines"), "refund_id", refunds, "refund_id"),
            Need(orders, _ORDER, refunds, _ORDER),
            Need(channel.table("order_lines"), _ORDER, orders, _ORDER, columns=("sku",)),
            Need(refunds, _ORDER, refunds, _ORDER, name=SIBLINGS),
            channel.twins("currency"),
            Need("stokly.order_lines", _ORDER, "stokly.orders", _ORDER),
            Need("stokly.refunds", _ORDER, "stokly.orders", _ORDER),
            Need("stokly.credit_notes", _ORDER, "stokly.orders", _ORDER),
        ),
        links=True,
        look_up_delay=channel.stokly.visible_after,
        rejected_rule=channel.rules.credit_refused.code,
    )


def _invoices(channel: Channel) -> Feed:
    orders = channel.table("orders")
    return Feed(
        system=NAME,
        name=f"{channel.name}_invoices",
        dataset=orders,
        key=_ORDER,
        owner=Team.FINANCE,
        description=f"Invoices on orders of {channel.name.title()}, once their fulfilment is confirmed by dispatches.",
        lane=Lane.INTERVAL,
        first_read=channel.table("orders"),
        replay=ReplayClass.LOOK_UP,
        limits=_limits(channel, calls=1),
        build=partial(outgoing.build_invoices, channel=channel),
        send=writing.send_invoices,
        look_up=writing.look_up_invoices,
        needs=(
            Need(channel.table("order_lines"), _ORDER, orders, _ORDER, columns=ASKED),
            channel.twins("updated_at"),
            Need("stokly.order_lines", _ORDER, "stokly.orders", _ORDER),
            Need("stokly.dispatches", _ORDER, "stokly.orders", _ORDER, columns=(_ORDER, "live", "dispatched_at")),
            Need("stokly.dispatch_lines", "dispatch_id", "stokly.dispatches", "dispatch_id"),
            Need("stokly.invoices", _ORDER, "stokly.orders", _ORDER, columns=(_ORDER, "live")),
        ),
        look_up_delay=channel.stokly.visible_after,
        rejected_rule=channel.rules.invoice_refused.code,
    )


def _limits(channel: Channel, *, calls: int) -> BatchLimits:
    """One call for each record, and those that look a whole batch up."""
    settings = channel.stokly
    return BatchLimits(settings.write_batch, BYTES, concurrency=settings.concurrency, calls=calls, each=1)
