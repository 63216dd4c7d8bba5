"""From landed rows to accepted records: plan, send, confirm, and the ledger that remembers.

`planning.plan` decides what a feed has to send, `sending.deliver` sends it and learns its fate, `budget` shares a rate
limit between processes. Everything is made from a `flow.Feed`; no vendor is known here, and no Dagster.
"""
