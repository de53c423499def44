"""Lambda handlers, and the rules they decide by."""
