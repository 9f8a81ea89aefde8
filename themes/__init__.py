"""Themes as TOML and TCSS."""
