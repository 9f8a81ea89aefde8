"""A run for the change ticket, told from its events alone: Markdown, HTML with charts, JSON, CSV."""
