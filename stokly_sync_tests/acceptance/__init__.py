"""One set of tests that every destination must pass unchanged; a destination joins in `benches`."""
