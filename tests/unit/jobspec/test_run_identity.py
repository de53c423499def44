"""The same work has the same name, whoever asks and however; any other work has another."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobspec import InputFile, canonical_json, canonical_spec, parse_spec, run_id, split_run_id, work_id

INPUTS = [InputFile(uri="s3://b/1.csv", bytes=10, etag="a"), InputFile(uri="s3://b/2.csv", bytes=20, etag="b", rows=3)]
PARAMS = {"trips": ["a.csv", "b.csv"], "keep": "all", "top": 5, "share": 0.25}
DOCUMENT = {"job": "count-trips", "params": PARAMS}


def name_of(jobs, document, inputs=INPUTS, code="v1"):
    return work_id(parse_spec(json.dumps(document), jobs), inputs, code)


@settings(max_examples=60, deadline=None)
@given(
    keys=st.permutations(list(PARAMS)),
    labels=st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text("abc", max_size=5), max_size=3),
    timeout=st.integers(1, 1440),
    workers=st.just("auto") | st.integers(1, 200),
    force=st.booleans(),
    inputs=st.permutations(INPUTS),
    rows=st.none() | st.integers(0, 10**9),
)
def test_what_does_not_change_the_work_does_not_change_its_name(
    jobs, keys, labels, timeout, workers, force, inputs, rows
):
    document = {
        "force": force,
        "labels": labels,
        "limits": {"timeout_minutes": timeout},
        "cluster": {"workers": workers},
        "params": {key: PARAMS[key] for key in keys},
        "job": "count-trips",
    }
    counted = [file.model_copy(update={"rows": rows}) for file in inputs]
    assert name_of(jobs, document, counted) == name_of(jobs, DOCUMENT)


def test_a_default_written_out_is_the_same_work(jobs):
    assert name_of(jobs, {"job": "count-trips", "params": {"trips": ["a"]}}) == name_of(
        jobs, {"job": "count-trips", "params": {"trips": ["a"], "top": 10, "share": 1, "colour": None}}
    )


@pytest.mark.parametrize(
    "params",
    [
        PARAMS | {"trips": ["a.csv"]},
        PARAMS | {"trips": ["b.csv", "a.csv"]},
        PARAMS | {"keep": "plausible"},
        PARAMS | {"colour": "green"},
        PARAMS | {"top": 6},
        PARAMS | {"share": 0.2500000000000001},
        PARAMS | {"as_published": True},
        PARAMS | {"window": {"first": "2018-01-01"}},
    ],
)
def test_any_param_changes_the_name(params, jobs):
    assert name_of(jobs, {"job": "count-trips", "params": params}) != name_of(jobs, DOCUMENT)


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        INPUTS[:1],
        [*INPUTS, INPUTS[0]],
        [INPUTS[0].model_copy(update={"uri": "s3://b/3.csv"}), INPUTS[1]],
        [INPUTS[0].model_copy(update={"bytes": 11}), INPUTS[1]],
        [INPUTS[0].model_copy(update={"etag": "c"}), INPUTS[1]],
    ],
)
def test_any_input_changes_the_name(inputs, jobs):
    assert name_of(jobs, DOCUMENT, inputs) != name_of(jobs, DOCUMENT)


def test_job_and_code_change_the_name(jobs):
    assert name_of(jobs, DOCUMENT, code="v2") != name_of(jobs, DOCUMENT)
    assert name_of(jobs, {"job": "vendor-summary"})[-20:] != name_of(jobs, DOCUMENT)[-20:]


def test_names_stay_what_they_are_across_releases(jobs):
    assert name_of(jobs, DOCUMENT) == "count-trips-2e5850117dc7811287b0"


@pytest.mark.parametrize("attempt", [1, 2, 999_999])
def test_a_run_id_comes_apart_again(attempt, jobs):
    work = name_of(jobs, DOCUMENT)
    run = run_id(work, attempt)
    assert run == f"{work}-{attempt}"
    assert split_run_id(run) == ("count-trips", work, attempt)


def test_the_longest_run_id_fits_an_execution_name():
    longest = run_id("j" * 40 + "-" + "0" * 20, 999_999)
    assert len(longest) <= 80
    assert split_run_id(longest).job == "j" * 40


@pytest.mark.parametrize("attempt", [0, -1, 1_000_000])
def test_an_attempt_out_of_range_is_refused(attempt):
    with pytest.raises(ValueError, match="attempt"):
        run_id("a-" + "0" * 20, attempt)


DIGEST = "0123456789abcdef0123"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a-1",
        f"a-{DIGEST}",
        f"a-{DIGEST}-0",
        f"a-{DIGEST}-01",
        f"a-{DIGEST}-x",
        f"a-{DIGEST}-1\n",
        f"a-{DIGEST}-\u0661",
        f"a-{DIGEST}-1000000",
        f"a-{DIGEST}-{'9' * 5000}",
        f"a-{DIGEST.upper()}-1",
        f"-{DIGEST}-1",
        f"A-{DIGEST}-1",
        f"a--b-{DIGEST}-1",
        f"a/b-{DIGEST}-1",
        f"a\n-{DIGEST}-1",
        f"{'a' * 41}-{DIGEST}-1",
    ],
)
def test_what_is_not_a_run_id_is_refused(text):
    with pytest.raises(ValueError, match="not a run id"):
        split_run_id(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1.0, 0.5, -0.0, True, None, "é\n"]}, '{"a":[1,0.5,0,true,null,"é\\n"],"b":1}'),
        ({"a": {"z": 1e300, "y": 2**60}}, '{"a":{"y":1152921504606846976,"z":1e+300}}'),
        ((1, (2,)), "[1,[2]]"),
    ],
)
def test_canonical_json_has_one_form(value, text):
    assert canonical_json(value) == text
    assert canonical_json(json.loads(text)) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}])
def test_canonical_json_refuses_what_json_has_not(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(value)


def test_a_canonical_spec_is_plain_json_with_its_defaults(jobs):
    plain = canonical_spec(parse_spec('{"job": "count-trips", "params": {"trips": ["a"], "colour": "green"}}', jobs))
    assert plain == {
        "job": "count-trips",
        "params": {
            "trips": ["a"],
            "keep": "plausible",
            "colour": "green",
            "top": 10,
            "share": 1.0,
            "as_published": False,
            "window": None,
        },
        "cluster": {"workers": "auto"},
        "limits": {"timeout_minutes": 60, "max_cost_usd": None},
        "labels": {},
        "force": False,
    }
    assert json.loads(json.dumps(plain)) == plain


def test_the_same_file_signed_anew_is_the_same_work(jobs):
    def name(query):
        address = f"https://host/a.csv{query}"
        spec = parse_spec({"job": "count-trips", "params": {"trips": [address]}}, jobs)
        return work_id(spec, [InputFile(uri=address, bytes=1, etag="e")], "1")

    assert name("?X-Amz-Signature=1") == name("?X-Amz-Signature=2&X-Amz-Date=3") == name("")
    assert len({name(""), name("?file=1"), name("?file=2")}) == 3
