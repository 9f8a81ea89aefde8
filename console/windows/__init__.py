"""Everything known about Windows: the catalogue of commands, the decoding of rows, codes and their advice."""
