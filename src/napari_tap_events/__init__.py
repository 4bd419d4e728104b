"""Find cell events in time-lapse microscopy with few labels: time arrow prediction, calibrated maps, review."""

__version__ = "0.1.0"
