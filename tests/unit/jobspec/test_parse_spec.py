"""Every wrong spec gets a clear answer: where, what, what is allowed, and what was perhaps meant."""

import json
from datetime import date
from types import MappingProxyType

import pytest

from jobspec import Registry, SpecError, canonical_spec, parse_spec
from tests.unit.jobspec.sample_catalogue.count_trips import Colour

GOOD = {"job": "count-trips", "params": {"trips": ["a.csv"]}}


def problems_of(raw, jobs):
    with pytest.raises(SpecError) as caught:
        parse_spec(raw, jobs)
    return {problem.pointer: problem for problem in caught.value.problems}


def spec_with(**fields):
    return json.dumps(GOOD | fields)


def params_with(**fields):
    return spec_with(params=GOOD["params"] | fields)


def test_a_spec_gets_its_defaults_and_the_params_of_its_job(jobs):
    spec = parse_spec(json.dumps(GOOD), jobs)
    assert spec.params == jobs["count-trips"].params(trips=("a.csv",))
    assert (spec.cluster.workers, spec.limits.timeout_minutes, spec.limits.max_cost_usd) == ("auto", 60, None)
    assert (spec.labels, spec.force) == ({}, False)


def test_every_field_can_be_given(jobs):
    raw = {
        "job": "count-trips",
        "params": {
            "trips": ["a", "b"],
            "keep": "all",
            "colour": "green",
            "window": {"first": "2018-01-31"},
            "share": 1,
        },
        "cluster": {"workers": 200},
        "limits": {"timeout_minutes": 1440, "max_cost_usd": 5},
        "labels": {"team/x": "é" * 255},
        "force": True,
    }
    spec = parse_spec(json.dumps(raw, ensure_ascii=False).encode(), jobs)
    assert spec.params.colour is Colour.GREEN
    assert spec.params.window.first == date(2018, 1, 31)
    assert spec.params.share == 1.0
    assert spec.cluster.workers == 200
    assert spec.limits.max_cost_usd == 5.0
    assert spec.labels == raw["labels"]
    assert spec.force is True


def test_params_may_be_left_out_where_the_job_needs_none(jobs):
    assert parse_spec('{"job": "vendor-summary"}', jobs).params.vendors is None


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps(GOOD),
        json.dumps(GOOD).encode(),
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        "\ufeff" + json.dumps(GOOD),
        GOOD,
        MappingProxyType(GOOD | {"params": {"trips": ("a.csv",)}}),
    ],
    ids=["text", "bytes", "bytes with BOM", "text with BOM", "dict", "read-only mapping of tuples"],
)
def test_every_form_of_the_same_document_is_the_same_spec(raw, jobs):
    assert parse_spec(raw, jobs) == parse_spec(json.dumps(GOOD), jobs)


def test_all_problems_are_named_at_once(jobs):
    raw = """{"job": "count-trips", "job": "count-trips", "cluster": {"workers": 0, "wrokers": 1}, "force": 1,
        "params": {"kep": "all", "trips": ["a", 2], "keep": "al", "top": NaN, "share": true},
        "limits": {"timeout_minutes": "60", "max_cost_usd": 1e999}, "labels": {"-a": 1}}"""
    problems = problems_of(raw, jobs)
    assert set(problems) == {
        "/job",
        "/cluster/workers",
        "/cluster/wrokers",
        "/force",
        "/params/kep",
        "/params/trips/1",
        "/params/keep",
        "/params/top",
        "/params/share",
        "/limits/timeout_minutes",
        "/limits/max_cost_usd",
        "/labels/-a",
    }
    assert problems["/params/kep"].suggestion == "keep"
    assert problems["/cluster/wrokers"].suggestion == "workers"


def test_a_problem_reads_as_one_line(jobs):
    problem = problems_of(params_with(kep="all"), jobs)["/params/kep"]
    assert str(problem) == (
        '/params/kep: unknown field, got "all"; allowed: trips, keep, colour, top, share, as_published, window; '
        'did you mean "keep"?'
    )


@pytest.mark.parametrize(
    ("raw", "pointer", "message", "value", "allowed", "suggestion"),
    [
        ('{"params": {}}', "/job", "missing field", None, "count-trips, vendor-summary", None),
        (
            '{"job": "cuont_trips", "params": {"trips": ["a"]}}',
            "/job",
            "unknown job",
            '"cuont_trips"',
            "count-trips",
            "count-trips",
        ),
        ('{"job": 5}', "/job", "wrong type", "5", "count-trips", None),
        ('{"job": "\\u0000"}', "/job", "NUL", '"\\u0000"', "Unicode text", None),
        ('{"job": "count-trips"}', "/params/trips", "missing field", None, "a list of 1 to 5 items, each text", None),
        (spec_with(params=None), "/params", "wrong type", "null", "an object with the fields trips, keep", None),
        (spec_with(params=[]), "/params", "wrong type", "[]", "an object with the fields trips, keep", None),
        (params_with(trips=[]), "/params/trips", "too short", "[]", "a list of 1 to 5 items", None),
        (params_with(trips=["a"] * 6), "/params/trips", "too long", '["a", "a"', "a list of 1 to 5 items", None),
        (params_with(trips="a"), "/params/trips", "wrong type", '"a"', "a list of 1 to 5 items", None),
        (params_with(trips=["a", ""]), "/params/trips/1", "too short", '""', "text of at least 1 character", None),
        (params_with(keep="ALL"), "/params/keep", "not an allowed", '"ALL"', '"all" or "plausible"', "all"),
        (params_with(colour="grean"), "/params/colour", "not an allowed", '"grean"', '"green" or null', "green"),
        (params_with(top=0), "/params/top", "out of range", "0", "an integer from 1 to 1000", None),
        (params_with(top=True), "/params/top", "wrong type", "true", "an integer from 1 to 1000", None),
        (params_with(top=1.5), "/params/top", "wrong type", "1.5", "an integer from 1 to 1000", None),
        (params_with(top="5"), "/params/top", "wrong type", '"5"', "an integer from 1 to 1000", None),
        (params_with(share=0), "/params/share", "out of range", "0", "a number above 0 and at most 1", None),
        (params_with(as_published=1), "/params/as_published", "wrong type", "1", "true or false", None),
        (params_with(window={}), "/params/window/first", "missing field", None, "text holding a date", None),
        (params_with(window={"first": "x"}), "/params/window/first", "date", '"x"', "text holding a date", None),
        (
            params_with(window={"first": "2018-01-01", "dais": 1}),
            "/params/window/dais",
            "unknown field",
            "1",
            "first, days",
            "days",
        ),
        (params_with(as_published=True), "/params/keep", "as_published needs", None, '"all"', None),
        (params_with(trips=["a", "ftp://x"]), "/params/trips/1", "no such place", '"ftp://x"', "s3:// or a path", None),
        (params_with(top=13), "/params", "thirteen is unlucky", '{"trips": ["a.csv"], "top": 13}', "an object", None),
        (params_with(**{"a/b~c": 1}), "/params/a~1b~0c", "unknown field", "1", "trips, keep", None),
        (spec_with(cluster={"workers": 201}), "/cluster/workers", "not an", "201", '"auto" or an integer from 1', None),
        (spec_with(cluster={"workers": "atuo"}), "/cluster/workers", "not an", '"atuo"', '"auto" or', "auto"),
        (spec_with(cluster={"workers": True}), "/cluster/workers", "not an", "true", '"auto" or', None),
        (spec_with(cluster=3), "/cluster", "wrong type", "3", "an object with the fields workers", None),
        (spec_with(limits={"timeout_minutes": 0}), "/limits/timeout_minutes", "out of", "0", "from 1 to 1440", None),
        (
            spec_with(limits={"max_cost_usd": 0}),
            "/limits/max_cost_usd",
            "out of",
            "0",
            "above 0 and at most 10000",
            None,
        ),
        (
            spec_with(limits={"max_cost_usd": -1}),
            "/limits/max_cost_usd",
            "out of",
            "-1",
            "above 0 and at most 10000",
            None,
        ),
        (spec_with(labels={"a": 1}), "/labels/a", "wrong type", "1", "text of at most 255 characters", None),
        (spec_with(labels={"a": "x" * 256}), "/labels/a", "too long", '"xxx', "text of at most 255 characters", None),
        (spec_with(labels={"": "x"}), "/labels/", "name is not allowed", '""', "a name matching", None),
        (spec_with(labels=dict.fromkeys(map(str, range(33)), "")), "/labels", "too long", "{", "at most 32", None),
        (spec_with(lables={}), "/lables", "unknown field", "{}", "job, params, cluster", "labels"),
        (spec_with(force="yes"), "/force", "wrong type", '"yes"', "true or false", None),
    ],
)
def test_a_wrong_spec_is_answered_with_where_what_and_what_is_allowed(
    raw, pointer, message, value, allowed, suggestion, jobs
):
    problems = problems_of(raw, jobs)
    assert list(problems) == [pointer]
    problem = problems[pointer]
    assert message in problem.message
    assert (problem.value is None) == (value is None)
    assert (problem.value or "").startswith(value or "")
    assert allowed in problem.allowed
    assert problem.suggestion == suggestion


@pytest.mark.parametrize(
    ("raw", "message", "allowed"),
    [
        (b"", "the document is empty", "a JSON object"),
        (b"\xef\xbb\xbf \n", "the document is empty", "a JSON object"),
        (b"[]", "not an object", "an object with the fields job, params, cluster, limits, labels, force"),
        (b"null", "not an object", "an object"),
        (b'"\\ud800"', "half of a surrogate pair", "Unicode text"),
        (b"NaN", "not a finite number", "a number that fits a 64-bit float"),
        (b"x" * 10_000_000, "too large", "at most 262,144 bytes"),
        ("é" * 200_000, "too large", "at most 262,144 bytes"),
        (b"[" * 100_000, "nested too deeply at line 1 column 33", "at most 32 levels"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested too deeply at line 1 column 161", "at most 32 levels"),
        ('{"é": 1}'.encode("latin-1"), "not UTF-8 at byte 2, line 1", "UTF-8"),
        (b'{"a":\n"\xff"}', "not UTF-8 at byte 7, line 2", "UTF-8"),
        (json.dumps(GOOD).encode("utf-16"), "looks like UTF-16", "UTF-8"),
        (json.dumps(GOOD).encode("utf-16-le"), "looks like UTF-16", "UTF-8"),
        (json.dumps(GOOD).encode("utf-16-be"), "looks like UTF-16", "UTF-8"),
        (json.dumps(GOOD).encode("utf-32"), "looks like UTF-32", "UTF-8"),
        (json.dumps(GOOD).encode("utf-32-le"), "looks like UTF-32", "UTF-8"),
        (json.dumps(GOOD).encode("utf-32-be"), "looks like UTF-32", "UTF-8"),
        (b'{"job": "a"}\n}', "text after the end of the document at line 2 column 1", "RFC 8259"),
        (b'{"job": "a", // why\n}', "JSON has no comments at line 1 column 14", "RFC 8259"),
        (b"# why\n{}", "JSON has no comments at line 1 column 1", "RFC 8259"),
        (b"{} // why", "JSON has no comments at line 1 column 4", "RFC 8259"),
        (b"{'job': 1}", "text takes double quotes at line 1 column 2", "RFC 8259"),
        (b'{"job": "a",}', "a comma too many", "RFC 8259"),
        (b'{"job"', "not JSON", "RFC 8259"),
        (b'{"job": "a\nb"}', "not JSON: invalid control character at line 1 column 11", "RFC 8259"),
        (object(), "not a JSON value: object has no form in JSON", "a JSON object"),
        ({"job": {1, 2}}, "not a JSON value: set has no form in JSON", "a JSON object"),
        (None, "not an object", "an object"),
    ],
)
def test_what_is_no_document_at_all_is_one_problem(raw, message, allowed, jobs):
    problems = problems_of(raw, jobs)
    assert list(problems) == [""]
    assert message in problems[""].message
    assert allowed in problems[""].allowed


def test_a_mapping_that_holds_itself_is_a_problem_like_any_other(jobs):
    loop: dict[str, object] = {}
    loop["params"] = loop
    assert "not a JSON value" in problems_of(loop, jobs)[""].message


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("NaN", "not a finite number"),
        ("Infinity", "not a finite number"),
        ("-Infinity", "not a finite number"),
        ("1e999", "not a finite number"),
        ("9" * 5000, "not a finite number"),
        ("-" + "9" * 400, "not a finite number"),
        ('"\\udc00"', "half of a surrogate pair"),
        ('"a\\u0000"', "a NUL character"),
    ],
)
def test_a_value_that_json_should_not_hold_is_one_problem_where_it_stands(written, message, jobs):
    for pointer, raw in {
        "/params/top": '{"job": "count-trips", "params": {"trips": ["a"], "top": HERE}}',
        "/params/trips/1": '{"job": "count-trips", "params": {"trips": ["a", HERE]}}',
        "/params/window/first": '{"job": "count-trips", "params": {"trips": ["a"], "window": {"first": HERE}}}',
        "/limits/max_cost_usd": '{"job": "vendor-summary", "limits": {"max_cost_usd": HERE}}',
        "/labels/a": '{"job": "vendor-summary", "labels": {"a": HERE}}',
        "/job": '{"job": HERE}',
    }.items():
        problems = problems_of(raw.replace("HERE", written), jobs)
        assert list(problems) == [pointer]
        assert message in problems[pointer].message
        assert len(problems[pointer].value) <= 200


def test_a_field_given_twice_is_a_problem_at_its_pointer(jobs):
    raw = '{"job": "vendor-summary", "params": {"vendors": [1], "vendors": [2]}, "labels": {"a": "b", "a": "c"}}'
    problems = problems_of(raw, jobs)
    assert {pointer: problem.value for pointer, problem in problems.items()} == {
        "/params/vendors": "[2]",
        "/labels/a": '"c"',
    }
    assert all("more than once" in problem.message for problem in problems.values())


def test_whatever_the_job_the_rest_is_judged(jobs):
    raw = '{"job": "nope", "params": {"x": 1}, "cluster": {"workers": -1}, "limits": [], "labels": {"a": 1}, "b": 2}'
    assert set(problems_of(raw, jobs)) == {"/job", "/cluster/workers", "/limits", "/labels/a", "/b"}


def test_a_slip_in_the_jobs_name_hides_no_problem_of_its_params(jobs):
    raw = '{"job": "count_trips", "params": {"kep": "all", "trips": []}}'
    assert set(problems_of(raw, jobs)) == {"/job", "/params/kep", "/params/trips"}


def test_a_union_reports_only_the_branch_that_came_furthest(jobs):
    problems = problems_of('{"job": "vendor-summary", "params": {"payments": [1, "2"]}}', jobs)
    assert {pointer: problem.allowed for pointer, problem in problems.items()} == {"/params/payments/1": "an integer"}
    problems = problems_of('{"job": "vendor-summary", "params": {"payments": "some"}}', jobs)
    assert {pointer: problem.allowed for pointer, problem in problems.items()} == {
        "/params/payments": '"any" or a list, each an integer'
    }


def test_a_bad_name_and_its_bad_value_are_two_problems(jobs):
    with pytest.raises(SpecError) as caught:
        parse_spec('{"job": "vendor-summary", "labels": {"-a": 1}}', jobs)
    assert {(problem.pointer, problem.value) for problem in caught.value.problems} == {
        ("/labels/-a", '"-a"'),
        ("/labels/-a", "1"),
    }


def test_a_flood_of_problems_is_cut_and_says_so(jobs):
    problems = problems_of(json.dumps({"job": "vendor-summary", "params": {"vendors": ["x"] * 50_000}}), jobs)
    assert len(problems) == 1001
    assert "more problems" in problems[""].message


def test_an_empty_catalogue_says_so():
    assert "the catalogue is empty" in problems_of('{"job": "a"}', Registry())["/job"].allowed


def test_problems_can_be_printed_and_sent_whatever_they_quote(jobs):
    raw = '{"job": "\\u001b[31m", "\\ud800\\n": 1, "' + "k" * 5000 + '": 2}'
    with pytest.raises(SpecError) as caught:
        parse_spec(raw, jobs)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.isprintable() and len(line) < 1000 for line in lines)
    assert json.dumps(caught.value.as_problem(), ensure_ascii=False).encode()


def test_a_spec_survives_its_canonical_form(jobs):
    spec = parse_spec(params_with(colour="green", window={"first": "2018-01-01"}, share=0.5), jobs)
    assert parse_spec(canonical_spec(spec), jobs) == spec
