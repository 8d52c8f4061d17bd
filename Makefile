# The everyday commands. `make` alone lists them; only `make fmt` edits the sources.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
UV := .tools/uv/bin/uv
ARCH ?= arm64
TESTS ?= tests
STACK ?= zendesk-oauth
EXAMPLE := examples/worker-stack
export PYTHONPATH := layers/zendesk_oauth:.

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install all that is needed (the other commands call it)
	@scripts/setup

.PHONY: demo
demo: setup ## Deploy locally and play installs, refreshes and losses through
	@$(BIN)/python -m local.demo

.PHONY: local
local: setup ## Deploy locally, with a stand-in for Zendesk, and wait for Ctrl-C
	@$(BIN)/python -m local.stack

.PHONY: seed
seed: ## Write what the files of events/ refer to into the running local stack; can be repeated
	@$(BIN)/python -m local.sam.seed

.PHONY: sam-local
sam-local: setup ## Play every event and every route through the real `sam local`, in containers
	@scripts/lambda-image
	@$(BIN)/python -m local.sam.run

.PHONY: test
test: setup ## Run every test and hold the package's coverage at every branch
	@$(BIN)/pytest -n 2 --cov --cov-report=term $(TESTS)

.PHONY: check
check: setup lint types arrows template test ## All that CI runs

.PHONY: lint
lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: setup
	@$(BIN)/mypy

.PHONY: arrows
arrows: setup
	@$(BIN)/lint-imports

.PHONY: template
template: setup
	@$(BIN)/cfn-lint -a cfn_lint_serverless.rules -- template.yaml $(EXAMPLE)/template.yaml docs/events/registry.yaml
	@for file in template.yaml $(EXAMPLE)/template.yaml; do \
	  SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam validate --lint --region us-east-1 --template "$$file" >/dev/null; \
	  echo "sam validate --lint $$file: clean"; \
	done

.PHONY: fmt
fmt: setup ## Format the sources and mend what lint can mend
	@$(BIN)/ruff check --fix-only --exit-zero --quiet .
	@$(BIN)/ruff format .

.PHONY: fuzz
fuzz: setup ## Feed 100,000 hostile events to each handler, and fail every line of refresh in search of a leak
	@FUZZ_EXAMPLES=100000 CANARY_EVERY=1 $(BIN)/pytest -n 2 tests/fuzz tests/flow/test_refresh_canary.py

.PHONY: simulate
simulate: setup ## Play schedules of races, faults and deaths; SCHEDULES=1000000 SEED=…
	@$(BIN)/python -m tests.simulation

.PHONY: chaos
chaos: setup ## Kill, freeze and cut off real processes, and account for every token; SECONDS=180 SEED=… SKEW=300 REUSE=1
	@$(BIN)/python -m tests.chaos

.PHONY: bench
bench: setup ## Measure cold starts, calls, sizes and cost, as ratios within one run
	@scripts/setup bench
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.monthly

.PHONY: costs
costs: setup ## Write the costs in the documents anew, from benchmarks/prices.json and results.json
	@$(BIN)/python -m benchmarks.monthly

.PHONY: build
build: setup ## Build for deployment; ARCH=arm64 or x86_64
	@ARCH=$(ARCH) scripts/build

.PHONY: examples
examples: setup ## Build the example of a worker's stack; ARCH=arm64 or x86_64
	@PATH="$$(dirname "$$(readlink -f .tools/python3.13)"):$$PATH" SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam build \
	  --template $(EXAMPLE)/template.yaml --build-dir $(EXAMPLE)/.aws-sam/build --parameter-overrides Architecture=$(ARCH)

.PHONY: deploy
deploy: build ## Deploy with SAM, asking for the parameters (needs AWS credentials)
	@SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam deploy --guided --parameter-overrides Architecture=$(ARCH)

.PHONY: verify-aws
verify-aws: setup ## Try in your account what nobody may do there; STACK=zendesk-oauth (needs AWS credentials)
	@$(BIN)/python -m verification $(STACK)

.PHONY: lock
lock: setup ## Resolve the locked environments anew, from requirements/*.in
	@for name in layer dev runtime sam ministack uv; do \
	  $(UV) pip compile --quiet --upgrade --python $(BIN)/python --universal --generate-hashes \
	    --no-header --no-emit-index-url --no-emit-find-links -o requirements/$$name.txt requirements/$$name.in; \
	done
	@$(UV) pip compile --quiet --upgrade --python $(BIN)/python --universal --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links -c requirements/layer.txt \
	  -o $(EXAMPLE)/worker/requirements.txt $(EXAMPLE)/requirements.in

.PHONY: registry
registry: setup ## Write the template of the events' schema registry anew, from docs/events
	@$(BIN)/python scripts/registry.py

.PHONY: clean
clean: ## Remove what was built; the environments stay
	@rm -rf build .aws-sam $(EXAMPLE)/.aws-sam .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path './.venv/*' -not -path './.tools/*' -prune -exec rm -rf {} +
