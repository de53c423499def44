"""Results and receipts are stable JSON that reads back the same."""

import json

import pytest
from pydantic import ValidationError

from jobspec import BillLine, InputFile, Output, Receipt, Result, RunState


def result(**changes):
    fields = {
        "run_id": "count-trips-0123456789abcdef0123-1",
        "job": "count-trips",
        "spec": {"job": "count-trips", "params": {}},
        "state": RunState.SUCCEEDED,
        "answers": {"trips": 3, "zones": [{"zone": "Café", "mean": None}]},
        "outputs": [Output(name="t", path="tables/t.csv", bytes=1, sha256="0" * 64, media_type="text/csv")],
        "inputs": [InputFile(uri="a.csv", bytes=10, etag="e", rows=3)],
        "quality": {"misdated": 1},
        "timings": {"total_seconds": 1},
        "environment": {"python": "3.11"},
    }
    return Result(**fields | changes)


RECEIPT = Receipt(
    run_id="count-trips-0123456789abcdef0123-1",
    state=RunState.FAILED,
    bill=[BillLine(what="2 workers", seconds=61.5, usd=0.01)],
    total_usd=0.01,
    priced_at="2026-11-23",
)


@pytest.mark.parametrize("document", [result(), RECEIPT], ids=["result", "receipt"])
def test_a_document_reads_back_the_same(document):
    text = document.to_json()
    assert type(document).model_validate_json(text) == document
    assert type(document).model_validate_json(text).to_json() == text
    assert text.startswith('{\n  "run_id": "count-trips-')
    assert text.endswith("}\n")


def test_a_result_has_the_documented_fields_in_order_and_readable_text():
    text = result().to_json()
    assert list(json.loads(text)) == [
        "run_id",
        "job",
        "spec",
        "state",
        "answers",
        "outputs",
        "inputs",
        "quality",
        "timings",
        "environment",
    ]
    assert json.loads(text)["state"] == "SUCCEEDED"
    assert "Café" in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["answers", "quality", "timings", "environment"])
def test_a_number_that_json_has_not_is_refused(field, value):
    with pytest.raises(ValueError, match="JSON compliant"):
        result(**{field: {"a": [{"b": value}]}}).to_json()


def test_a_value_that_json_has_not_is_refused():
    with pytest.raises(TypeError, match="not JSON serializable"):
        result(answers={"a": {1, 2}}).to_json()


@pytest.mark.parametrize(
    "changes", [{"state": "DONE"}, {"answers": None}, {"surprise": 1}, {"outputs": [{"name": "t"}]}, {"job": 1}]
)
def test_a_wrong_result_is_refused(changes):
    with pytest.raises(ValidationError):
        result(**changes)


def test_a_bill_is_never_negative():
    with pytest.raises(ValidationError):
        BillLine(what="x", seconds=-1, usd=0)
