"""Tests of what the clients of all systems share."""
