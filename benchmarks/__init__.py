"""Timings and scores that anybody can run again."""
