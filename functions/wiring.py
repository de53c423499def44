"""The composition root: which adapter stands behind which port. Nothing is made or read before it is used."""

from functools import cache

from functions.settings import Settings


class Wiring:
    """The adapters of one process; each is made when it is first asked for."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()


@cache
def wiring() -> Wiring:
    """The adapters of this Lambda environment, kept while it is warm."""
    return Wiring()
