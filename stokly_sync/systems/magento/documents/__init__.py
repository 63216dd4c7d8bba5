"""Magento's documents to our rows, and ours to what Magento takes: pure functions, no I/O.

`orders`, `papers` and `goods` read; `lines` flattens an order's lines for all of them. What is sent stands in
`products`, `stock`, `shipments` and `refunds`.
"""
