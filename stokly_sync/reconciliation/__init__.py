"""Comparing two sides and saying what differs (X7): by record, by count, and by money per currency.

`compare` is pure: frames in, differences out. `run` gathers both sides for one destination, stores the result and
turns unexplained differences into findings. A difference is *explained* when a named rule, a parked or a rejected
record accounts for it; systems agree when every difference is explained and nothing is in doubt.
"""
