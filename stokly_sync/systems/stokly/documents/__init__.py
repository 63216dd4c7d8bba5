"""Stokly's documents to our rows: pure functions, a column at a time, exact, no I/O.

`orders`, `products`, `people` and `papers` know the members; what turns members into columns stands in `systems.rows`.
"""
