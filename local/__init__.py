"""The twin: the same system on one machine."""
