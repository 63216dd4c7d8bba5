"""Customers as Stokly holds them. Consent is not among the columns: Stokly's own consent member is not proven (X19)."""

from __future__ import annotations

from typing import Final

import pandas as pd

from stokly_sync.contracts.tables import Column, Dataset, Kind, RowRule, Table

EMAIL_PATTERN: Final = (
    r"[^@\s,;<>\"()]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)


def email_is_well_formed(frame: pd.DataFrame) -> pd.Series:
    """True where `email` is missing or looks deliverable."""
    return frame["email"].isna() | frame["email"].str.fullmatch(EMAIL_PATTERN).fillna(value=True)


CUSTOMERS: Final = Dataset(
    root=Table(
        name="stokly.customers",
        description="Customers (account holders); a guest is an order without one.",
        key=("customer_id",),
        columns=(
            Column("customer_id", Kind.TEXT, "Stokly's id of the customer.", required=True),
            Column("account_code", Kind.TEXT, "The retailer's own account code (barcode in Stokly)."),
            Column("name", Kind.TEXT, "Full name.", personal=True),
            Column("forename", Kind.TEXT, "First name, where Stokly gives it apart.", personal=True),
            Column("surname", Kind.TEXT, "Last name, where Stokly gives it apart.", personal=True),
            Column("email", Kind.TEXT, "E-mail address as entered, trimmed.", personal=True),
            Column("phone", Kind.TEXT, "Telephone number as entered.", personal=True),
            Column("customer_type", Kind.WHOLE, "1 trade account, 0 consumer."),
            Column("country", Kind.TEXT, "Billing country, ISO 3166-1 alpha-2."),
            Column("city", Kind.TEXT, "Billing city.", personal=True),
            Column("postcode", Kind.TEXT, "Billing postcode.", personal=True),
            Column("tags", Kind.JSON, "Tags, a list of texts."),
            Column("live", Kind.FLAG, "False once deleted or merged away in Stokly.", required=True),
            Column("merged_into", Kind.TEXT, "The surviving customer after a merge."),
            Column("created_at", Kind.TIME, "Creation time, UTC."),
            Column("updated_at", Kind.TIME, "Last update, UTC; missing where the account does not give it."),
        ),
        rules=(
            RowRule(
                "ST-CUSTOMER-EMAIL",
                email_is_well_formed,
                lambda row: "the e-mail address is not well formed",
            ),
        ),
        indexes=("email",),
        sparse_indexes=("merged_into",),
    ),
    event_at="updated_at",
    sought_by=("email",),
)
