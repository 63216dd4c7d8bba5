# Two commands need nothing but Python 3.11 to 3.13, git and make: `make demo` and `make test`.
# Another Python than python3:    make demo PYTHON=python3.12
# Arguments for the command:      make test ARGS="stokly_sync_tests/delivery -k retry"

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
ARGS ?=

BIN := $(VENV)/bin
COMMA := ,
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)/.installed-bench
INPUTS := pyproject.toml constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.DEFAULT_GOAL := help
.PHONY: help demo dev install test bench check format constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(RUNTIME) ## Run the whole pipeline once against the built-in sandboxes and print what happened
	$(BIN)/stokly-sync demo $(ARGS)

dev: $(RUNTIME) ## Open the Dagster interface on the demo's data, with the sandboxes running
	DAGSTER_HOME="$(CURDIR)" $(BIN)/stokly-sync dev $(ARGS)

test: $(DEV) ## Run the suite on SQLite and on PostgreSQL
	STOKLY_SYNC_REQUIRE_POSTGRES=$${STOKLY_SYNC_REQUIRE_POSTGRES:-1} \
		$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

install: $(DEV) ## Install what `make check` and `make test` need, which they do by themselves too

bench: $(BENCH) ## Measure throughput, calls and memory beside hand-written bounds
	$(BIN)/python -m benchmarks $(ARGS)

check: $(DEV) ## Lint, format, types and import rules, as CI runs them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(DEV) ## Mend what the linter and the formatter can mend by themselves
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: ## Renew constraints.txt from a clean resolve (on the lowest supported Python)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "constraints.txt is made on Python 3.11: make constraints PYTHON=python3.11" >&2; exit 1; }
	rm -rf .venv-resolve && $(PYTHON) -m venv .venv-resolve
	.venv-resolve/bin/python -m pip --disable-pip-version-check --no-input -q install '.[dev,bench]'
	{ sed -n '/^#/p' constraints.txt; .venv-resolve/bin/python -m pip freeze --all | \
		grep -Ev '^(pip|stokly-sync)( |=)' | tr '[:upper:]_' '[:lower:]-' | sort; } > constraints.txt.new
	mv constraints.txt.new constraints.txt && rm -rf .venv-resolve

clean: ## Remove the environment and the caches, but no data
	rm -rf $(VENV) .venv-resolve .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c '$(IN_RANGE)' || { echo "stokly-sync needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is" \
		"$$($(PYTHON) --version 2>&1 || true). Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "'$(PYTHON)' lacks its venv module. On Debian and Ubuntu:" \
		"apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): $(INPUTS) | $(BIN)/python
	@$(call install,.)
	@touch $@

$(DEV): $(INPUTS) | $(BIN)/python
	@$(call install,.[dev])
	@touch $(RUNTIME) $@

$(BENCH): $(INPUTS) | $(BIN)/python
	@$(call install,.[dev$(COMMA)bench])
	@touch $(RUNTIME) $(DEV) $@

# The version is asked again: an environment may be older than the rule that it must fit. Modules are compiled when they
# are first imported, because most of what is installed never is.
define install
	$(BIN)/python -c '$(IN_RANGE)' || { echo "$(VENV) holds $$($(BIN)/python --version), but 3.11 to 3.13 is" \
		"needed: make clean, then again with PYTHON=python3.12" >&2; exit 1; }; \
	echo "Installing '$(1)' into $(VENV) ..."; \
	$(PIP) install --no-compile -c constraints.txt -e '$(1)'
endef
