"""Documents of any source turned into rows: exact, a column at a time, without I/O.

`cells` converts members, `roots` adds what every root table has (key, version, content hash, members that nobody
knows), `pages` reads whole pages of usual documents at once, `times` and `sums` are their arithmetic. Which member
means what belongs to the systems.
"""
