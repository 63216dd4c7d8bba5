"""The database that everything is kept in: landed rows, windows, the ledger, exceptions, findings and figures.

One schema on SQLite (the default) and on PostgreSQL, changed by migrations only. Other rooms come in through
`store.Warehouse`, the tables of `tables` and the bulk paths of `bulk`; nothing here knows a vendor, a feed or Dagster.
"""
