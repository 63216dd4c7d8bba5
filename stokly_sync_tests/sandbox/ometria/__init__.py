"""Specifications of the Ometria sandbox, each against a section of the contract."""
