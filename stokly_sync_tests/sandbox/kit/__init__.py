"""Specifications of what every sandbox system is built from."""
