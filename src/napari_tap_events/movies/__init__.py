"""What the microscope saw, and what was marked on it."""
