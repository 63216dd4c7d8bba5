"""Everything that speaks Dagster, and nothing else.

Assets made from the feeds' declarations, partitions, jobs, schedules, sensors, checks and resources live
here, one module per concept, and so does the choice of Dagster's own storage. The work itself is in
`delivery`, `reconciliation`, `warehouse` and `systems`, which know no Dagster, so that it can be tested and
used without it.
"""
