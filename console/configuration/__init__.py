"""Settings: what an operator may write in ``config.toml``, and everything wrong with it said at once."""
