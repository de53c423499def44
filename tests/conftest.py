"""How Hypothesis searches: without a clock, and where CI runs it the same way every time. How functions count."""

import os

from hypothesis import settings

# As in the functions' environment in template.yaml.
os.environ |= {"POWERTOOLS_SERVICE_NAME": "dispatch", "POWERTOOLS_METRICS_NAMESPACE": "Dispatch"}

settings.register_profile("local", deadline=None, max_examples=60)
settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
