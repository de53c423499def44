"""What of a web address is shown, and what of it tells files apart."""

import pickle

import pytest

from jobspec import InputFile, InputUnavailable, MixedTaxis, NoInputs, SpecError, UnreadableFile, parse_spec, shown_spec
from jobspec.addresses import redacted, unsigned
from jobspec.problem import show

SECRET = "c0ffee"
SIGNED = f"https://trips.s3.amazonaws.com/a%20b.csv?X-Amz-Credential=k%2F1&X-Amz-Signature={SECRET}"
SHOWN = "https://trips.s3.amazonaws.com/a%20b.csv?..."


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (SIGNED, SHOWN),
        (SHOWN, SHOWN),
        ("https://host/plain.csv", "https://host/plain.csv"),
        (f'GET "{SIGNED}" and {SIGNED}, both', f'GET "{SHOWN}" and {SHOWN} both'),
        (f"HTTPS://h?{SECRET}", "HTTPS://h?..."),
        ("s3://bucket/yellow_201?-01.csv", "s3://bucket/yellow_201?-01.csv"),
        ({"a": [SIGNED, 1, None], "b": {"c": SIGNED}}, {"a": [SHOWN, 1, None], "b": {"c": SHOWN}}),
    ],
)
def test_a_query_is_hidden_wherever_it_stands(value, shown):
    assert redacted(value) == shown


@pytest.mark.parametrize(
    ("address", "same"),
    [
        (SIGNED, "https://trips.s3.amazonaws.com/a%20b.csv"),
        ("https://h/p?file=1&X-Amz-Date=2&part=3", "https://h/p?file=1&part=3"),
        ("https://h/p?AWSAccessKeyId=a&Signature=b&Expires=c", "https://h/p"),
        ("https://h/p?sv=1&se=2&sp=r&sig=x", "https://h/p"),
        ("https://h/p?sv=1&se=2", "https://h/p?sv=1&se=2"),
        ("https://h/p?expires=never", "https://h/p?expires=never"),
        ("https://h/p?", "https://h/p?"),
        ("https://h/p", "https://h/p"),
        ("s3://b/k?X-Amz-Date=2", "s3://b/k?X-Amz-Date=2"),
        (["https://h/p?x-goog-signature=1", 5], ["https://h/p", 5]),
    ],
)
def test_a_signature_makes_no_other_file(address, same):
    assert unsigned(address) == same


@pytest.mark.parametrize(
    "error",
    [
        NoInputs(SIGNED),
        UnreadableFile(SIGNED, f"said {SIGNED}"),
        InputUnavailable(SIGNED, "no"),
        MixedTaxis(SIGNED, SIGNED),
    ],
)
def test_no_error_tells_a_query(error):
    for one in (error, pickle.loads(pickle.dumps(error))):
        told = f"{one} {one!r} {one.as_problem()}"
        assert SHOWN in told
        assert SECRET not in told


def test_neither_does_a_spec_that_is_shown_nor_one_that_is_wrong(jobs):
    spec = parse_spec({"job": "count-trips", "params": {"trips": [SIGNED]}}, jobs)
    assert shown_spec(spec)["params"]["trips"] == [SHOWN]
    with pytest.raises(SpecError) as failure:
        parse_spec({"job": "count-trips", "params": {"trips": SIGNED, "nope": [SIGNED]}}, jobs)
    assert SECRET not in str(failure.value)
    assert SECRET not in str(failure.value.as_problem())


def test_nor_a_file_that_is_printed_nor_a_value_that_is_shown():
    file = InputFile(uri=SIGNED, bytes=1, etag="")
    assert SHOWN in repr(file)
    assert SECRET not in f"{file!r} {file} {show(SIGNED)} {show([SIGNED])}"
