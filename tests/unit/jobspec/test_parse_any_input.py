"""No input whatever gets anything but a spec or a clear answer."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobspec import Spec, SpecError, parse_spec

GOOD = b'{"job": "count-trips", "params": {"trips": ["a.csv"], "window": {"first": "2018-01-01"}}}'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=30,
)
PARAMS = st.sampled_from(["trips", "keep", "colour", "top", "share", "window", "vendors"])
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "job": st.sampled_from(["count-trips", "vendor-summary"]) | JSON,
        "params": st.dictionaries(PARAMS, JSON) | JSON,
        "cluster": st.dictionaries(st.just("workers"), JSON) | JSON,
        "limits": st.dictionaries(st.sampled_from(["timeout_minutes", "max_cost_usd"]), JSON) | JSON,
        "labels": JSON,
        "force": JSON,
    },
)


def answer(raw, jobs):
    """The outcome of parsing, a spec or an error, both fit to be sent."""
    try:
        spec = parse_spec(raw, jobs)
    except SpecError as error:
        assert error.problems
        str(error).encode()
        json.dumps(error.as_problem(), ensure_ascii=False, allow_nan=False).encode()
    else:
        assert isinstance(spec, Spec)


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=200))
@example(raw=b'{"\\')
@example(raw=b'"' + b"\\" * 1001)
def test_no_bytes_raise_anything_but_a_spec_error(raw, jobs):
    answer(raw, jobs)


@settings(max_examples=300, deadline=None)
@given(value=JSON | LIKELY)
def test_no_json_raises_anything_but_a_spec_error(value, jobs):
    answer(json.dumps(value), jobs)
    answer(value, jobs)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_to_a_good_document_raises_anything_but_a_spec_error(jobs, data):
    raw = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        raw[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    answer(bytes(raw), jobs)
