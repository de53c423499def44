"""The generated pages say everything about every job and error, and staleness is found."""

import json

import pytest

from docs.generate import differences, main, pages
from jobspec import ERRORS, EXIT_CODES


def test_every_job_and_param_is_in_the_catalogue(jobs):
    catalogue = pages(jobs)["catalogue.md"]
    for job in jobs.values():
        assert f"## {job.name}\n\n{job.documentation}\n" in catalogue
        assert f"({job.module.replace('.', '/')}.py)".replace("(", "(../../") in catalogue
        for name, field in job.params.model_fields.items():
            assert f"| `{name}` |" in catalogue
            assert field.description.replace("|", "\\|") in catalogue
    assert "| `top` | an integer from 1 to 1000 | `10` | How many \\| to list. |" in catalogue
    assert "| `trips` | a list of 1 to 5 items, each text of at least 1 character | required | Files. |" in catalogue
    assert '| `cluster.workers` | "auto" or an integer from 1 to 200 | `"auto"` |' in catalogue


def test_every_error_and_exit_code_is_documented(jobs):
    page = pages(jobs)["errors.md"]
    for error in ERRORS:
        assert f"| `{error.code}` | {error.exit_code} | {error.http_status} | Raised when" in page
    assert all(f"| {code} | {meaning} |" in page for code, meaning in EXIT_CODES.items())


def test_schemas_are_json_files(jobs):
    texts = pages(jobs)
    assert {path for path in texts if path.endswith(".json")} == {
        "openapi.json",
        "spec.schema.json",
        "jobs/count-trips.schema.json",
        "jobs/vendor-summary.schema.json",
    }
    assert all(json.loads(text)["$schema"] for path, text in texts.items() if path.endswith(".schema.json"))


def test_what_was_written_is_fresh(tmp_path, jobs):
    assert main([], jobs, tmp_path) == 0
    assert main(["--check"], jobs, tmp_path) == 0
    assert differences(tmp_path, pages(jobs)) == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda directory: (directory / "errors.md").write_text("old\n"),
        lambda directory: (directory / "jobs" / "vendor-summary.schema.json").unlink(),
        lambda directory: (directory / "jobs" / "gone.schema.json").write_text("{}\n"),
        lambda directory: (directory / "empty.md").touch(),
    ],
    ids=["changed", "missing", "surplus", "surplus and empty"],
)
def test_what_is_stale_is_shown_and_then_mended(change, tmp_path, jobs, capsys):
    main([], jobs, tmp_path)
    change(tmp_path)
    assert main(["--check"], jobs, tmp_path) == 1
    assert "is stale" in capsys.readouterr().err
    assert main([], jobs, tmp_path) == 0
    assert main(["--check"], jobs, tmp_path) == 0
