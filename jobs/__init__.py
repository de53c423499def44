"""The catalogue: every module here is a job, found by `discover`; the packages are what jobs are made of."""

from jobspec import discover

JOBS = discover(__name__)
