"""Long work: recipes, and what runs them."""
