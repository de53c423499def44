"""The rules: pure functions of what the handlers know."""
