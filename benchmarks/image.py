"""`python -m benchmarks.image [PYTHON]`: what the image holds and how large each package is, written to docs/image.md.

Installs what the image installs, as the Dockerfile does, into an environment of its own, and adds up the files.
"""

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "image.md"
LIMIT_MB = 850
BASE_MB = 150  # python:3.13-slim holds about 125 MB (`docker images`); what cannot be measured here is taken as more
_SMALL_MB = 3.0

# Run by the Python that is measured: the folders and files below site-packages that belong to each package.
_OWNERS = """
import importlib.metadata as metadata, json, sysconfig
own = {}
for package in metadata.distributions():
    tops = {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}
    own[package.name] = [package.version, sorted(tops)]
print(json.dumps([sysconfig.get_path("purelib"), own]))
"""


def python_version() -> str:
    """The Python of the image's base."""
    found = re.search(r"^FROM \S*/python:(\d+\.\d+)-slim", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found, "the Dockerfile's base is no python:<version>-slim"
    return found[1]


def install(folder: Path, interpreter: str | None = None) -> Path:
    """Make `folder` the image's environment and return its Python.

    That is of the image's version, or of this one's where none is to be found.
    """
    uv = Path(sys.executable).with_name("uv")
    venv = (uv, "venv", "--quiet", "--no-python-downloads", "--python")
    if interpreter or _run(*venv, python_version(), folder, check=False).returncode:
        _run(*venv, interpreter or sys.executable, folder)
    python = folder / "bin" / "python"
    pip = (uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python)
    _run(*pip, "--require-hashes", "-r", ROOT / "requirements-image.txt")
    with tempfile.TemporaryDirectory() as wheels:
        build = (uv, "build", "--quiet", "--wheel", "--require-hashes", "--build-constraint", ROOT / "requirements.txt")
        _run(*build, "--out-dir", wheels, ROOT)
        _run(*pip, "--no-deps", *Path(wheels).glob("*.whl"))
    for tests in list(folder.rglob("tests")):  # of other people's packages: an eighth of all
        if tests.is_dir():
            shutil.rmtree(tests)
    return python


def sizes(python: Path) -> dict[tuple[str, str], int]:
    """The bytes of each package, by its name and version, and of what belongs to none."""
    packages, own = json.loads(_run(python, "-c", _OWNERS).stdout)
    found = {(name, version): sum(_size(Path(packages, top)) for top in tops) for name, (version, tops) in own.items()}
    rest = _size(Path(packages)) - sum(found.values())
    return found | {("(bytecode of single modules)", ""): rest}


def page(found: dict[tuple[str, str], int], version: str) -> str:
    """The text of docs/image.md."""
    total = megabytes(sum(found.values()))
    large = sorted(((size, name) for name, size in found.items() if megabytes(size) >= _SMALL_MB), reverse=True)
    rows = [f"| {name} | {release} | {megabytes(size):.1f} |" for size, (name, release) in large]
    rest = megabytes(sum(found.values()) - sum(size for size, _ in large))
    rows.append(f"| {len(found) - len(large)} others, each below {_SMALL_MB:g} MB | | {rest:.1f} |")
    return f"""<!-- Written by `python -m benchmarks.image`; do not edit. -->

# The image

One image for client, scheduler and workers. It holds what they import and nothing else: `requirements-image.txt`,
pinned with hashes, which is the extra `image` of `pyproject.toml`, and Dispatch itself; without the tests that packages
bring along. A test starts each role from exactly this install.

**{total:.0f} MB** unpacked, with bytecode, on Python {version} and {platform.machine()}; on a base image of at most
{BASE_MB} MB that is {total + BASE_MB:.0f} of the {LIMIT_MB} MB that the image may have.

| package | version | MB |
|---|---|---|
{chr(10).join(rows)}

Why they are there: Arrow (`pyarrow`) reads trips; Numba and LLVM (`llvmlite`) load the compiled loops; `pandas` is for
jobs that define `run` on frames; `bokeh` draws Dask's report and dashboard, `matplotlib` with `fonttools` and `pillow`
the plots; `s3fs` reads and writes S3, through `botocore`.
"""


def megabytes(size: float) -> float:
    """Bytes in units of 10^6."""
    return size / 1e6


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file() or file.is_symlink())


def _run(*command: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if check and ended.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {ended.stderr}")
    return ended


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        python = install(Path(folder, "image"), *sys.argv[1:2])
        version = _run(python, "-c", "import platform; print(platform.python_version())").stdout.strip()
        PAGE.write_text(page(sizes(python), version))


if __name__ == "__main__":
    main()
