"""`python -m stokly_sync.cli`, for processes that start another one with their own interpreter."""

from stokly_sync.cli import app

app()
