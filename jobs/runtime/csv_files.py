"""Trips in CSV: what the head of a file tells, and how the file is cut into byte ranges."""

import csv
import zlib
from collections.abc import Iterator

from jobs.runtime.storage import Source
from jobs.runtime.tripfile import CSV_TRIP_BYTES, TripFile, Unit
from jobspec import InputFile, UnreadableFile

HEAD_BYTES = 2**20
UNIT_BYTES = 32 * 2**20  # about 370,000 trips: enough that starting a task costs nothing, few enough to spread evenly
GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
_GZIP_RATIO = 5  # about, for a guess at how many trips a compressed file holds


def inspect(source: Source, pinned: InputFile) -> TripFile:
    """Plan a CSV from its first MiB: its header is parsed here and nowhere else."""
    head = source.read(0, HEAD_BYTES)
    zipped = head.startswith(GZIP)
    if zipped:
        head = _inflated(head, pinned.uri)
    whole_head = len(head) < HEAD_BYTES
    content = head.removeprefix(BOM)
    # Empty lines before the header are passed over, as they are anywhere else.
    header_at = len(head) - len(content.lstrip(b"\r\n"))
    if header_at == len(head) and whole_head:
        return TripFile(pinned, "empty")
    body = _line_end(head, header_at, whole_head, pinned.uri)
    names = _fields(head[header_at:body], pinned.uri)
    surplus = _surplus(head, body, len(names), pinned.uri)
    return TripFile(
        pinned,
        "csv.gz" if zipped else "csv",
        names=tuple(name.strip() for name in names) + ("",) * surplus,
        trips=source.size * (_GZIP_RATIO if zipped else 1) // CSV_TRIP_BYTES,
        body=body,
        surplus=surplus,
        header_lines=len(head[:body].splitlines()),
        # A lone carriage return ends lines in no file that can be cut at line feeds.
        whole=zipped or b'"' in head[body:] or b"\n" not in head or not source.ranged,
    )


def units(file: TripFile, unit_bytes: int = UNIT_BYTES) -> Iterator[Unit]:
    """The file in byte ranges that tile it from its first record to its end; a whole file is one range."""
    size = file.input.bytes
    if file.whole:
        yield Unit(file, file.body, size, file.trips)
        return
    start = file.body
    while start < size:
        end = size if size - start < 1.5 * unit_bytes else start + unit_bytes
        yield Unit(file, start, end, (end - start) // CSV_TRIP_BYTES)
        start = end


def _inflated(head: bytes, uri: str) -> bytes:
    """The first HEAD_BYTES of text, of as many gzip members as that takes."""
    text = b""
    try:
        while head.startswith(GZIP) and len(text) < HEAD_BYTES:
            member = zlib.decompressobj(wbits=31)
            text += member.decompress(head, HEAD_BYTES - len(text))
            head = member.unused_data
        return text
    except zlib.error as error:
        raise UnreadableFile(uri, f"it begins like gzip and is not: {error}") from error


def _line_end(head: bytes, start: int, whole_head: bool, uri: str) -> int:
    """Where the line that begins at `start` ends, its line end included; quotes may enclose line ends."""
    quoted = False
    for at in range(start, len(head)):
        byte = head[at]
        if byte == 0x22:
            quoted = not quoted
        elif byte == 0x0A and not quoted:
            return at + 1
        elif byte == 0x0D and not quoted:
            return at + 2 if head[at + 1 : at + 2] == b"\n" else at + 1
    if whole_head:
        return len(head)
    raise UnreadableFile(uri, f"its first line does not end within {HEAD_BYTES:,} bytes")


def _fields(line: bytes, uri: str) -> list[str]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            uri, f"its first line is not UTF-8 text, and no Parquet file begins so: {error}"
        ) from error
    if "\0" in text:
        raise UnreadableFile(uri, "its first line holds NUL bytes: it is neither CSV nor Parquet")
    try:
        return next(csv.reader([text.rstrip("\r\n")]), [])
    except csv.Error as error:
        raise UnreadableFile(uri, f"its first line is not CSV: {error}") from error


def _surplus(head: bytes, body: int, names: int, uri: str) -> int:
    """How many fields more than the header the first record has, all of them empty, as in green files of 2014."""
    start = len(head) - len(head[body:].lstrip(b"\r\n"))  # those very files have an empty line before it
    end = _line_end(head, start, whole_head=True, uri=uri)
    try:
        fields = next(csv.reader([head[start:end].decode("utf-8").rstrip("\r\n")]), [])
    except (UnicodeDecodeError, csv.Error):
        return 0
    extra = fields[names:]
    return len(extra) if extra and not any(field.strip() for field in extra) else 0
