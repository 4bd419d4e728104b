"""What to ask a person next, what their answers mean, and how far they can be trusted."""
