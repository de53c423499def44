"""A catalogue of jobs that only tests run."""
