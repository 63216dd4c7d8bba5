"""The suite: mirrors `stokly_sync/` room by room, and reads as its specification."""
