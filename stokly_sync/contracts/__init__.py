"""What a valid row is: tables and their columns, the rules that rows must keep, and the kinds of rules.

Everything here is pure: frames in, frames and problems out. No vendor's wording, no database, no Dagster.
"""
