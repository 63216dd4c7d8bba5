"""Specifications of the Emarsys sandbox, each against a section of the contract."""
