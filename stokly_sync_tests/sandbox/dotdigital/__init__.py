"""Specifications of the Dotdigital sandbox, each against a section of the contract."""
