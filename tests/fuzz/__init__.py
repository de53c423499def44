"""Searches that take longer than a test may; what they find becomes a test."""
