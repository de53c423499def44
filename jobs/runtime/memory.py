"""How this process and its workers keep memory: what a batch has used the next one needs again.

glibc gives large blocks back to the system at once and has them anew page by page, which takes a good part of the time
that a CSV takes. So blocks of text come from its heap, which keeps them. Arrow's pool is jemalloc: in glibc's heap the
pages of a Parquet file leave gaps that make the process half as large again, in mimalloc it is larger from the start.
"""

import contextlib
import ctypes
import os

POOL = ("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
_MALLOC = {  # the variable that sets it, its number in mallopt(3), bytes
    "MALLOC_MMAP_THRESHOLD_": (-3, 2**25),  # mapped on their own from here on; 32 MiB is the most that counts
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**28),  # kept when free
    "MALLOC_TOP_PAD_": (-2, 2**24),  # fetched ahead, and left when a thread's heap shrinks
}
ENVIRONMENT: dict[str, str] = dict([POOL]) | {name: str(size) for name, (_, size) in _MALLOC.items()}
"""The same for a process that is yet to start."""


def keep_freed() -> None:
    """Set this process up: for entry points, and before pyarrow is loaded, which chooses its pool only once."""
    os.environ.setdefault(*POOL)
    with contextlib.suppress(AttributeError, OSError):  # no glibc
        mallopt = ctypes.CDLL(None).mallopt
        for name, (option, size) in _MALLOC.items():
            if name not in os.environ:
                mallopt(option, size)
