# Tollbridge: `make run` shows it, `make test` proves it. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := core wire router fraud store plumbing traffic smsc_link partner_api bulk site/portal sim tollbridge

.PHONY: help run test lint format bench fuzz soak peers audit schema migrations lock clean packages-run packages-test

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | column -t -s "$$(printf '\t')"

run: $(VENV)/.run  ## set up and start the demo: operators, partners and the service, live on the terminal
	@$(BIN)/tollbridge demo

test: $(VENV)/.dev  ## set up and run the whole test suite, with its own MariaDB and Redis
	@sh tools/test.sh $(BIN)/python

lint: $(VENV)/.dev  ## formatting, style, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m store.generate --check

format: $(VENV)/.dev  ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## speed, as ratios measured in one run
	@$(BIN)/python -m bench

fuzz: $(VENV)/.dev  ## a million mutated frames through decoders and sessions
	@TOLLBRIDGE_FUZZ_FRAMES=1000000 $(BIN)/python -m pytest -q tests/wire -m fuzz --durations=0

soak: $(VENV)/.dev  ## the long campaigns: simulation, kill -9, outages
	@$(BIN)/python -m tests.soak

peers: $(VENV)/.dev  ## against peers that are not ours: Kannel and node's smpp
	@sh tools/packages.sh peers
	@TOLLBRIDGE_PEERS=required $(BIN)/python -m pytest -q tests/peers -rs

audit: $(VENV)/.dev  ## known weaknesses of the pinned dependencies, by pip-audit
	@sh tools/audit.sh

schema: $(VENV)/.dev  ## store/models → store/schema.py
	@$(BIN)/python -m store.generate

migrations: $(VENV)/.dev  ## a new migration for what changed in store/models
	@$(BIN)/python site/manage.py makemigrations store

lock:  ## pin the dependencies again, with hashes (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header --no-emit-find-links -q -U -o requirements.lock
	uv pip compile pyproject.toml --extra dev --extra mariadb -c requirements.lock --universal --generate-hashes --no-emit-index-url --no-header --no-emit-find-links -q -U -o requirements-dev.lock

$(VENV)/.run: requirements.lock pyproject.toml setup.py
	@sh tools/packages.sh run
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Tollbridge needs (a minute the first time) …"
	@test -f $(VENV)/.dev || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml setup.py
	@sh tools/packages.sh test
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the tests need (a minute the first time) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

clean:  ## remove what was built, but not var/
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
