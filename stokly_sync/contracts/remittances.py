"""Payouts of a marketplace, from which journal entries are made (P5). What is given back is negative."""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.channels import MARKETPLACER, dataset_of
from stokly_sync.contracts.tables import Column, Dataset, Kind, Table


def _remittances(channel: str) -> Dataset:
    lines = Table(
        name=f"{channel}.remittance_lines",
        description="What a remittance is made of: an order's part or an amendment of one.",
        key=("remittance_id", "position"),
        parent_key="remittance_id",
        columns=(
            Column("remittance_id", Kind.TEXT, "The remittance.", required=True),
            Column("position", Kind.WHOLE, "Place in the remittance, from 0.", required=True),
            Column("kind", Kind.TEXT, "sale, refund or adjustment.", required=True),
            Column("order_id", Kind.TEXT, "The order that it is about."),
            Column("refund_id", Kind.TEXT, "The refund that it is about."),
            Column("gross", Kind.MONEY, "Paid by the customer, tax included; negative for a refund.", required=True),
            Column("tax", Kind.MONEY, "Tax in it."),
            Column("commission", Kind.MONEY, "Commission, net; negative where it is given back.", required=True),
            Column("commission_tax", Kind.MONEY, "Tax on the commission."),
            Column("payout", Kind.MONEY, "What is paid out for it.", required=True),
        ),
    )
    root = Table(
        name=f"{channel}.remittances",
        description="Payouts of a marketplace to the seller.",
        key=("remittance_id",),
        columns=(
            Column("remittance_id", Kind.TEXT, "The channel's id of the payout.", required=True),
            Column("number", Kind.TEXT, "Number for people."),
            Column("reference", Kind.TEXT, "Payment reference on the bank statement."),
            Column("currency", Kind.TEXT, "Currency, ISO 4217.", required=True),
            Column("payout", Kind.MONEY, "Paid out in all.", required=True),
            Column("commission", Kind.MONEY, "Commission in all, net."),
            Column("line_count", Kind.WHOLE, "Number of parts.", required=True),
            Column("created_at", Kind.TIME, "Time of the payout's making, UTC.", required=True),
            Column("paid_at", Kind.TIME, "Time of payment, UTC."),
            Column("live", Kind.FLAG, "False once the channel does not list it any more.", required=True),
        ),
    )
    return dataset_of(channel, root, lines, event_at="created_at")


REMITTANCES: Final = {MARKETPLACER: _remittances(MARKETPLACER)}
"""By marketplace."""
