"""Which bytes of a CSV text stand inside quotes: one scanner for all that counts or cuts lines and fields.

A quote opens a field only at its start, as it does to Arrow; anywhere else it is a character like any other.
"""

from typing import Any

import numpy as np

from jobs.runtime.kernels import compiled


@compiled
def _mark(text: Any, outside: Any) -> bool:
    """1 for every byte that is outside quotes; returns whether a quote is open at the end."""
    start, quoted = True, False
    n = len(text)
    i = 0
    while i < n:
        c = text[i]
        outside[i] = not quoted
        if quoted:
            if c == 34:
                if i + 1 < n and text[i + 1] == 34:  # a doubled quote stands for one
                    i += 1
                    outside[i] = False
                else:
                    quoted = False
        elif c == 34 and start:
            quoted = True
            start = False
        else:
            start = c == 44 or c == 10 or c == 13
        i += 1
    return quoted


@compiled
def _count(text: Any, outside: Any) -> int:
    records, filled = 0, False
    for i in range(len(text)):
        if (text[i] == 10 or text[i] == 13) and outside[i]:
            records += filled
            filled = False
        else:
            filled = True
    return records + filled


def outside_quotes(text: bytes) -> tuple[Any, bool]:
    """A uint8 per byte, 1 outside quotes, and whether a quote is still open at the end; `text` begins a record."""
    outside = np.ones(len(text), np.uint8)
    unclosed = bool(_mark(_writable(text), outside)) if b'"' in text else False
    return outside, unclosed


def count_records(text: bytes) -> int:
    """How many records that are not empty the text holds, the last with or without its line end."""
    return int(_count(_writable(text), outside_quotes(text)[0]))


def last_line_end(text: bytes) -> int:
    """Where the last line feed outside quotes stands; -1 if there is none."""
    if b'"' not in text:
        return text.rfind(b"\n")
    ends = np.flatnonzero((np.frombuffer(text, np.uint8) == 10) & (outside_quotes(text)[0] == 1))
    return int(ends[-1]) if len(ends) else -1


def count_fields(record: bytes) -> int:
    """How many fields a record has: one more than commas outside quotes."""
    if b'"' not in record:
        return record.count(b",") + 1
    commas = np.frombuffer(record, np.uint8) == 44
    return int(np.count_nonzero(commas & (outside_quotes(record)[0] == 1))) + 1


def split_records(text: bytes) -> list[bytes]:
    """The records with their line ends, empty ones included."""
    if b'"' not in text:
        return text.splitlines(keepends=True)
    bytes_ = np.frombuffer(text, np.uint8)
    following = np.append(bytes_[1:], 0)
    ends = (bytes_ == 10) | ((bytes_ == 13) & (following != 10))
    cuts = (np.flatnonzero(ends & (outside_quotes(text)[0] == 1)) + 1).tolist()
    starts = [0, *cuts]
    return [text[a:b] for a, b in zip(starts, [*cuts, len(text)], strict=True) if a < b]


def _writable(text: bytes) -> Any:
    # Numba compiles a second variant for arrays that cannot be written.
    return np.frombuffer(bytearray(text), np.uint8)
