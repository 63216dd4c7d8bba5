"""Findings as messages."""
