"""HTML out of small functions. Whatever is not `Html` already is escaped, so nobody can forget to."""

import html
import unicodedata
from collections.abc import Collection, Sequence

from jobs.reports.numbers import Value, column, number

MOST_ROWS = 500
_VOID = {"img", "meta"}


class Html(str):
    """Text that is markup already; `+` and `join` on it give plain strings, which are escaped again."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: str | None) -> Html:
    """An element. Children that are None are left out, and so are attributes; write `class_` for `class`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{together(*children)}</{name}>")


def together(*children: str | None) -> Html:
    """Pieces side by side, plain text among them escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children if child is not None))


def escape(text: str) -> str:
    """Text made harmless in content and attributes; characters that HTML forbids become the replacement character."""
    legal = "".join(
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs") else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )
    return html.escape(legal, quote=True)


def section(name: str, title: str, *children: str | None) -> Html:
    """A section that `#name` leads to."""
    return tag("section", tag("h2", title), *children, id=name)


def paragraphs(text: str) -> Html:
    """Text with a blank line between its paragraphs."""
    return together(*(tag("p", part) for part in text.split("\n\n") if part.strip()))


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Value]], note: str = "", right: Collection[str] = ()
) -> Html | None:
    """A table that scrolls sideways on a narrow screen; None without rows.

    Columns of numbers, and those named in `right`, stand at the right; long texts keep a readable width; None is a
    dash; cells that are `Html` stay as they are. Of very many rows the first are shown, and the note says so.
    """
    if not rows:
        return None
    shown = rows[:MOST_ROWS]
    if len(rows) > len(shown):
        note = f"{note} The first {number(MOST_ROWS)} of {number(len(rows))} rows.".strip()
    cells = [[row[at] for row in shown] for at in range(len(columns))]
    kinds = ["number" if name in right else _kind(values) for name, values in zip(columns, cells, strict=True)]
    head = (tag("th", name, scope="col", class_=kind) for name, kind in zip(columns, kinds, strict=True))
    body = (
        tag("tr", *(tag("td", text, class_=kind) for text, kind in zip(texts, kinds, strict=True)))
        for texts in zip(*map(column, cells), strict=True)
    )
    grid = tag("table", tag("caption", title), tag("thead", tag("tr", *head)), tag("tbody", *body))
    # Focus lets a keyboard scroll it.
    scroll = tag("div", grid, class_="scroll", tabindex="0", role="region", aria_label=title)
    return together(scroll, tag("p", note, class_="note") if note else None)


def _kind(values: Sequence[Value]) -> str | None:
    """How style.css shows a column."""
    if all(value is None or isinstance(value, (int, float)) for value in values):
        return "number"
    texts = [value for value in values if isinstance(value, str) and not isinstance(value, Html)]
    return "prose" if any(" " in text and len(text) > 40 for text in texts) else None


def terms(pairs: Sequence[tuple[str, str]]) -> Html | None:
    """Names and what they stand for; None without any."""
    if not pairs:
        return None
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", text)) for name, text in pairs), class_="terms")


def details(title: str, text: str) -> Html:
    """Long text, as it is, behind a title to click on."""
    return tag("details", tag("summary", title), tag("pre", tag("code", text)))


def words(name: str) -> str:
    """A technical name as words: `duration_seconds.mean` is "Duration seconds, mean"."""
    text = name.replace("_", " ").replace(".", ", ")
    return text[:1].upper() + text[1:]
