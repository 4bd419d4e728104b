"""What a person has done to their movies: marks with their history, and the folder in which they are kept."""
