"""Processes that are killed at every step, and started again."""
