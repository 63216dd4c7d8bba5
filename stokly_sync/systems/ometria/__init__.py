"""Ometria."""
