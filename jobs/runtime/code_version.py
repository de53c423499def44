"""Which version of the code this process runs: part of every run's identity, and the same on client and workers."""

import os
from importlib.metadata import version

CODE_VERSION = "DISPATCH_CODE_VERSION"
"""The environment variable that holds the image's immutable tag, where there is an image."""


def code_version() -> str:
    """The image's tag, or the version of the package."""
    return os.environ.get(CODE_VERSION) or version("dispatch-jobs")
