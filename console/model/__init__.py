"""The nouns of the field, as immutable values. This room imports nothing of ours."""
