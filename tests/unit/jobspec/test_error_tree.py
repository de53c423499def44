"""Errors say what went wrong, cross processes whole, and have one code, exit code and HTTP status each."""

import inspect
import pickle

import pytest

import jobspec.errors
from jobspec import ERRORS, EXIT_CODES, DispatchError, Problem, RunState, errors

PROBLEM = Problem("/params/kep", "unknown field", '"all"', "trips, keep", "keep")
EXAMPLES = {
    errors.DispatchError: (("the disk is full",), "the disk is full"),
    errors.SpecError: (
        ([PROBLEM, PROBLEM],),
        '/params/kep: unknown field, got "all"; allowed: trips, keep; did you mean "keep"?\n'
        '/params/kep: unknown field, got "all"; allowed: trips, keep; did you mean "keep"?',
    ),
    errors.DataError: (("no trips",), "no trips"),
    errors.NoInputs: (("s3://b/x-*.csv",), "no file matches s3://b/x-*.csv"),
    errors.TooManyInputs: ((12_345, 10_000), "12,345 files match; a run reads at most 10,000"),
    errors.UnreadableFile: (("s3://b/x", "no column"), "s3://b/x cannot be read: no column"),
    errors.InputChanged: (("s3://b/x", "e1", "e2"), "expected e1, found e2"),
    errors.BadResults: (("/dev/null", "Not a directory"), 'results cannot be written to "/dev/null": Not a directory'),
    errors.NoCredentials: (("s3://b/k", "Unable to locate credentials"), "or set AWS_PROFILE"),
    errors.InputUnavailable: (("https://h/x", "403"), "https://h/x is not available now, try again later: 403"),
    errors.MixedTaxis: (("y.csv", "g.csv"), "y.csv is yellow, g.csv is green"),
    errors.OutOfMemory: (("worker 3",), "worker 3"),
    errors.LostWorkers: ((), "Lost workers"),
    errors.NoWorkers: ((4, 90.0), "waited 90 s for 4 workers"),
    errors.NoCapacity: (("the client task", "no address is free"), "the client task could not be started: no address"),
    errors.Superseded: (("v2", ["v1"]), "the client has version v2, its workers v1"),
    errors.Cancelled: ((), "Cancelled"),
    errors.Interrupted: (("enough",), "enough"),
    errors.TimedOut: ((3600.0,), "stopped after 3600 s"),
    errors.Refused: (("not here",), "not here"),
    errors.OverBudget: ((1.25, 0.5), "the run needs about $1.2500; /limits/max_cost_usd allows $0.5000"),
    errors.TooManyWorkers: ((50, 20), "50 workers; this stack runs at most 20"),
    errors.QueueFull: ((2000,), "2,000 runs wait for workers already"),
    errors.NotReady: (("a-1", RunState.RUNNING, "result"), "a-1 is RUNNING and has no result"),
    errors.AlreadyExists: (("schedule", "monthly"), "there is a schedule 'monthly' already"),
    errors.Unanswered: (("no answer; try again",), "no answer"),
    errors.NotFound: (("job", "explore-trip", "explore-trips"), "there is no job 'explore-trip'; did you mean"),
    errors.IllegalTransition: (
        (RunState.FAILED, RunState.RUNNING),
        "a run cannot go from FAILED to RUNNING",
    ),
    errors.JobDefinitionError: (("jobs/a.py", "missing SIZE"), "jobs/a.py: missing SIZE"),
}


def test_every_error_has_an_example_here():
    assert set(EXAMPLES) == set(ERRORS)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
class TestEveryError:
    def test_says_what_went_wrong(self, error):
        arguments, text = EXAMPLES[error]
        assert text in str(error(*arguments))

    def test_crosses_processes_whole(self, error):
        raised = error(*EXAMPLES[error][0])
        arrived = pickle.loads(pickle.dumps(raised))
        assert type(arrived) is error
        assert (str(arrived), vars(arrived)) == (str(raised), vars(raised))

    def test_is_a_problem_document_with_its_fields_as_members(self, error):
        raised = error(*EXAMPLES[error][0])
        problem = raised.as_problem()
        assert problem["type"] == f"urn:dispatch:error:{error.code}"
        assert problem["status"] == error.http_status
        assert problem["detail"] == str(raised)
        assert set(vars(raised)) <= set(problem)

    def test_is_documented_and_drawn_in_the_tree(self, error):
        assert inspect.getdoc(error).startswith("Raised when ")
        assert f" {error.__name__}\n" in inspect.getdoc(jobspec.errors) + "\n"

    def test_has_an_exit_code_and_a_status_that_mean_failure(self, error):
        assert error.exit_code in EXIT_CODES
        assert error.exit_code > 0
        assert 400 <= error.http_status <= 599


def test_no_two_errors_share_a_code():
    assert len({error.code for error in ERRORS}) == len(ERRORS)


def test_exit_codes_are_the_documented_ones():
    assert EXIT_CODES == {
        0: "done",
        1: "internal",
        2: "bad-spec",
        3: "bad-data",
        4: "out-of-memory",
        5: "lost-workers",
        130: "interrupted",
        6: "refused",
        7: "not-found",
        124: "timed-out",
        143: "cancelled",
    }


def test_a_spec_error_lists_its_problems_as_members():
    assert errors.SpecError([PROBLEM]).as_problem()["problems"] == [
        {
            "pointer": "/params/kep",
            "message": "unknown field",
            "value": '"all"',
            "allowed": "trips, keep",
            "suggestion": "keep",
        }
    ]


def test_an_error_that_is_no_more_precise_can_be_caught_as_its_parent():
    with pytest.raises(DispatchError):
        raise errors.NoWorkers(1, 2.0)
    assert errors.NoWorkers.exit_code == errors.LostWorkers.exit_code
