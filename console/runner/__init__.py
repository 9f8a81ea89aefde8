"""The runner: the drain's shell. It carries out what the pure core asks, and outlives the terminal."""
