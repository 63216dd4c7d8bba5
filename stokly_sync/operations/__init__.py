"""What people do about the sync: look at exceptions, decide, retry, trace a record, and see whether it can be trusted.

Questions and acts only, for the web page and the command line alike, so that both say the same. Every question begins
with the brand. No HTML, no printing, no Dagster and no client of a system: what has to reach outwards is handed in as
`desk.Hands`.
"""
