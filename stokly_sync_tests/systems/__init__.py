"""Tests of the systems: the wire that they share, and each of them."""
