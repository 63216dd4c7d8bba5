"""Seeds: the data with which a Stokly account starts.

`demo` is a small made-up retailer with every defect planted once or twice, `minimal` a handful of rows
for tests, `empty` nothing, and a path gives the account that a retail transactions file tells of.
"""

from datetime import date
from pathlib import Path

from stokly_sync.sandbox.seeds.demo import demo_seed
from stokly_sync.sandbox.seeds.minimal import minimal_seed
from stokly_sync.sandbox.seeds.model import Planted, RowReport, Seed
from stokly_sync.sandbox.seeds.retail_file import TransactionsFileError
from stokly_sync.sandbox.seeds.transactions import load_transactions

__all__ = [
    "Planted",
    "RowReport",
    "Seed",
    "TransactionsFileError",
    "demo_seed",
    "load_seed",
    "load_transactions",
    "minimal_seed",
]


def load_seed(name: str, *, today: date) -> Seed:
    """The seed of that name, or made from the transactions file at that path.

    Raises:
        ValueError: if there is no such seed and no such file.
        TransactionsFileError: if the file cannot be read as a transactions file.
    """
    match name:
        case "empty":
            return Seed(name="empty")
        case "minimal":
            return minimal_seed(today)
        case "demo":
            return demo_seed(today)
        case _ if Path(name).is_file():
            return load_transactions(Path(name), today)
        case _:
            raise ValueError(
                f"No seed is called {name!r} and no such file exists. "
                "Choose demo, minimal or empty, or give the path of a transactions file."
            )
