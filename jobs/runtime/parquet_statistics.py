"""How many nulls a Parquet footer says that each column has, without asking Arrow for statistics.

Arrow ends the whole process when it is asked about a column whose description is damaged: the exception is not passed
on to Python (docs/decisions/0008). So the few fields of interest are read here, from Thrift's compact protocol.

Sources: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md for the encoding,
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift for the numbers of the fields.
"""

from typing import Any

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12
_LONGEST_VARINT = 63  # bits before its last byte

# The fields on the way from FileMetaData to Statistics: a field of another kind than it should be is none.
_ROW_GROUPS = (4, _LIST)
_COLUMNS = (1, _LIST)
_META_DATA = (3, _STRUCT)
_PATH = (3, _LIST)
_VALUES = (5, _I64)  # nulls among them
_STATISTICS = (12, _STRUCT)
_NULL_COUNT = (3, _I64)

Fields = dict[tuple[int, int], Any]  # by number and kind


def null_counts(footer: bytes, groups: int) -> tuple[dict[str, int], ...]:
    """For each of the row groups {column: nulls}.

    Left out is whatever cannot be told: columns inside others, counts that are absent or impossible, and everything
    where the footer is damaged. `footer` is the Thrift structure alone, without its length and the magic bytes.
    """
    try:
        whole, _ = _struct(footer, 0)
    except (IndexError, ValueError, RecursionError):
        return ({},) * groups
    found = [_of_group(group) for group in _structs(whole, _ROW_GROUPS)]
    return tuple(found) if len(found) == groups else ({},) * groups


def _of_group(group: Fields) -> dict[str, int]:
    counts: dict[str, int] = {}
    met = set()
    for chunk in _structs(group, _COLUMNS):
        described = chunk.get(_META_DATA, {})
        path = tuple(part for part in described.get(_PATH, ()) if isinstance(part, bytes))
        if path in met:
            return {}  # two chunks of one column: which is meant cannot be told
        met.add(path)
        nulls = described.get(_STATISTICS, {}).get(_NULL_COUNT, -1)
        if len(path) == 1 and 0 <= nulls <= described.get(_VALUES, 0):
            counts[path[0].decode("utf-8", "replace")] = nulls
    return counts


def _structs(fields: Fields, field: tuple[int, int]) -> list[Fields]:
    return [item for item in fields.get(field, ()) if isinstance(item, dict)]


def _struct(data: bytes, at: int) -> tuple[Fields, int]:
    """The struct that begins at `at`, and where it ends."""
    fields: Fields = {}
    number = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(data, at)
        kind = head & 15
        fields[number, kind], at = _value(data, at, kind)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (_I64, _I32, _I16):
        return _integer(data, at)
    if kind == _BINARY:
        size, at = _varint(data, at)
        return data[at : at + size], at + size
    if kind == _STRUCT:
        return _struct(data, at)
    if kind in (_LIST, _SET):
        return _list(data, at)
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind == _BYTE:
        return data[at], at + 1
    if kind == _DOUBLE:
        return data[at : at + 8], at + 8
    raise ValueError(f"nothing in a Parquet footer is of Thrift's kind {kind}")


def _list(data: bytes, at: int) -> tuple[list[Any], int]:
    size, kind = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = _varint(data, at)
    if kind in (_TRUE, _FALSE):
        kind = _BYTE  # the truth of an item, unlike a field's, is a byte of its own
    items = []
    for _ in range(size):
        item, at = _value(data, at, kind)
        items.append(item)
    return items, at


def _integer(data: bytes, at: int) -> tuple[int, int]:
    zigzag, at = _varint(data, at)
    return (zigzag >> 1) ^ -(zigzag & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    if byte < 128:
        return byte, at
    number, shift = byte & 127, 7
    while byte > 127:
        if shift > _LONGEST_VARINT:
            raise ValueError("a number of more than 64 bits")
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
    return number, at
