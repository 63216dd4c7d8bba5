"""Bounds written by hand and other people's tools, each run as `python -m benchmarks.peers.NAME`.

They import nothing of the product, because their Python may be one that has only the `bench` extra. Each prints one
JSON object as its last line.
"""
