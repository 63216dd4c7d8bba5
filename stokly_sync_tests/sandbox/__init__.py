"""Specifications of the sandbox systems."""
