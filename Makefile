# Everything starts here; each target sets up what it needs and is fast the second time.
PYTHON ?= python3
BIN := .venv/bin
SETUP := $(PYTHON) tools/setup.py
WORKERS ?= 2# the tests' processes; the suite is tuned for two cores

.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak fuzz wasm size wheel clean

help: ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: ## simulated devices on virtual serial ports, live in the browser
	@$(SETUP) run
	@exec $(BIN)/framelink demo $(ARGS)

test: ## set everything up (system packages too) and run the gate with all tests
	@$(SETUP) test
	@$(MAKE) --no-print-directory check

check: ## the gate: lint, format, types, layers, tests, coverage
	@test -e .venv/.ready-test || $(SETUP) test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/coverage erase
	$(BIN)/pytest -n $(WORKERS) --cov --cov-report= tests
	$(BIN)/coverage report --include='framelink/wire/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95

bench: ## measure beside the peers; JSON goes to build/bench.json
	@$(SETUP) bench
	@mkdir -p build
	$(BIN)/python -m tools.bench --json build/bench.json $(ARGS)

soak: ## ten million frames through every decoder, a million requests on a bad line; takes minutes
	@$(SETUP) test
	$(BIN)/pytest -m soak -s tests

fuzz: ## fuzz the C core on from the kept corpus, and keep what is found
	@$(SETUP) test
	$(BIN)/python -m tests.support.fuzz $(ARGS)

wasm: ## make the decoder for pages from the C core
	@$(SETUP) test
	$(BIN)/python -m tools.make_wasm

size: ## measure what the C core costs a microcontroller
	@$(SETUP) test
	$(BIN)/python -m tools.firmware_size

wheel: ## build a wheel for this machine into dist/
	@$(SETUP) run
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove everything that the targets made
	rm -rf .venv build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f framelink/wire/_native*.so framelink/wire/_native*.pyd
