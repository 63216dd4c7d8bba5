"""What the Marketplacer sandbox does, section by section of the contract page."""
