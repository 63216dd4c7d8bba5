"""What several test packages need; no tests in here."""
