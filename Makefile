# Every target works alone on a fresh clone: python3 >= 3.11 and make are all it needs.
# `make pins` writes the requirements files anew; nothing else does.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# Bytecode is compiled once, at set-up: it halves the start of every short run.
INSTALL := $(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes
PIN := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade pyproject.toml

.PHONY: setup demo test check bench docs image-size pins clean

setup: $(VENV)/.runtime

$(UV): requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dispatch needs Python 3.11 or newer; this is " + sys.version)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.txt
	@touch $(UV)

$(VENV)/.runtime: $(UV) requirements.txt pyproject.toml
	@$(INSTALL) -r requirements.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q jobspec jobs functions cli local dashboard
	@$(BIN)/python -m jobs.runtime.warm
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

## The main job, on the real trips in examples/data.
demo: $(VENV)/.runtime
	$(BIN)/dispatch run examples/specs/explore-trips.json --results results

## The fast part of `make test`: style, types, layers, generated documents fresh.
check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

test: check
	$(BIN)/pytest

## Times this against DuckDB, Polars, Dask DataFrame and the article's own code. BENCH_TRIPS=100000000 for the large set.
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

## Writes docs/generated/ from the catalogue and the contract.
docs: $(VENV)/.dev
	$(BIN)/python -m docs.generate

## Writes docs/image.md: what the image holds, by package. Wanted after `make pins`.
image-size: $(VENV)/.dev
	$(BIN)/python -m benchmarks.image

pins: $(UV)
	$(PIN) --extra runtime --extra cli --extra build --output-file requirements.txt
	$(PIN) --extra image --constraint requirements.txt --output-file requirements-image.txt
	$(PIN) --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) results .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis
