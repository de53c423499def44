"""The bytes of a range of CSV: where its first and last records lie, and the text between them in whole lines."""

import zlib
from collections.abc import Iterator

from jobs.runtime.quoting import last_line_end
from jobs.runtime.storage import Source
from jobs.runtime.tripfile import TripFile, Unit
from jobspec import UnreadableFile

BLOCK_BYTES = 4 * 2**20  # about 45,000 trips: most of a batch, and still in cache
MAX_LINE = 64 * 2**20


def bounds(source: Source, unit: Unit) -> tuple[int, int]:
    """Where the range's first record begins and its last one ends: a line on the border belongs before it."""
    if unit.file.whole:
        return unit.start, unit.end
    start = unit.start if unit.start == unit.file.body else _next_line(source, unit.start - 1, unit.file)
    end = unit.end if unit.end >= source.size else _next_line(source, unit.end - 1, unit.file)
    return start, max(start, end)


def pieces(source: Source, file: TripFile, start: int, end: int) -> Iterator[bytes]:
    """The range in pieces of whole lines, about BLOCK_BYTES each; the last may lack its line end if the file does."""
    if file.format == "csv.gz":
        return _whole_lines(_unzipped(source), file, skip=file.body)
    return _whole_lines(_stretches(source, start, end), file)


def _next_line(source: Source, at: int, file: TripFile) -> int:
    """Where the first line begins after the first line feed at or after `at`."""
    step = 4096
    seen = 0
    while at < source.size:
        text = source.read(at, at + step)
        found = text.find(b"\n")
        if found >= 0:
            return at + found + 1
        at += len(text)
        seen += len(text)
        if not text or seen > MAX_LINE:
            raise UnreadableFile(file.uri, f"a line is longer than {MAX_LINE:,} bytes")
        step = min(2 * step, BLOCK_BYTES)
    return source.size


def _stretches(source: Source, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        text = source.read(start, min(start + BLOCK_BYTES, end))
        if not text:
            raise UnreadableFile(source.uri, f"it ends at byte {start:,}; {source.size:,} were expected")
        start += len(text)
        yield text


def _unzipped(source: Source) -> Iterator[bytes]:
    """The decompressed text; gzip files may be several, one behind the other."""
    inflate = zlib.decompressobj(wbits=31)
    for packed in _stretches(source, 0, source.size):
        pending = packed
        while pending:
            if inflate.eof:
                if not pending.strip(b"\0"):
                    break  # padding
                inflate = zlib.decompressobj(wbits=31)
            try:
                text = inflate.decompress(pending, BLOCK_BYTES)
            except zlib.error as error:
                raise UnreadableFile(source.uri, f"broken gzip: {error}") from error
            pending = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            if text:
                yield text
    if not inflate.eof:
        raise UnreadableFile(source.uri, "broken gzip: it ends in the middle")


def _whole_lines(stretches: Iterator[bytes], file: TripFile, skip: int = 0) -> Iterator[bytes]:
    """The stretches cut anew at line ends (outside quotes, in a file that is read whole)."""
    rest = b""
    for stretch in stretches:
        if skip:
            skipped = min(skip, len(stretch))
            skip -= skipped
            stretch = stretch[skipped:]
        if file.whole:  # of quotes that were opened before, too
            stretch, rest = rest + stretch, b""
        cut = end_of_lines(stretch, file.whole) + 1
        if cut:
            yield b"".join((rest, memoryview(stretch)[:cut]))
            rest = b""
        rest += stretch[cut:]
        if len(rest) > MAX_LINE:
            raise UnreadableFile(file.uri, f"a line is longer than {MAX_LINE:,} bytes, or a quote is never closed")
    if rest:
        yield rest


def end_of_lines(text: bytes, whole: bool) -> int:
    """Where the last line end stands, -1 if nowhere; outside quotes, in a file that is read `whole`."""
    return last_line_end(text) if whole else text.rfind(b"\n")
