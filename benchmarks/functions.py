"""How large the built functions are and how long they take to import: `python -m benchmarks.functions [--json]`.

`sam build` builds them as it does for Lambda, but for this machine's Python and processor, so that they can be imported
here. They are imported in fresh processes that see nothing but what was built and what Lambda brings. Modules are
compiled already, as in no cold start but the first; the seconds are of the processor, the least of several.
"""

import json
import os
import platform
import subprocess
import sys
import sysconfig
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import ROOT

SAM = ROOT / ".venv-sam" / "bin" / "sam"
LAMBDA_BRINGS = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
UNFIT = ("dask", "distributed", "pandas", "numpy", "pyarrow", "numba", "matplotlib")  # never in a function
MOST_MB, MOST_MS = 30, 400
TRIES, MOST_TRIES = 5, 25  # the more the slower: what else runs takes the caches away, and only ever adds
EXEMPT = "CertificateFunction"  # it works in deploys alone, and holds `cryptography`
PROBE = """
import sys, time
sys.path[:0] = sys.argv[2:]
begun = time.process_time()
__import__(sys.argv[1])
print(time.process_time() - begun, *sorted({name.split(".")[0] for name in sys.modules}))
"""


@dataclass(frozen=True)
class Built:
    """What was measured of one function."""

    function: str
    megabytes: float
    milliseconds: float
    packages: list[str]  # top-level, that were built in
    loaded: list[str]  # top-level modules, after the import


def build(folder: Path) -> dict[str, Path]:
    """Where each function was built, by its logical id. SystemExit with what SAM said where that fails."""
    if not SAM.exists():
        raise SystemExit(f"{SAM.relative_to(ROOT)} is missing: `make validate` sets it up")
    settings = {
        "SAM_CLI_TELEMETRY": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHON_VERSION": f"{sys.version_info.major}.{sys.version_info.minor}",
        "PLATFORM": f"{platform.machine()}-manylinux2014" if sys.platform == "linux" else "",
    }
    command = [str(SAM), "build", "--parallel", "--build-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"sam build failed:\n{done.stderr[-4000:]}")
    return {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}


def measure(function: str, folder: Path, module: str, runtime: Path) -> Built:
    """The size of a built function, and what the import of its handler takes."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    # As Lambda does: the tracer is idle elsewhere.
    environment = {
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "dispatch",
    }
    seconds: list[float] = []
    loaded: list[str] = []
    while len(seconds) < TRIES or (min(seconds) * 1000 >= MOST_MS and len(seconds) < MOST_TRIES):
        command = [sys.executable, "-I", "-S", "-c", PROBE, module, str(folder), str(runtime)]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{function} cannot be imported:\n{done.stderr[-4000:]}")
        took, *loaded = done.stdout.split()
        seconds.append(float(took))
    return Built(
        function=function,
        megabytes=sum(path.stat().st_size for path in files) / 1e6,
        milliseconds=min(seconds) * 1000,
        packages=sorted(path.name for path in folder.iterdir() if path.is_dir()),
        loaded=loaded,
    )


def runtime_of_lambda(folder: Path) -> Path:
    """A folder of what Lambda's own Python brings: the SDK."""
    folder.mkdir()
    for name in LAMBDA_BRINGS:
        (folder / name).symlink_to(Path(sysconfig.get_paths()["purelib"]) / name)
    return folder


def handlers() -> dict[str, str]:
    """The module of each function's handler, by its logical id, for those that there are."""
    from cfnlint.decode import cfn_yaml

    resources: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))["Resources"]
    modules = {
        name: each["Properties"]["Handler"].rpartition(".")[0]
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    return {name: module for name, module in modules.items() if (ROOT / f"{module.replace('.', '/')}.py").exists()}


def all_built(folder: Path) -> list[Built]:
    """Every function, built and measured."""
    built, runtime = build(folder / "built"), runtime_of_lambda(folder / "runtime")
    return [measure(name, built[name], module, runtime) for name, module in sorted(handlers().items())]


def main() -> None:
    with TemporaryDirectory() as folder:
        found = all_built(Path(folder))
    print(f"| Function | MB unpacked (at most {MOST_MB}) | Import, ms (at most {MOST_MS}) |\n|---|---:|---:|")
    for each in found:
        exempt = " (exempt)" if each.function == EXEMPT else ""
        print(f"| {each.function}{exempt} | {each.megabytes:.1f} | {each.milliseconds:.0f} |")
    if "--json" in sys.argv:
        print(json.dumps([asdict(each) for each in found]))


if __name__ == "__main__":
    main()
