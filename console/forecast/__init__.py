"""How long a move takes and how dark it goes: pure functions of values."""
