"""Tests of turning documents into rows."""
