"""Keeps Dask's own performance report of a run: task stream, profiles, machine load, in a file that opens offline."""

import html
import logging
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jobspec import Cancelled

if TYPE_CHECKING:
    from distributed import Client
    from distributed.client import performance_report

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
"""How long the scheduler may take for its report: a run is not to hang on it."""

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
"""What the browser lets the page do: run its own scripts, and fetch nothing."""

_ICON = re.compile(r"""<link\s+rel=["'][^"']*icon["'][^>]*>""", re.IGNORECASE)
_REMOTE_SOURCE = re.compile(r"""\bsrc\s*=\s*(["'])(?:https?:)?//.*?\1""", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


@contextmanager
def recorded(client: "Client", sink: Callable[[bytes], None], about: str = "") -> Iterator[None]:
    """Records what the cluster does in the `with` block and gives the report, an HTML page, to `sink`.

    `about` stands where Dask shows the calling code. Whatever goes wrong with the report is logged and nothing more:
    the run goes on. Only `Cancelled` comes through. When the block raises, there is no report.
    """
    with tempfile.TemporaryDirectory(prefix="dask-report-") as directory:
        path = Path(directory) / "dask-report.html"
        report = None
        with _harmless("start"):
            report = _start(client, path)
        yield
        if report is None:
            return
        with _harmless("finish"):
            _finish(client, report, about)
            sink(self_contained(path.read_text(encoding="utf-8")).encode("utf-8"))


def self_contained(page: str) -> str:
    """The page without whatever would fetch from elsewhere, and with a policy that forbids it to."""
    page = _REMOTE_SOURCE.sub('src=""', _ICON.sub("", page, count=1))
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return _HEAD.sub(lambda head: head.group() + policy, page, count=1)


@contextmanager
def _harmless(what: str) -> Iterator[None]:
    try:
        yield
    except Cancelled:
        raise
    except Exception:
        log.warning("could not %s Dask's performance report: the run goes on without it", what, exc_info=True)


def _start(client: "Client", path: Path) -> "performance_report":
    from distributed.client import performance_report

    report = performance_report(str(path), mode="inline")

    async def enter() -> None:
        with client.as_current():  # the report asks for the current client, which need not be this one
            await report.__aenter__()

    client.sync(enter, callback_timeout=PATIENCE_SECONDS)
    return report


def _finish(client: "Client", report: "performance_report", about: str) -> None:
    async def leave() -> None:
        with client.as_current():
            await report.__aexit__(None, None, None, code=html.escape(about))

    client.sync(leave, callback_timeout=PATIENCE_SECONDS)
