"""All datasets by name: the one list that the warehouse, the checks and the reference pages are made from."""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.channels import CHANNEL_DATASETS
from stokly_sync.contracts.consent import CONSENTS
from stokly_sync.contracts.derived import CUSTOMER_METRICS
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.contracts.products import ITEMS, STOCK
from stokly_sync.contracts.remittances import REMITTANCES
from stokly_sync.contracts.sales import CREDIT_NOTES, DISPATCHES, INVOICES, ORDERS, REFUNDS
from stokly_sync.contracts.tables import Dataset, Table

DATASETS: Final[dict[str, Dataset]] = {
    d.name: d
    for d in (
        *(CUSTOMERS, ITEMS, STOCK, ORDERS, INVOICES, REFUNDS, CREDIT_NOTES, DISPATCHES),
        *(CUSTOMER_METRICS, CONSENTS),
        *CHANNEL_DATASETS,
        *REMITTANCES.values(),
    )
}

TABLES: Final[dict[str, Table]] = {t.name: t for d in DATASETS.values() for t in d.tables}
