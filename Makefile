# Every target works alone on a fresh clone: python3 >= 3.11 and make are all it needs.
# `make pins` writes the requirements files anew; nothing else does.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# Bytecode is compiled once, at set-up: it halves the start of every short run.
INSTALL := $(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes
PIN := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade pyproject.toml

# SAM CLI wants other versions of what we use, so it has an environment of its own; Node for asl-validator is there too.
SAM_VENV := .venv-sam
SAM := SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true $(SAM_VENV)/bin/sam
ASL_VALIDATOR := statemachine/node_modules/asl-validator/package.json
# Which section of samconfig.toml, and so which stack.
ENV ?= dev

LAMBDA_BRINGS := boto3 botocore s3transfer jmespath python-dateutil six urllib3
CONTRACT_BRINGS := pydantic pydantic-core annotated-types typing-extensions typing-inspection

.PHONY: setup demo test check validate build image deploy destroy bench docs image-size pins clean

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

$(SAM_VENV)/.ready: $(UV) requirements-sam.txt
	@test -x $(SAM_VENV)/bin/python || $(PYTHON) -m venv --without-pip $(SAM_VENV)
	@$(UV) pip install --quiet --python $(SAM_VENV)/bin/python --compile-bytecode --require-hashes -r requirements-sam.txt
	@touch $@

$(ASL_VALIDATOR): $(SAM_VENV)/.ready statemachine/package-lock.json
	@cd statemachine && PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

## The main job, on the real trips in examples/data.
demo: $(VENV)/.runtime
	$(BIN)/dispatch run examples/specs/explore-trips.json --results results

## The fast part of `make test`: style, types, layers, generated documents fresh, template and state machine valid.
check: $(VENV)/.dev validate
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m docs.idle_cost --check

test: check
	$(BIN)/pytest

## The template and the state machine, without an account.
validate: $(VENV)/.dev $(SAM_VENV)/.ready $(ASL_VALIDATOR)
	$(BIN)/cfn-lint template.yaml
	$(SAM) validate --lint --region us-east-1
	@mkdir -p .aws-sam && sed 's/$${Partition}/aws/g' statemachine/run_job.asl.json > .aws-sam/run_job.asl.json
	$(SAM_VENV)/bin/node statemachine/node_modules/.bin/asl-validator --json-path .aws-sam/run_job.asl.json

## What Lambda gets, in .aws-sam/build/.
build: $(VENV)/.runtime $(SAM_VENV)/.ready
	$(SAM) build --config-env $(ENV)

## Builds this commit's image and pushes it, unless it is there. BUILDER=docker here, BUILDER=codebuild in the account.
image: $(VENV)/.runtime
	$(BIN)/dispatch image --env $(ENV) $(if $(BUILDER),--builder $(BUILDER))

## Deploys this commit: image, then drain, then stack (docs/deploy.md). The first one makes the stack before the image.
## ENV=prod shows what changes and asks; YES=1 does not.
deploy: build
	$(BIN)/dispatch deploy --env $(ENV) $(if $(BUILDER),--builder $(BUILDER)) $(if $(YES),--yes)

## Stops what runs, empties the buckets and deletes the stack. Asks first; YES=1 does not.
destroy: $(VENV)/.runtime
	$(BIN)/dispatch destroy --env $(ENV) $(if $(YES),--yes)

## Times this against DuckDB, Polars, Dask DataFrame and the article's own code. BENCH_TRIPS=100000000 for the large set.
bench: $(VENV)/.dev $(SAM_VENV)/.ready
	$(BIN)/python -m benchmarks.functions
	$(BIN)/python -m benchmarks

## Writes docs/generated/ from the catalogue and the contract, and the tables of docs/cost.md.
docs: $(VENV)/.dev
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.idle_cost

## Writes docs/image.md: what the image holds, by package. Wanted after `make pins`.
image-size: $(VENV)/.dev
	$(BIN)/python -m benchmarks.image

pins: $(UV)
	$(PIN) --extra runtime --extra cli --extra build --output-file requirements.txt
	$(PIN) --extra image --constraint requirements.txt --output-file requirements-image.txt
	$(PIN) --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	$(PIN) --extra functions $(foreach package,$(LAMBDA_BRINGS),--no-emit-package $(package)) \
		--constraint requirements.txt --output-file functions/requirements.txt
	$(PIN) --extra certificate $(foreach package,$(CONTRACT_BRINGS),--no-emit-package $(package)) \
		--constraint requirements-dev.txt --output-file functions/requirements-certificate.txt
	printf 'aws-sam-cli\nnodejs-wheel\n' | $(subst pyproject.toml,-,$(PIN)) --output-file requirements-sam.txt
	cd statemachine && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean:
	rm -rf $(VENV) $(SAM_VENV) .aws-sam statemachine/node_modules results .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis
