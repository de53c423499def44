"""How fast this is, beside others, at the same answers: `python -m benchmarks`."""
