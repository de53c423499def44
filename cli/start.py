"""The entry point of `dispatch`: starts and ends fast, and leaves everything else to `cli.main`.

Most of a short run is the loading of modules, which makes hundreds of thousands of objects that live to the end. To
look for garbage among them, while they load and once more while Python takes them down, would be half of that time.
"""

import gc

ALLOCATIONS_BETWEEN_COLLECTIONS = 200_000


def main() -> None:
    """Run the command line."""
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS, 20, 20)
    try:
        from cli.main import main as commands

        commands()
    finally:
        gc.freeze()
