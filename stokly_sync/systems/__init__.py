"""The wire: one folder a system, all alike; knows neither Dagster nor our database.

`transport` is what the clients share. Each folder exports one `SYSTEM`; nothing above them special-cases a vendor.
"""
