"""Tests of Stokly as the source."""
