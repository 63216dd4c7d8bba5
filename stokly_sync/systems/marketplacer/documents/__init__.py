"""Marketplacer's documents to our rows, and our rows to its inputs: pure functions, no I/O."""
