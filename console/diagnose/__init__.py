"""What is in the way, and why it is slow."""
