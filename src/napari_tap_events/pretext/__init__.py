"""Games that teach the encoder without labels: one file, one game."""
