"""From the source to landed rows: extract, contract, land (X1, X2).

`run` reads a window, the baseline or a sweep and lands it chunk by chunk; `store` writes one chunk; `relations` holds
the rules that look at other rows. What is sent where is no business of this room.
"""
