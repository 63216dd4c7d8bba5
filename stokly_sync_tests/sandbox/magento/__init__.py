"""Specifications of the Magento sandbox, each against a section of the contract."""
