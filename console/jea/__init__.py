"""The constrained endpoint's files, written from the catalogue: a module, two roles, two session configurations."""
