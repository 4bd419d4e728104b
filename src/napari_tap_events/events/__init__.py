"""What counts as an event, and where it is."""
