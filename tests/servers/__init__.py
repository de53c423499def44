"""Servers on this machine that stand where S3 and the web would be, and misbehave when told to."""
