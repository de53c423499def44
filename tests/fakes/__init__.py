"""AWS as the rules see it, in memory, with the moods that the ports' docstrings tell of."""
