"""Stokly's documents to our rows: pure functions, a column at a time, exact, no I/O.

`orders`, `products`, `people` and `papers` know the members; `roots` adds what every root table has; `cells` and
`times` convert columns; `sums` multiplies without overflowing in silence.
"""
