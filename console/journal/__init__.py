"""The append-only store of events, and what is read back from it: replay and report."""
