"""A sub-package, which is not a job."""
