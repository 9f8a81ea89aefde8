"""Textual screens and widgets, one a file. Never imports the wire or the lab."""
