"""Dask's own report of a run: kept, self-contained, and never in the run's way."""

import html
import logging
from collections.abc import Iterator

import pytest
from distributed import Client, LocalCluster

from jobs.runtime.dask_report import recorded, self_contained
from jobspec import Cancelled


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    cluster = LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0")
    with cluster, Client(cluster, set_as_default=False) as client:
        yield client


def test_the_report_of_a_block_is_one_page_that_fetches_nothing(client):
    pages: list[bytes] = []
    with recorded(client, pages.append, about="explore-trips <1>"):
        assert sum(client.gather(client.map(abs, range(-20, 0), pure=False))) == 210
    (page,) = (page.decode("utf-8") for page in pages)
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "number of tasks: 20" in page
    assert "explore-trips &lt;1&gt;" in html.unescape(page), "what the page's script shows is text, not markup"
    assert "default-src 'none'" in page
    assert 'src="http' not in page
    assert '<link rel="shortcut icon"' not in page


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("<script src='https://a/b.js'></script>", '<script src=""></script>'),
        ('<img src="//a/b.png">', '<img src="">'),
        ('<link rel="shortcut icon" href="https://a/b.ico" />', ""),
        ('<a href="https://docs.dask.org">docs</a>', '<a href="https://docs.dask.org">docs</a>'),
        ('<img src="data:image/png;base64,AA">', '<img src="data:image/png;base64,AA">'),
    ],
)
def test_what_would_be_fetched_is_taken_out(page, left):
    assert self_contained(page) == left


def test_a_sink_that_fails_does_not_fail_the_run(client, caplog):
    def full(_: bytes) -> None:
        raise OSError("no space left")

    with caplog.at_level(logging.WARNING), recorded(client, full):
        answer = client.submit(abs, -7).result()
    assert answer == 7
    assert "could not finish Dask's performance report" in caplog.text
    assert "no space left" in caplog.text


def test_a_cluster_that_is_gone_does_not_fail_the_run(caplog):
    pages: list[bytes] = []
    with LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster:
        client = Client(cluster, set_as_default=False)
        client.close()
        with caplog.at_level(logging.WARNING), recorded(client, pages.append):
            ran = True
    assert ran
    assert pages == []
    assert "could not start Dask's performance report" in caplog.text


def test_a_cancelled_run_stays_cancelled(client):
    def cancelled(_: bytes) -> None:
        raise Cancelled("asked to stop")

    with pytest.raises(Cancelled), recorded(client, cancelled):
        pass


def test_what_the_block_raises_comes_through_without_a_report(client):
    pages: list[bytes] = []
    with pytest.raises(ZeroDivisionError), recorded(client, pages.append):
        raise ZeroDivisionError
    assert pages == []
